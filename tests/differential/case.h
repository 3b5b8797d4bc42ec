/* SPDX-License-Identifier: MIT */
/* One case of the differential test: input for a packet type, mostly almost right. */
#ifndef CASE_H
#define CASE_H

#include "random.h"
#include <stddef.h>
#include <weir/packet.h>

enum { CASE_SIZE_MAX = 4096 };

struct test_case {
    struct random random;
    uint8_t bytes[CASE_SIZE_MAX];
    size_t size;
};

/* Bytes that do not fit are left out. */
void case_add(struct test_case *test, const void *bytes, size_t size);
void case_add_byte(struct test_case *test, uint8_t byte);
void case_add_text(struct test_case *test, const char *text);

/* Whole or torn packets of the type, some of them broken. */
void case_add_packets(struct test_case *test, enum weir_packet_type type);
void case_add_http_start_line(struct test_case *test);
void case_add_http_header(struct test_case *test);

/* A few bytes changed, added or taken away; or none. */
void case_mutate(struct test_case *test);

#endif
