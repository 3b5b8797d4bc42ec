/* SPDX-License-Identifier: MIT */
#include "dns/answer.h"

#include <arpa/nameser.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "dns/zone.h"

enum {
    HEADER_BYTES = 12,
    OPT_BYTES = 11,
    RECORD_BYTES = 10, /* of a record, behind its name */
    CHAIN_MOST = 16,
    CLASS_IN = 1,
    CLASS_ANY = 255,
};

enum { FLAG_RESPONSE = 0x80, FLAG_AUTHORITATIVE = 0x04, FLAG_TRUNCATED = 0x02, FLAG_DESIRED = 1 };

struct query {
    struct dns_name name;
    size_t question_size; /* name, type and class, as they came; 0: it was not understood */
    uint16_t type;
    uint16_t class_;
    bool has_edns;
    uint8_t edns_version;
    uint16_t edns_size;
};

struct writer {
    uint8_t *bytes;
    size_t size;
    size_t most;
    uint16_t count; /* of answers */
    bool full;
};

/* Reading. */

/* How many bytes a record's name takes, which may end by a pointer; 0: it is none. */
static size_t skip_name(const uint8_t *bytes, size_t size)
{
    enum { POINTER = 0xC0, POINTER_BYTES = 2 };
    size_t at = 0;
    while (at < size && bytes[at] != 0) {
        if (bytes[at] >= POINTER)
            return size - at >= POINTER_BYTES ? at + POINTER_BYTES : 0;
        if (bytes[at] > DNS_LABEL_BYTES_MAX)
            return 0;
        at += bytes[at] + 1u;
    }
    return at < size ? at + 1 : 0;
}

/* A name, type, class, seconds and data. 0: it is none, or a second OPT. */
static size_t read_record(struct query *query, const uint8_t *bytes, size_t size)
{
    enum { TYPE_AT = 0, CLASS_AT = 2, VERSION_AT = 5, SIZE_AT = 8 };
    size_t name_size = skip_name(bytes, size);
    if (name_size == 0 || size - name_size < RECORD_BYTES)
        return 0;
    const uint8_t *record = bytes + name_size;
    size_t data_size = bytes_read_be16(record + SIZE_AT);
    if (size - name_size - RECORD_BYTES < data_size)
        return 0;
    if (bytes_read_be16(record + TYPE_AT) == ns_t_opt) {
        if (query->has_edns || name_size != 1)
            return 0;
        query->has_edns = true;
        query->edns_size = (uint16_t)bytes_read_be16(record + CLASS_AT);
        query->edns_version = record[VERSION_AT];
    }
    return name_size + RECORD_BYTES + data_size;
}

static ns_rcode read_query(struct query *query, const uint8_t *bytes, size_t size)
{
    enum { QUESTIONS_AT = 4, RECORDS_AT = 6, TYPE_AND_CLASS = 4 };
    uint32_t count = 0;
    size_t at = HEADER_BYTES;
    if (bytes_read_be16(bytes + QUESTIONS_AT) != 1)
        return ns_r_formerr;
    size_t name_size = dns_name_take(&query->name, bytes + at, size - at);
    at += name_size;
    if (name_size == 0 || size - at < TYPE_AND_CLASS)
        return ns_r_formerr;
    query->type = (uint16_t)bytes_read_be16(bytes + at);
    query->class_ = (uint16_t)bytes_read_be16(bytes + at + 2);
    at += TYPE_AND_CLASS;
    query->question_size = at - HEADER_BYTES;
    for (int section = 0; section < 3; section++)
        count += bytes_read_be16(bytes + RECORDS_AT + 2 * section);
    for (; count > 0; count--) {
        size_t record_size = read_record(query, bytes + at, size - at);
        if (record_size == 0)
            return ns_r_formerr;
        at += record_size;
    }
    return at == size ? ns_r_noerror : ns_r_formerr;
}

/* Writing. */

static void write_row(struct writer *writer, size_t name_at, const struct dns_row *row)
{
    enum { NAME_BYTES = 2, POINTER = 0xC000 };
    size_t size = NAME_BYTES + RECORD_BYTES + row->size;
    uint8_t *bytes = writer->bytes + writer->size;
    if (writer->full || writer->most - writer->size < size) {
        writer->full = true;
        return;
    }
    bytes_write_be16(bytes, POINTER | (uint32_t)name_at);
    bytes_write_be16(bytes + 2, row->type);
    bytes_write_be16(bytes + 4, CLASS_IN);
    bytes_write_be32(bytes + 6, row->ttl_s);
    bytes_write_be16(bytes + 10, row->size);
    memcpy(bytes + NAME_BYTES + RECORD_BYTES, row->data, row->size);
    writer->size += size;
    writer->count++;
}

static void write_rows(struct writer *writer, size_t name_at, const struct dns_node *node,
                       uint16_t type)
{
    for (const struct dns_row *row = node->rows; row; row = row->next)
        if (row->type == type || type == ns_t_any)
            write_row(writer, name_at, row);
}

