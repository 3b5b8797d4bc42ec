/* SPDX-License-Identifier: MIT */
#include "dns/zone.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { PLACES = 1024, TTL_S = 300, TTL_S_MAX = INT32_MAX, DATA_BYTES_MAX = 4096 };

struct origin {
    struct origin *next;
    struct dns_name name;
};

struct dns_zone {
    struct dns_node *places[PLACES];
    struct origin *origins; /* the last one first */
};

/* A word of a line, and where it stands. */
struct word {
    const char *text;
    size_t size;
    bool is_quoted;
};

struct reader {
    struct dns_zone *zone;
    const char *line; /* its first byte */
    const char *at;
    const char *end; /* of the line */
    uint32_t line_number;
    uint32_t ttl_s;
    bool has_name;
    struct dns_name name; /* of the last row */
};

static int wrong(const struct reader *reader, const char *at, const char *what)
{
    return error_say(-EINVAL, "%u:%u: %s", reader->line_number, (unsigned)(at - reader->line) + 1,
                     what);
}

static uint32_t place_of(const struct dns_name *name)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name->size; i++)
        hash = (hash ^ name->bytes[i]) * 16777619u;
    return hash % PLACES;
}

const struct dns_node *dns_zone_find(const struct dns_zone *zone, const struct dns_name *name)
{
    const struct dns_node *node = zone->places[place_of(name)];
    while (node && !dns_name_equal(&node->name, name))
        node = node->next;
    return node;
}

bool dns_zone_has(const struct dns_zone *zone, const struct dns_name *name)
{
    const struct origin *origin = zone->origins;
    while (origin && !dns_name_is_within(name, &origin->name))
        origin = origin->next;
    return origin != NULL;
}

static struct dns_node *make_node(struct dns_zone *zone, const struct dns_name *name)
{
    struct dns_node *node = (struct dns_node *)dns_zone_find(zone, name);
    if (node)
        return node;
    node = memory_allocate_zeroed(1, sizeof(*node));
    if (!node)
        return NULL;
    struct dns_node **place = &zone->places[place_of(name)];
    node->name = *name;
    node->next = *place;
    *place = node;
    return node;
}

/* With those above it: they are there, without rows, in whichever zone they come to be. */
static struct dns_node *make_nodes(struct dns_zone *zone, const struct dns_name *name)
{
    struct dns_node *node = make_node(zone, name);
    struct dns_name above = *name;
    struct dns_name parent;
    while (node && dns_name_parent(&above, &parent)) {
        if (!make_node(zone, &parent))
            return NULL;
        above = parent;
    }
    return node;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && is_blank(*reader->at))
        reader->at++;
    if (reader->at < reader->end && *reader->at == ';')
        reader->at = reader->end;
}

/* False: there is none, or a quote has no end. */
static bool take_word(struct reader *reader, struct word *word)
{
    skip_blanks(reader);
    *word = (struct word){.text = reader->at};
    if (reader->at == reader->end)
        return false;
    if (*reader->at == '"') {
        const char *end = memchr(reader->at + 1, '"', (size_t)(reader->end - reader->at - 1));
        if (!end)
            return false;
        *word = (struct word){reader->at + 1, (size_t)(end - reader->at - 1), true};
        reader->at = end + 1;
        return true;
    }
    while (reader->at < reader->end && !is_blank(*reader->at) && *reader->at != ';')
        reader->at++;
    word->size = (size_t)(reader->at - word->text);
    return true;
}

static bool is_word(const struct word *word, const char *text)
{
    return !word->is_quoted && word->size == strlen(text) &&
           strncasecmp(word->text, text, word->size) == 0;
}

static bool read_seconds(const struct word *word, uint32_t *seconds)
{
    uint64_t value = 0;
    for (size_t i = 0; i < word->size; i++) {
        if (word->text[i] < '0' || word->text[i] > '9' || value > TTL_S_MAX)
            return false;
        value = value * 10 + (uint64_t)(word->text[i] - '0');
    }
    *seconds = (uint32_t)value;
    return word->size > 0 && !word->is_quoted && value <= TTL_S_MAX;
}

