/* SPDX-License-Identifier: MIT */
#include "case.h"
#include <string.h>

void case_add(struct test_case *test, const void *bytes, size_t size)
{
    if (size > CASE_SIZE_MAX - test->size)
        return;
    memcpy(test->bytes + test->size, bytes, size);
    test->size += size;
}

void case_add_byte(struct test_case *test, uint8_t byte)
{
    case_add(test, &byte, 1);
}

void case_add_text(struct test_case *test, const char *text)
{
    case_add(test, text, strlen(text));
}

static uint8_t odd_byte(struct random *random)
{
    static const uint8_t odd[] = "\r\n \t:/*-.09azAZ[]{}()\"\\\x00\x7f\x80\xff\x1f\x20\x84\x85";
    if (random_one_in(random, 3))
        return (uint8_t)random_below(random, 256);
    return odd[random_below(random, sizeof(odd))];
}

static void remove_bytes(struct test_case *test, size_t at, size_t count)
{
    if (count > test->size - at)
        count = test->size - at;
    memmove(test->bytes + at, test->bytes + at + count, test->size - at - count);
    test->size -= count;
}

static void insert_byte(struct test_case *test, size_t at, uint8_t byte)
{
    if (test->size == CASE_SIZE_MAX)
        return;
    memmove(test->bytes + at + 1, test->bytes + at, test->size - at);
    test->bytes[at] = byte;
    test->size++;
}

static void mutate_once(struct test_case *test)
{
    struct random *random = &test->random;
    size_t at = random_below(random, (uint32_t)test->size);
    switch (random_below(random, 5)) {
    case 0:
        test->bytes[at] = odd_byte(random);
        break;
    case 1:
        insert_byte(test, at, odd_byte(random));
        break;
    case 2:
        remove_bytes(test, at, 1 + random_below(random, 3));
        break;
    case 3:
        test->bytes[at] ^= (uint8_t)(1u << random_below(random, 8));
        break;
    case 4:
        test->size = at;
        break;
    }
}

void case_mutate(struct test_case *test)
{
    uint32_t count = random_below(&test->random, 4);
    for (uint32_t i = 0; i < count && test->size; i++)
        mutate_once(test);
}
