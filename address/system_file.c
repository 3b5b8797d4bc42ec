/* SPDX-License-Identifier: MIT */
#include "address/system_file.h"

#include <errno.h>
#include <string.h>

#include "address/words.h"
#include "base/error.h"
#include "base/memory.h"

/* Where lines of a file go. */
struct reading {
    struct inet_config *config;
    const char *path;
    struct lookup_list lookup; /* of the line, or of the lines so far */
    int problem;               /* of a line that was left out */
};

/* Takes a line. 0, or -ENOMEM; -EINVAL: it says nothing that can be understood. */
typedef int read_line(struct reading *reading, const struct words *words);

struct system_file {
    const char *type;
    read_line *read_line;
    bool lines_add_up; /* to one list of methods */
};

/* The address that a line of a hosts file begins with. 1, 0: left out, for it has a scope; -EINVAL.
 */
static int read_host_address(char *word, weir_address *address)
{
    char *percent = strchr(word, '%');
    if (percent)
        *percent = '\0';
    if (weir_address_parse(word, address) < 0)
        return -EINVAL;
    return !percent;
}

static int add_host(struct host_table *hosts, enum host_adding adding, const struct words *words)
{
    weir_address address;
    if (words->count < 2)
        return -EINVAL;
    int result = read_host_address(words->words[0], &address);
    if (result <= 0)
        return result;
    return host_table_add(hosts, adding, &address, (const char *const *)words->words + 1,
                          words->count - 1);
}

static int read_host(struct reading *reading, const struct words *words)
{
    return add_host(&reading->config->hosts, HOST_REPLACE, words);
}

/* The server that a line names. One more than there may be is left out. */
static int read_server(const struct words *words, weir_address *server)
{
    if (weir_address_parse(words->words[1], server) < 0)
        return -EINVAL;
    server->port = 53;
    return 0;
}

static int add_server(struct server_list *list, const struct words *words)
{
    weir_address server;
    if (read_server(words, &server) < 0 || server_list_add(list, &server) < 0)
        return -EINVAL;
    return 0;
}

static int add_search(struct text_list *list, const char *domain)
{
    if (!name_is_visible(domain))
        return -EINVAL;
    text_list_remove(list, domain);
    return text_list_append(list, domain);
}

static int add_searches(struct text_list *list, const struct words *words)
{
    int result = 0;
    for (size_t i = 1; result == 0 && i < words->count; i++)
        result = add_search(list, words->words[i]);
    return result;
}

static bool begins(const struct words *words, const char *keyword, size_t count)
{
    return strcmp(words->words[0], keyword) == 0 && (count == 0 || words->count == count);
}

/* Methods as lines of files have them, also with commas between. */
static void add_methods(struct lookup_list *list, const struct words *words, size_t first)
{
    for (size_t i = first; i < words->count; i++) {
        char *rest = words->words[i];
        for (char *name = strsep(&rest, ","); name; name = strsep(&rest, ","))
            (void)lookup_list_add(list, name);
    }
}

static int read_resolv(struct reading *reading, const struct words *words)
{
    struct inet_config *config = reading->config;
    if (begins(words, "domain", 2))
        return name_is_visible(words->words[1])
                   ? inet_config_set_text(config, INET_DOMAIN, words->words[1])
                   : -EINVAL;
    if (begins(words, "nameserver", 2))
        return add_server(&config->nameservers, words);
    if (begins(words, "search", 0))
        return add_searches(&config->search, words);
    if (begins(words, "lookup", 0)) {
        config->lookup.count = 0;
        add_methods(&config->lookup, words, 1);
    }
    return 0;
}

static int read_host_conf_linux(struct reading *reading, const struct words *words)
{
    if (!begins(words, "order", 0))
        return 0;
    reading->config->lookup.count = 0;
    add_methods(&reading->config->lookup, words, 1);
    return 0;
}

static int read_host_conf_freebsd(struct reading *reading, const struct words *words)
{
    if (words->count != 1)
        return -EINVAL;
    return lookup_list_add(&reading->lookup, words->words[0]) < 0 ? -EINVAL : 0;
}

