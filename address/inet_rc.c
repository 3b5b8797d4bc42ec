/* SPDX-License-Identifier: MIT */
#include "address/inet_rc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "address/inet_parameter.h"
#include "base/bytes.h"
#include "base/memory.h"

enum { DNS_PORT = 53 };

/* Names and values as they are written, each with a NUL behind it. */
struct writer {
    char *bytes;
    size_t size;
    size_t room;
    size_t count; /* of parameters */
    bool failed;
};

static bool make_room(struct writer *writer, size_t size)
{
    size_t room = writer->room;
    while (room < writer->size + size)
        room = room ? 2 * room : 256;
    if (room == writer->room)
        return true;
    char *larger = memory_resize(writer->bytes, room);
    if (!larger) {
        writer->failed = true;
        return false;
    }
    writer->bytes = larger;
    writer->room = room;
    return true;
}

__attribute__((format(printf, 2, 3))) static void put(struct writer *writer, const char *format,
                                                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (writer->failed || !make_room(writer, (size_t)length + 1))
        return;
    va_start(arguments, format);
    vsnprintf(writer->bytes + writer->size, (size_t)length + 1, format, arguments);
    va_end(arguments);
    writer->size += (size_t)length;
}

/* The NUL that ends what was put. */
static void end(struct writer *writer)
{
    if (!writer->failed && make_room(writer, 1))
        writer->bytes[writer->size++] = '\0';
}

static void begin(struct writer *writer, const char *name)
{
    put(writer, "%s", name);
    end(writer);
    writer->count++;
}

static void put_quoted(struct writer *writer, char quote, const char *text)
{
    put(writer, "%c", quote);
    for (; *text; text++) {
        uint8_t byte = (uint8_t)*text;
        if (byte < ' ' || byte == 0x7f)
            put(writer, "\\x%02x", byte);
        else
            put(writer, byte == (uint8_t)quote || byte == '\\' ? "\\%c" : "%c", byte);
    }
    put(writer, "%c", quote);
}

static void put_texts(struct writer *writer, char *const *texts, size_t count)
{
    put(writer, "[");
    for (size_t i = 0; i < count; i++) {
        put(writer, i ? "," : "");
        put_quoted(writer, '"', texts[i]);
    }
    put(writer, "]");
}

static unsigned group_of(const weir_address *address, int index)
{
    if (index == 1 && address->scope_id)
        return address->scope_id;
    return bytes_read_be16(address->bytes + 2 * index);
}

static void put_address(struct writer *writer, const weir_address *address)
{
    bool inet = address->family == WEIR_INET;
    for (int i = 0; i < (inet ? 4 : 8); i++)
        put(writer, "%c%u", i ? ',' : '{', inet ? address->bytes[i] : group_of(address, i));
    put(writer, "}");
}

static void list_hosts(struct writer *writer, const struct inet_config *config)
{
    for (const struct host *host = config->hosts.first; host; host = host->next) {
        begin(writer, "host");
        put_address(writer, &host->address);
        put(writer, ",[");
        for (const struct host_name *name = host->names; name; name = name->next) {
            put_quoted(writer, '"', name->text);
            put(writer, name->next ? "," : "]");
        }
        end(writer);
    }
}

static void list_servers(struct writer *writer, const char *name, const struct server_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        begin(writer, name);
        put_address(writer, &list->servers[i]);
        if (list->servers[i].port != DNS_PORT)
            put(writer, ",%u", list->servers[i].port);
        end(writer);
    }
}

static void list_search(struct writer *writer, const struct inet_config *config)
{
    if (config->search.count == 0)
        return;
    begin(writer, "search");
    put_texts(writer, config->search.texts, config->search.count);
    end(writer);
}

static void list_number(struct writer *writer, const struct inet_config *config,
                        enum inet_number which)
{
    const struct inet_number_row *row = &inet_number_rows[which];
    int64_t number = config->numbers[which];
    if (number == row->initial)
        return;
    begin(writer, row->name);
    if (row->type == INET_BOOLEAN)
        put(writer, number ? "true" : "false");
    else
        put(writer, "%" PRId64, number);
    end(writer);
}

static void list_text(struct writer *writer, const struct inet_config *config, enum inet_text which)
{
    char path[4096];
    const char *text = config->texts[which];
    if (strcmp(text, inet_text_initial(which, path, sizeof(path))) == 0)
        return;
    begin(writer, inet_text_rows[which].name);
    put_quoted(writer, inet_text_rows[which].type == INET_MODULE ? '\'' : '"', text);
    end(writer);
}

static void list_lookup(struct writer *writer, const struct inet_config *config)
{
    const struct lookup_list *lookup = &config->lookup;
    if (lookup->count == 1 && lookup->methods[0] == LOOKUP_NATIVE)
        return;
    begin(writer, "lookup");
    put(writer, "[");
    for (size_t i = 0; i < lookup->count; i++)
        put(writer, "%s%s", i ? "," : "",
            lookup_method_name((enum lookup_method)lookup->methods[i]));
    put(writer, "]");
    end(writer);
}

static void list_all(struct writer *writer, const struct inet_config *config)
{
    list_hosts(writer, config);
    list_text(writer, config, INET_DOMAIN);
    list_servers(writer, "nameservers", &config->nameservers);
    list_search(writer, config);
    list_servers(writer, "alt_nameservers", &config->alt_nameservers);
    for (int which = INET_TIMEOUT_MS; which <= INET_UDP_PAYLOAD_SIZE; which++)
        list_number(writer, config, (enum inet_number)which);
    for (int which = INET_RESOLV_CONF; which <= INET_TCP; which++)
        list_text(writer, config, (enum inet_text)which);
    list_number(writer, config, INET_CACHE_SIZE);
    list_number(writer, config, INET_CACHE_REFRESH_MS);
    list_lookup(writer, config);
}

/* The block: the parameters, and behind them their texts. */
static weir_parameter *block_of(const struct writer *writer)
{
    size_t head = writer->count * sizeof(weir_parameter);
    weir_parameter *parameters = memory_allocate(head + writer->size + 1);
    if (!parameters)
        return NULL;
    char *text = (char *)parameters + head;
    memcpy(text, writer->size ? writer->bytes : "", writer->size);
    for (size_t i = 0; i < writer->count; i++) {
        parameters[i].name = text;
        text += strlen(text) + 1;
        parameters[i].value = text;
        text += strlen(text) + 1;
    }
    return parameters;
}

int inet_rc_list(const struct inet_config *config, weir_parameter **parameters, size_t *count)
{
    struct writer writer = {.count = 0};
    list_all(&writer, config);
    *parameters = writer.failed ? NULL : block_of(&writer);
    *count = *parameters ? writer.count : 0;
    memory_free(writer.bytes);
    return *parameters ? 0 : -ENOMEM;
}

void weir_parameters_free(weir_parameter *parameters)
{
    memory_free(parameters);
}
