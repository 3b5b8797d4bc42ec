/* SPDX-License-Identifier: MIT */
#include "lookup/answer.h"

#include <errno.h>
#include <string.h>

#include "address/hostent.h"
#include "address/name.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"

enum {
    HEADER_SIZE = 12,
    RECORD_FIXED_SIZE = 10, /* type, class, ttl, size of the data */
    QUESTION_FIXED_SIZE = 4,
    CLASS_IN = 1,
    POINTERS_MAX = 32, /* in one name */
    CHAIN_MAX = 16,    /* CNAMEs one behind the other */
    /* All that fit in 64 KiB, if each is as small as an address. */
    ADDRESSES_MAX = 4096,
};

enum { NAME_SIZE = 2 * NAME_TEXT_SIZE }; /* as text, every byte with a backslash */

struct record {
    size_t name; /* where its owner's stands in the message */
    uint16_t type;
    uint16_t class;
    uint32_t ttl_s;
    size_t data;
    uint16_t data_size;
};

int answer_read(struct answer *answer, const void *bytes, size_t size)
{
    const uint8_t *head = bytes;
    if (size < HEADER_SIZE || !(head[2] & 0x80))
        return error_say(-EBADMSG, "a name server's answer is none");
    *answer = (struct answer){
        .bytes = bytes,
        .size = size,
        .code = (ns_rcode)(head[3] & 0x0f),
        .truncated = head[2] & 0x02,
        .question_count = (uint16_t)bytes_read_be16(head + 4),
        .record_count = (uint16_t)bytes_read_be16(head + 6),
    };
    return 0;
}

/* Text of a name while it is put together. */
struct name_text {
    char *text; /* NULL: nobody wants it */
    size_t length;
    size_t wire_size;
};

/* A dot or backslash within a label is escaped; a NUL is in no name that can be text. */
static bool put_label(struct name_text *name, const uint8_t *label, size_t size)
{
    name->wire_size += size + 1;
    if (name->wire_size > NAME_TEXT_SIZE || memchr(label, '\0', size))
        return false;
    if (!name->text)
        return true;
    if (name->length > 0)
        name->text[name->length++] = '.';
    for (size_t i = 0; i < size; i++) {
        if (label[i] == '.' || label[i] == '\\')
            name->text[name->length++] = '\\';
        name->text[name->length++] = (char)label[i];
    }
    name->text[name->length] = '\0';
    return true;
}

/* The name at `*position`, which moves behind it. `text`, of NAME_SIZE bytes, may be NULL. */
static bool take_name(const struct answer *answer, size_t *position, char *text)
{
    struct name_text name = {.text = text};
    size_t at = *position;
    int pointers = 0;
    if (text)
        *text = '\0';
    for (;;) {
        if (at >= answer->size)
            return false;
        uint8_t size = answer->bytes[at];
        if (size == 0 && pointers == 0)
            *position = at + 1;
        if (size == 0)
            return true;
        if (size >= 0xc0) {
            if (at + 2 > answer->size || pointers++ == POINTERS_MAX)
                return false;
            if (pointers == 1)
                *position = at + 2;
            at = bytes_read_be16(answer->bytes + at) & 0x3fff;
            continue;
        }
        if (size > NAME_LABEL_MAX || at + 1 + size > answer->size ||
            !put_label(&name, answer->bytes + at + 1, size))
            return false;
        at += 1 + (size_t)size;
    }
}

static bool skip_questions(const struct answer *answer, size_t *position)
{
    for (uint16_t i = 0; i < answer->question_count; i++) {
        if (!take_name(answer, position, NULL))
            return false;
        *position += QUESTION_FIXED_SIZE;
    }
    return true;
}

static bool take_record(const struct answer *answer, size_t *position, struct record *record)
{
    record->name = *position;
    if (!take_name(answer, position, NULL) || *position + RECORD_FIXED_SIZE > answer->size)
        return false;
    const uint8_t *fixed = answer->bytes + *position;
    record->type = (uint16_t)bytes_read_be16(fixed);
    record->class = (uint16_t)bytes_read_be16(fixed + 2);
    record->ttl_s = bytes_read_be32(fixed + 4);
    record->data_size = (uint16_t)bytes_read_be16(fixed + 8);
    record->data = *position + RECORD_FIXED_SIZE;
    *position = record->data + record->data_size;
    return *position <= answer->size;
}

/* What is being looked for among the records, and what has been found. */
struct search {
    const struct answer *answer;
    ns_type type;
    char name[NAME_SIZE]; /* which the chain has come to */
    char chain[CHAIN_MAX][NAME_SIZE];
    size_t chain_count;
    weir_address *addresses;
    size_t address_count;
    char found_name[NAME_SIZE];
    size_t name_count; /* of PTRs */
    char next[NAME_SIZE];
    size_t next_count; /* CNAMEs of the name */
    uint32_t ttl_s;
};