/* "continue" and "merge" name no method. */
static int read_host_conf_bsdos(struct reading *reading, const struct words *words)
{
    if (begins(words, "hosts", 0))
        add_methods(&reading->lookup, words, 1);
    return 0;
}

/* Methods that weir has, or that only change what it would do anyway. */
static bool is_ours(const char *method)
{
    static const char *const ours[] = {"files", "dns", "resolve", "myhostname"};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (strcmp(method, ours[i]) == 0)
            return true;
    return *method == '[';
}

/* Where the system asks others too, the C library knows how. */
static int read_nsswitch(struct reading *reading, const struct words *words)
{
    struct lookup_list *lookup = &reading->config->lookup;
    bool ours = true;
    if (!begins(words, "hosts:", 0))
        return 0;
    for (size_t i = 1; i < words->count; i++)
        ours = ours && is_ours(words->words[i]);
    lookup->count = 0;
    if (!ours)
        return lookup_list_add(lookup, "native");
    add_methods(lookup, words, 1);
    return 0;
}

static const struct system_file types[] = {
    {"hosts", read_host, false},
    {"resolv", read_resolv, false},
    {"host_conf_linux", read_host_conf_linux, false},
    {"host_conf_freebsd", read_host_conf_freebsd, true},
    {"host_conf_bsdos", read_host_conf_bsdos, true},
    {"nsswitch_conf", read_nsswitch, false},
};

const struct system_file *system_file_find(const char *type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].type, type) == 0)
            return &types[i];
    return NULL;
}

static int read_lines(const struct system_file *file, struct reading *reading, char *text)
{
    struct words words = {.text = text};
    int result;
    while ((result = words_next(&words)) > 0) {
        result = file->read_line(reading, &words);
        if (result == -EINVAL)
            reading->problem =
                error_say(-EINVAL, "file %s, line %zu: left out, for it is none of this type",
                          reading->path, words.line);
        else if (result < 0)
            break;
    }
    words_free(&words);
    return result;
}

int system_file_load(const struct system_file *file, struct inet_config *config, const char *path)
{
    struct reading reading = {.config = config, .path = path};
    char *text;
    int result = read_whole_file(path, &text);
    if (result < 0)
        return result;
    result = read_lines(file, &reading, text);
    memory_free(text);
    if (result == 0 && file->lines_add_up)
        config->lookup = reading.lookup;
    return result < 0 ? result : reading.problem;
}

int hosts_file_read(char *text, struct host_table *hosts)
{
    struct words words = {.text = text};
    int result;
    while ((result = words_next(&words)) > 0) {
        result = add_host(hosts, HOST_MERGE, &words);
        if (result == -ENOMEM)
            break;
    }
    words_free(&words);
    return result;
}

/* A server that is named twice is asked twice. */
static void append_server(struct server_list *list, const struct words *words)
{
    if (list->count < SERVERS_MAX && read_server(words, &list->servers[list->count]) == 0)
        list->count++;
}

/* Of several lines with search domains the last one counts, and "domain" is one such line. */
static int apply_resolv_line(const struct words *words, struct text_list *search,
                             struct server_list *nameservers)
{
    bool searches = begins(words, "search", 0) || begins(words, "domain", 2);
    if (searches)
        text_list_clear(search);
    for (size_t i = 1; searches && i < words->count; i++)
        if (name_is_visible(words->words[i]) && text_list_append(search, words->words[i]) < 0)
            return -ENOMEM;
    if (begins(words, "nameserver", 2))
        append_server(nameservers, words);
    return 0;
}

int resolv_conf_apply(char *text, struct text_list *search, struct server_list *nameservers)
{
    struct words words = {.text = text};
    int result;
    text_list_clear(search);
    nameservers->count = 0;
    while ((result = words_next(&words)) > 0) {
        result = apply_resolv_line(&words, search, nameservers);
        if (result == -ENOMEM)
            break;
    }
    words_free(&words);
    return result;
}
