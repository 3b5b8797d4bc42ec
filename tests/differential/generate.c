/* SPDX-License-Identifier: MIT */
/* Prints cases as lines `type TAB options TAB hex`: generate --seed S --count N. */
#include "case.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void add_http(struct test_case *test, bool header)
{
    /* Now and then the other kind of line. */
    if (random_one_in(&test->random, 10))
        header = !header;
    if (!header)
        case_add_http_start_line(test);
    /* The first line is what counts, but the decoders look further ahead than its end. */
    for (uint32_t lines = random_below(&test->random, 6); lines > 0; lines--)
        case_add_http_header(test);
}

static void add_input(struct test_case *test, enum weir_packet_type type)
{
    if (type >= WEIR_HTTP)
        add_http(test, type >= WEIR_HTTPH);
    else
        case_add_packets(test, type);
    case_mutate(test);
}

/* Around the size of the input, where limits matter, and around the edges of its integers. */
static int64_t limit_near(struct random *random, size_t size)
{
    static const int64_t edges[] = {-1, 0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000};
    if (random_one_in(random, 5))
        return edges[random_below(random, sizeof(edges) / sizeof(edges[0]))];
    return random_below(random, (uint32_t)size + 3);
}

static void print_options(struct test_case *test)
{
    struct random *random = &test->random;
    uint32_t choice = random_below(random, 16);
    const char *comma = "";
    putchar('[');
    if (choice & 1) {
        printf("{packet_size,%" PRId64 "}", limit_near(random, test->size));
        comma = ",";
    }
    if (choice & 2) {
        printf("%s{line_length,%" PRId64 "}", comma, limit_near(random, test->size));
        comma = ",";
    }
    if (choice == 4)
        printf("%s{line_delimiter,%u}", comma, random_one_in(random, 2) ? 'a' : ';');
    if (choice == 8 && random_one_in(random, 20))
        printf("%sfoo", comma);
    putchar(']');
}

static void print_hex(const struct test_case *test)
{
    if (test->size == 0)
        putchar('-');
    for (size_t i = 0; i < test->size; i++)
        printf("%02x", test->bytes[i]);
}

/* OTP 25 takes an IPv6 literal for a host "[": decided otherwise. */
static bool is_decided_otherwise(const struct test_case *test)
{
    for (size_t i = 0; i + 4 <= test->size; i++)
        if (memcmp(test->bytes + i, "://[", 4) == 0)
            return true;
    return false;
}

static void print_case(uint64_t seed)
{
    struct test_case test = {.random = {seed}};
    enum weir_packet_type type = random_below(&test.random, WEIR_PACKET_TYPE_COUNT);
    /* http has most to get wrong. */
    if (random_one_in(&test.random, 2))
        type = WEIR_HTTP + random_below(&test.random, 4);
    do {
        test.size = 0;
        add_input(&test, type);
    } while (is_decided_otherwise(&test));
    printf("%s\t", weir_packet_type_name(type));
    print_options(&test);
    putchar('\t');
    print_hex(&test);
    putchar('\n');
}

static uint64_t number_argument(const char *text)
{
    char *end;
    uint64_t number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end) {
        fprintf(stderr, "generate: '%s' is no number\n", text);
        exit(2);
    }
    return number;
}

int main(int argc, char **argv)
{
    if (argc != 5 || strcmp(argv[1], "--seed") != 0 || strcmp(argv[3], "--count") != 0) {
        fprintf(stderr, "usage: generate --seed S --count N\n");
        return 2;
    }
    uint64_t seed = number_argument(argv[2]);
    uint64_t count = number_argument(argv[4]);
    for (uint64_t i = 0; i < count; i++)
        print_case(seed + i);
    return 0;
}
