/* SPDX-License-Identifier: MIT */
/* Messages of DNS as tests need them: answers put together, and questions taken apart. */
#ifndef SUPPORT_DNS_MESSAGE_H
#define SUPPORT_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNS_MESSAGE_SIZE_MAX = 65535 };

struct dns_message {
    size_t size;
    uint8_t bytes[DNS_MESSAGE_SIZE_MAX];
};

struct dns_question {
    uint16_t id;
    char name[512]; /* as text, without a dot at the end */
    uint16_t type;
    bool edns;
    uint16_t payload_size; /* with EDNS */
    size_t size;           /* of the header and the question in the message */
};

/* False: it is none. */
bool dns_question_read(struct dns_question *question, const uint8_t *bytes, size_t size);

/* An answer without records to a question for `name`. */
void dns_answer_begin(struct dns_message *message, uint16_t id, const char *name, uint16_t type,
                      unsigned code);
void dns_answer_truncated(struct dns_message *message);

/* One record more in the answer section. */
void dns_answer_add(struct dns_message *message, const char *owner, uint16_t type, uint32_t ttl_s,
                    const void *data, size_t size);
void dns_answer_add_a(struct dns_message *message, const char *owner, uint32_t ttl_s,
                      const char *address);
void dns_answer_add_aaaa(struct dns_message *message, const char *owner, uint32_t ttl_s,
                         const char *address);
void dns_answer_add_name(struct dns_message *message, const char *owner, uint16_t type,
                         uint32_t ttl_s, const char *target);

/* All of it, of a socket that waits. False: it was closed. */
bool dns_read_all(int fd, uint8_t *bytes, size_t size);
bool dns_write_all(int fd, const uint8_t *bytes, size_t size);

#endif