/* Values: the bytes of each type. */

struct value {
    size_t size;
    uint8_t bytes[DATA_BYTES_MAX];
};

static int read_address(struct reader *reader, struct value *value, int family)
{
    struct word word;
    char text[INET6_ADDRSTRLEN] = "";
    if (take_word(reader, &word) && word.size < sizeof(text))
        memcpy(text, word.text, word.size);
    if (inet_pton(family, text, value->bytes) != 1)
        return wrong(reader, word.text,
                     family == AF_INET ? "an IPv4 address is expected"
                                       : "an IPv6 address is expected");
    value->size = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
    return 0;
}

static const struct dns_name *origin_of(const struct reader *reader)
{
    return reader->zone->origins ? &reader->zone->origins->name : NULL;
}

static int read_name(struct reader *reader, struct dns_name *name)
{
    struct word word;
    if (!take_word(reader, &word))
        return wrong(reader, word.text, "a name is expected");
    const char *what = dns_name_read(name, word.text, word.size, origin_of(reader));
    return what ? wrong(reader, word.text, what) : 0;
}

static int read_target(struct reader *reader, struct value *value)
{
    struct dns_name name;
    int result = read_name(reader, &name);
    if (result < 0)
        return result;
    value->size = name.size;
    memcpy(value->bytes, name.bytes, name.size);
    return 0;
}

static int read_texts(struct reader *reader, struct value *value)
{
    struct word word;
    value->size = 0;
    while (take_word(reader, &word)) {
        if (word.size > UINT8_MAX)
            return wrong(reader, word.text, "a text of more than 255 bytes");
        if (value->size + word.size + 1 > DATA_BYTES_MAX)
            return wrong(reader, word.text, "more text than 4096 bytes");
        value->bytes[value->size++] = (uint8_t)word.size;
        memcpy(value->bytes + value->size, word.text, word.size);
        value->size += word.size;
    }
    if (reader->at < reader->end)
        return wrong(reader, reader->at, "a quote without an end");
    return value->size > 0 ? 0 : wrong(reader, reader->at, "a text is expected");
}

static int read_value(struct reader *reader, uint16_t type, struct value *value)
{
    switch (type) {
    case ns_t_a:
        return read_address(reader, value, AF_INET);
    case ns_t_aaaa:
        return read_address(reader, value, AF_INET6);
    case ns_t_txt:
        return read_texts(reader, value);
    default:
        return read_target(reader, value);
    }
}

static const struct {
    const char *name;
    uint16_t type;
} types[] = {
    {"A", ns_t_a}, {"AAAA", ns_t_aaaa}, {"CNAME", ns_t_cname}, {"PTR", ns_t_ptr}, {"TXT", ns_t_txt},
};

static uint16_t type_of(const struct word *word)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (is_word(word, types[i].name))
            return types[i].type;
    return 0;
}

/* An alias has nothing else, and one of it. */
static bool may_stand_beside(const struct dns_node *node, uint16_t type)
{
    return !node->rows || (type != ns_t_cname && node->rows->type != ns_t_cname);
}

static int add_row(struct reader *reader, const struct dns_row *like, const struct value *value)
{
    struct dns_node *node = make_nodes(reader->zone, &reader->name);
    struct dns_row *row = node ? memory_allocate(sizeof(*row) + value->size) : NULL;
    if (!row)
        return error_say(-ENOMEM, "no memory for a zone");
    *row = *like;
    row->size = (uint16_t)value->size;
    memcpy(row->data, value->bytes, value->size);
    struct dns_row **end = &node->rows;
    while (*end)
        end = &(*end)->next;
    *end = row;
    return 0;
}