/* The alias that the name is, for who has not asked for that. */
static const struct dns_row *alias_of(const struct dns_node *node, uint16_t type)
{
    const struct dns_row *row = node->rows;
    return row && row->type == ns_t_cname && type != ns_t_cname && type != ns_t_any ? row : NULL;
}

/* Aliases are followed as long as they lead to names that are known here. Each stands where a
 * pointer reaches: there are few, and they come first. */
static ns_rcode write_answers(struct writer *writer, const struct dns_zone *zone,
                              const struct query *query)
{
    struct dns_name name = query->name;
    size_t name_at = HEADER_BYTES;
    for (int i = 0; i < CHAIN_MOST; i++) {
        const struct dns_node *node = dns_zone_find(zone, &name);
        if (!node)
            return ns_r_nxdomain;
        const struct dns_row *alias = alias_of(node, query->type);
        if (!alias) {
            write_rows(writer, name_at, node, query->type);
            return ns_r_noerror;
        }
        write_row(writer, name_at, alias);
        name_at = writer->size - alias->size;
        (void)dns_name_take(&name, alias->data, alias->size);
        if (writer->full || !dns_zone_has(zone, &name))
            return ns_r_noerror;
    }
    return ns_r_noerror;
}

static void write_opt(struct writer *writer, ns_rcode rcode)
{
    enum { RCODE_BITS = 4 };
    uint8_t *bytes = writer->bytes + writer->size;
    memset(bytes, 0, OPT_BYTES);
    bytes_write_be16(bytes + 1, ns_t_opt);
    bytes_write_be16(bytes + 3, DNS_EDNS_BYTES);
    bytes[5] = (uint8_t)(rcode >> RCODE_BITS);
    writer->size += OPT_BYTES;
}

static ns_rcode judge(const struct dns_zone *zone, const struct query *query)
{
    if (query->has_edns && query->edns_version > 0)
        return ns_r_badvers;
    if (query->class_ != CLASS_IN && query->class_ != CLASS_ANY)
        return ns_r_refused;
    return dns_zone_has(zone, &query->name) ? ns_r_noerror : ns_r_refused;
}

static size_t most_bytes(const struct query *query, size_t room, bool datagram)
{
    size_t most = query->edns_size > DNS_DATAGRAM_BYTES ? query->edns_size : DNS_DATAGRAM_BYTES;
    if (most > DNS_EDNS_BYTES)
        most = DNS_EDNS_BYTES;
    return datagram && most < room ? most : room;
}

static void write_header(struct writer *writer, const uint8_t *question, uint8_t flags,
                         ns_rcode rcode)
{
    enum { OPCODE_AND_DESIRED = 0x78 | FLAG_DESIRED, RCODE = 0x0F };
    memcpy(writer->bytes, question, 2);
    writer->bytes[2] = (uint8_t)(FLAG_RESPONSE | flags | (question[2] & OPCODE_AND_DESIRED));
    writer->bytes[3] = (uint8_t)(rcode & RCODE);
    bytes_write_be16(writer->bytes + 6, writer->count);
}

/* What is not known to be whole is left out whole. */
static uint8_t empty_if_full(struct writer *writer, size_t begin)
{
    if (!writer->full)
        return 0;
    writer->size = begin;
    writer->count = 0;
    return FLAG_TRUNCATED;
}

size_t dns_answer(const struct dns_zone *zone, const uint8_t *question, size_t size,
                  uint8_t *answer, size_t room, bool datagram)
{
    struct query query = {0};
    uint8_t flags = 0;
    if (size < HEADER_BYTES || (question[2] & FLAG_RESPONSE) || room < DNS_DATAGRAM_BYTES)
        return 0;
    bool is_query = (question[2] & 0x78) == 0;
    ns_rcode rcode = is_query ? read_query(&query, question, size) : ns_r_notimpl;
    struct writer writer = {.bytes = answer, .size = HEADER_BYTES + query.question_size};
    writer.most = most_bytes(&query, room, datagram) - (query.has_edns ? OPT_BYTES : 0);
    memset(answer, 0, HEADER_BYTES);
    memcpy(answer + HEADER_BYTES, question + HEADER_BYTES, query.question_size);
    bytes_write_be16(answer + 4, query.question_size > 0);
    if (rcode == ns_r_noerror)
        rcode = judge(zone, &query);
    if (rcode == ns_r_noerror) {
        rcode = write_answers(&writer, zone, &query);
        flags = FLAG_AUTHORITATIVE | empty_if_full(&writer, HEADER_BYTES + query.question_size);
    }
    write_header(&writer, question, flags, rcode);
    if (query.has_edns) {
        write_opt(&writer, rcode);
        bytes_write_be16(answer + 10, 1);
    }
    return writer.size;
}
