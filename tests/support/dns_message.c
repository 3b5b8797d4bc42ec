/* SPDX-License-Identifier: MIT */
#include "support/dns_message.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { HEADER_SIZE = 12, ANSWER_COUNT_AT = 6, QUESTION_TAIL = 4, OPT_SIZE = 11, TYPE_OPT = 41 };

static unsigned read16(const uint8_t *bytes)
{
    return (unsigned)(bytes[0] << 8 | bytes[1]);
}

static void write16(uint8_t *bytes, unsigned value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

/* Without pointers, as questions are. Where it ends, 0: nowhere. */
static size_t read_name(const uint8_t *bytes, size_t size, size_t at, char *text, size_t room)
{
    size_t length = 0;
    *text = '\0';
    while (at < size && bytes[at] > 0) {
        size_t label = bytes[at++];
        if (label > 63 || at + label > size || length + label + 2 > room)
            return 0;
        if (length > 0)
            text[length++] = '.';
        memcpy(text + length, bytes + at, label);
        length += label;
        text[length] = '\0';
        at += label;
    }
    return at < size ? at + 1 : 0;
}

bool dns_question_read(struct dns_question *question, const uint8_t *bytes, size_t size)
{
    if (size < HEADER_SIZE || (bytes[2] & 0x80) || read16(bytes + 4) != 1)
        return false;
    size_t at = read_name(bytes, size, HEADER_SIZE, question->name, sizeof(question->name));
    if (at == 0 || at + QUESTION_TAIL > size)
        return false;
    question->id = (uint16_t)read16(bytes);
    question->type = (uint16_t)read16(bytes + at);
    question->size = at + QUESTION_TAIL;
    const uint8_t *opt = bytes + question->size;
    question->edns = question->size + OPT_SIZE <= size && read16(opt + 1) == TYPE_OPT;
    question->payload_size = question->edns ? (uint16_t)read16(opt + 3) : 512;
    return true;
}

static void put(struct dns_message *message, const void *bytes, size_t size)
{
    if (message->size + size > DNS_MESSAGE_SIZE_MAX) {
        fprintf(stderr, "a message of DNS that is too large\n");
        abort();
    }
    memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

static void put16(struct dns_message *message, unsigned value)
{
    uint8_t bytes[2];
    write16(bytes, value);
    put(message, bytes, sizeof(bytes));
}

/* Labels with the dots between them; "" and "." are the root. */
static void put_name(struct dns_message *message, const char *name)
{
    while (*name && strcmp(name, ".") != 0) {
        uint8_t length = (uint8_t)strcspn(name, ".");
        put(message, &length, 1);
        put(message, name, length);
        name += length + (name[length] == '.');
    }
    put(message, "", 1);
}

void dns_answer_begin(struct dns_message *message, uint16_t id, const char *name, uint16_t type,
                      unsigned code)
{
    message->size = 0;
    put16(message, id);
    put16(message, 0x8180 | code); /* an answer, recursion wanted and available */
    put16(message, 1);
    put(message, "\0\0\0\0\0\0", 6);
    put_name(message, name);
    put16(message, type);
    put16(message, 1);
}

void dns_answer_truncated(struct dns_message *message)
{
    message->bytes[2] |= 0x02;
}

void dns_answer_add(struct dns_message *message, const char *owner, uint16_t type, uint32_t ttl_s,
                    const void *data, size_t size)
{
    put_name(message, owner);
    put16(message, type);
    put16(message, 1);
    put16(message, ttl_s >> 16);
    put16(message, ttl_s & 0xffff);
    put16(message, (unsigned)size);
    put(message, data, size);
    write16(message->bytes + ANSWER_COUNT_AT, read16(message->bytes + ANSWER_COUNT_AT) + 1);
}

void dns_answer_add_a(struct dns_message *message, const char *owner, uint32_t ttl_s,
                      const char *address)
{
    uint8_t bytes[4];
    inet_pton(AF_INET, address, bytes);
    dns_answer_add(message, owner, 1, ttl_s, bytes, sizeof(bytes));
}

void dns_answer_add_aaaa(struct dns_message *message, const char *owner, uint32_t ttl_s,
                         const char *address)
{
    uint8_t bytes[16];
    inet_pton(AF_INET6, address, bytes);
    dns_answer_add(message, owner, 28, ttl_s, bytes, sizeof(bytes));
}

void dns_answer_add_name(struct dns_message *message, const char *owner, uint16_t type,
                         uint32_t ttl_s, const char *target)
{
    struct dns_message *name = calloc(1, sizeof(*name));
    if (!name)
        abort();
    put_name(name, target);
    dns_answer_add(message, owner, type, ttl_s, name->bytes, name->size);
    free(name);
}

bool dns_read_all(int fd, uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = recv(fd, bytes + done, size - done, 0);
        if (count <= 0)
            return false;
        done += (size_t)count;
    }
    return true;
}

bool dns_write_all(int fd, const uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = send(fd, bytes + done, size - done, MSG_NOSIGNAL);
        if (count <= 0)
            return false;
        done += (size_t)count;
    }
    return true;
}