static int read_row(struct reader *reader)
{
    struct value value;
    struct word word;
    struct dns_row row = {.ttl_s = reader->ttl_s};
    bool there = take_word(reader, &word);
    if (there && read_seconds(&word, &row.ttl_s))
        there = take_word(reader, &word);
    if (there && is_word(&word, "IN"))
        there = take_word(reader, &word);
    row.type = there ? type_of(&word) : 0;
    if (row.type == 0)
        return wrong(reader, word.text, "A, AAAA, CNAME, PTR or TXT is expected");
    const struct dns_node *node = dns_zone_find(reader->zone, &reader->name);
    if (node && !may_stand_beside(node, row.type))
        return wrong(reader, word.text, "a name with a CNAME can have nothing else");
    int result = read_value(reader, row.type, &value);
    skip_blanks(reader);
    if (result == 0 && reader->at < reader->end)
        return wrong(reader, reader->at, "nothing is expected here");
    return result < 0 ? result : add_row(reader, &row, &value);
}

static int begin_zone(struct reader *reader)
{
    struct dns_name name;
    int result = read_name(reader, &name);
    if (result < 0)
        return result;
    struct origin *origin = memory_allocate(sizeof(*origin));
    if (!origin)
        return error_say(-ENOMEM, "no memory for a zone");
    *origin = (struct origin){reader->zone->origins, name};
    reader->zone->origins = origin;
    reader->has_name = false;
    return make_nodes(reader->zone, &name) ? 0 : error_say(-ENOMEM, "no memory for a zone");
}

static int read_directive(struct reader *reader)
{
    struct word word;
    bool there = take_word(reader, &word);
    if (there && is_word(&word, "$ORIGIN"))
        return begin_zone(reader);
    if (!there || !is_word(&word, "$TTL"))
        return wrong(reader, word.text, "$ORIGIN or $TTL is expected");
    there = take_word(reader, &word);
    return there && read_seconds(&word, &reader->ttl_s)
               ? 0
               : wrong(reader, word.text, "seconds from 0 to 2147483647 are expected");
}

static int read_named_row(struct reader *reader)
{
    const char *at = reader->at;
    if (!is_blank(*at)) {
        int result = read_name(reader, &reader->name);
        if (result < 0)
            return result;
        reader->has_name = true;
    }
    if (!reader->has_name)
        return wrong(reader, at, "a row without a name, and none before it");
    if (!dns_zone_has(reader->zone, &reader->name))
        return wrong(reader, at, "the name is in none of the zones that $ORIGIN has begun");
    return read_row(reader);
}

static int read_line(struct reader *reader)
{
    const char *begin = reader->at;
    skip_blanks(reader);
    if (reader->at == reader->end)
        return 0;
    reader->at = begin;
    return *begin == '$' ? read_directive(reader) : read_named_row(reader);
}

int dns_zone_read(struct dns_zone **zone, const char *text, size_t size)
{
    const char *end = text + size;
    struct reader reader = {.ttl_s = TTL_S};
    int result = 0;
    reader.zone = memory_allocate_zeroed(1, sizeof(*reader.zone));
    if (!reader.zone)
        return error_say(-ENOMEM, "no memory for a zone");
    while (text < end && result == 0) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        reader.line = reader.at = text;
        reader.end = newline ? newline : end;
        reader.line_number++;
        result = read_line(&reader);
        text = newline ? newline + 1 : end;
    }
    if (result < 0)
        dns_zone_free(reader.zone);
    else
        *zone = reader.zone;
    return result;
}

static void free_node(struct dns_node *node)
{
    while (node->rows) {
        struct dns_row *row = node->rows;
        node->rows = row->next;
        memory_free(row);
    }
    memory_free(node);
}

void dns_zone_free(struct dns_zone *zone)
{
    for (int i = 0; i < PLACES; i++) {
        while (zone->places[i]) {
            struct dns_node *node = zone->places[i];
            zone->places[i] = node->next;
            free_node(node);
        }
    }
    while (zone->origins) {
        struct origin *origin = zone->origins;
        zone->origins = origin->next;
        memory_free(origin);
    }
    memory_free(zone);
}