static bool is_of(const struct search *search, const struct record *record)
{
    char owner[NAME_SIZE];
    size_t position = record->name;
    return record->class == CLASS_IN && take_name(search->answer, &position, owner) &&
           name_equals(owner, search->name);
}

static bool take_data_name(const struct search *search, const struct record *record, char *name)
{
    size_t position = record->data;
    return take_name(search->answer, &position, name) &&
           position <= record->data + record->data_size;
}

/* An address of another size than its type's is no answer. */
static bool take_address(struct search *search, const struct record *record)
{
    bool inet = search->type == ns_t_a;
    if (record->data_size != (inet ? 4 : 16))
        return false;
    if (search->address_count == ADDRESSES_MAX)
        return true;
    weir_address *address = &search->addresses[search->address_count++];
    *address = (weir_address){.family = inet ? WEIR_INET : WEIR_INET6};
    memcpy(address->bytes, search->answer->bytes + record->data, record->data_size);
    return true;
}

static bool take_data(struct search *search, const struct record *record)
{
    if (record->ttl_s < search->ttl_s)
        search->ttl_s = record->ttl_s;
    if (record->type == ns_t_cname) {
        search->next_count++;
        return take_data_name(search, record, search->next);
    }
    if (record->type == ns_t_ptr) {
        search->name_count++;
        return take_data_name(search, record, search->found_name);
    }
    return take_address(search, record);
}

/* Everything that the answer has of the present name. */
static bool look_through(struct search *search)
{
    size_t position = HEADER_SIZE;
    search->next_count = 0;
    if (!skip_questions(search->answer, &position))
        return false;
    for (uint16_t i = 0; i < search->answer->record_count; i++) {
        struct record record;
        if (!take_record(search->answer, &position, &record))
            return false;
        bool wanted = record.type == search->type || record.type == ns_t_cname;
        if (wanted && is_of(search, &record) && !take_data(search, &record))
            return false;
    }
    return true;
}

/* One CNAME further. A chain that branches leads to nothing, nor does one that is too long, as
 * those are that loop. */
static bool follow(struct search *search)
{
    if (search->next_count != 1 || search->chain_count == CHAIN_MAX)
        return false;
    memcpy(search->chain[search->chain_count++], search->name, NAME_SIZE);
    memcpy(search->name, search->next, NAME_SIZE);
    return true;
}

static int run(struct search *search)
{
    for (;;) {
        if (!look_through(search))
            return error_say(-EBADMSG, "a name server's answer is malformed");
        if (search->address_count > 0 || search->name_count > 0)
            return 0;
        if (!follow(search))
            return error_say(WEIR_NXDOMAIN, "host '%s': the name server's answer has nothing of it",
                             search->name);
    }
}

/* The names that were asked for and led on, the last first. */
static weir_hostent *host_of(const struct search *search)
{
    const char *aliases[CHAIN_MAX];
    for (size_t i = 0; i < search->chain_count; i++)
        aliases[i] = search->chain[search->chain_count - 1 - i];
    return hostent_create(search->name, aliases, search->chain_count, search->addresses,
                          search->address_count);
}

static int make_hostent(const struct search *search, const weir_address *address,
                        weir_hostent **hostent)
{
    if (search->name_count > 1)
        return error_say(WEIR_NXDOMAIN, "the address has more than one name");
    *hostent = search->name_count == 1 ? hostent_create(search->found_name, NULL, 0, address, 1)
                                       : host_of(search);
    return *hostent ? 0 : -ENOMEM;
}

int answer_find(const struct answer *answer, const char *name, ns_type type,
                const weir_address *address, weir_hostent **hostent, uint32_t *ttl_s)
{
    struct search *search = memory_allocate_zeroed(1, sizeof(*search));
    size_t count = answer->record_count < ADDRESSES_MAX ? answer->record_count : ADDRESSES_MAX;
    if (!search)
        return -ENOMEM;
    search->answer = answer;
    search->type = type;
    search->ttl_s = UINT32_MAX;
    search->addresses = memory_allocate(count * sizeof(weir_address) + 1);
    memcpy(search->name, name, strnlen(name, NAME_SIZE - 1));
    int result = search->addresses ? run(search) : -ENOMEM;
    if (result == 0)
        result = make_hostent(search, address, hostent);
    *ttl_s = search->ttl_s;
    memory_free(search->addresses);
    memory_free(search);
    return result;
}
