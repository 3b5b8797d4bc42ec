/* SPDX-License-Identifier: MIT */
/* Packets with a header that tells their length, and lines. */
#include "case.h"

/* Mostly the true length, sometimes one that is far off. */
static uint32_t claimed(struct random *random, uint32_t length)
{
    static const uint32_t edges[] = {0,          1,          0x7f,       0x80,       0xff,
                                     0x100,      0xffff,     0x10000,    0x7ffffff0, 0x7ffffff3,
                                     0x7ffffff7, 0x7ffffff9, 0x7ffffffb, 0x7ffffffc, 0x7fffffff,
                                     0x80000000, 0xfffffffb, 0xffffffff};
    switch (random_below(random, 8)) {
    case 0:
        return edges[random_below(random, sizeof(edges) / sizeof(edges[0]))];
    case 1:
        return length + 1;
    default:
        return length;
    }
}

static void add_number(struct test_case *test, uint32_t number, uint32_t size)
{
    for (uint32_t i = size; i-- > 0;)
        case_add_byte(test, (uint8_t)((uint64_t)number >> 8 * i));
}

static void add_little_endian(struct test_case *test, uint32_t number)
{
    for (uint32_t i = 0; i < 4; i++)
        case_add_byte(test, (uint8_t)((uint64_t)number >> 8 * i));
}

static void add_body(struct test_case *test, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        case_add_byte(test, (uint8_t)random_next(&test->random));
}

static void add_asn1_tag(struct test_case *test)
{
    struct random *random = &test->random;
    if (!random_one_in(random, 3)) {
        case_add_byte(test, (uint8_t)random_next(random));
        return;
    }
    case_add_byte(test, 0x1f | (uint8_t)random_next(random));
    for (uint32_t i = random_below(random, 4); i > 0; i--)
        case_add_byte(test, 0x80 | (uint8_t)random_next(random));
    case_add_byte(test, 0x7f & (uint8_t)random_next(random));
}

static void add_asn1(struct test_case *test, uint32_t size)
{
    struct random *random = &test->random;
    add_asn1_tag(test);
    uint32_t length_size = random_below(random, 7);
    if (length_size == 0) {
        case_add_byte(test, (uint8_t)claimed(random, size));
    } else {
        case_add_byte(test, (uint8_t)(0x80 | (length_size - 1)));
        add_number(test, claimed(random, size), length_size - 1);
    }
    add_body(test, size);
}

static void add_cdr(struct test_case *test, uint32_t size)
{
    struct random *random = &test->random;
    uint8_t flags = (uint8_t)random_below(random, 4);
    uint32_t length = claimed(random, size);
    case_add_text(test, "GIOP\1\2");
    case_add_byte(test, flags);
    case_add_byte(test, (uint8_t)random_next(random));
    if (flags & 1)
        add_little_endian(test, length);
    else
        add_number(test, length, 4);
    add_body(test, size);
}

static void add_fcgi(struct test_case *test, uint32_t size)
{
    struct random *random = &test->random;
    uint32_t padding = random_below(random, 9);
    case_add_byte(test, 1);
    add_body(test, 3);
    add_number(test, claimed(random, size), 2);
    case_add_byte(test, (uint8_t)padding);
    add_body(test, 1 + size + padding);
}

static void add_line(struct test_case *test, uint32_t size)
{
    static const uint8_t letters[] = "ab;\r\n";
    for (uint32_t i = 0; i < size; i++)
        case_add_byte(test, letters[random_below(&test->random, 3)]);
    case_add_byte(test, letters[random_below(&test->random, 5)]);
}

static void add_tpkt(struct test_case *test, uint32_t size)
{
    case_add_byte(test, 3);
    case_add_byte(test, (uint8_t)random_next(&test->random));
    add_number(test, claimed(&test->random, size + 4), 2);
    add_body(test, size);
}

static void add_prefixed(struct test_case *test, uint32_t prefix_size, uint32_t size)
{
    add_number(test, claimed(&test->random, size), prefix_size);
    add_body(test, size);
}

static void add_packet(struct test_case *test, enum weir_packet_type type, uint32_t size)
{
    switch (type) {
    case WEIR_1:
    case WEIR_2:
    case WEIR_4:
        add_prefixed(test, type, size);
        break;
    case WEIR_SUNRM:
        add_prefixed(test, 4, size);
        break;
    case WEIR_ASN1:
        add_asn1(test, size);
        break;
    case WEIR_CDR:
        add_cdr(test, size);
        break;
    case WEIR_FCGI:
        add_fcgi(test, size);
        break;
    case WEIR_TPKT:
        add_tpkt(test, size);
        break;
    case WEIR_LINE:
        add_line(test, size);
        break;
    default:
        add_body(test, size);
        break;
    }
}

void case_add_packets(struct test_case *test, enum weir_packet_type type)
{
    struct random *random = &test->random;
    uint32_t size_max = random_one_in(random, 20) ? 300 : 24;
    for (uint32_t count = 1 + random_below(random, 2); count > 0; count--)
        add_packet(test, type, random_below(random, size_max));
}
