/* SPDX-License-Identifier: MIT */
/* The packet that has begun: the block that it is put into, and when it is received straight there.
 */
#include "runtime/stream/input.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/memory.h"
#include "runtime/buffer/buffer.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/stream.h"

enum { FROM = INPUT_DIRECT_FROM_BYTES };

static struct scheduler scheduler;
static uint8_t bytes[4 * FROM];

static const struct {
    uint32_t needed;
    uint32_t start;
    uint32_t end;
    size_t missing;
    bool direct;
} begun[] = {
    {0, 0, 100, 0, false},
    {100, 0, 100, 0, false},
    {99, 0, 100, 0, false},
    {FROM - 1, 0, 1, FROM - 2, false},
    {FROM, 0, 1, FROM - 1, true},
    {FROM, 50, 51, FROM - 1, true},
    {FROM, 0, FROM / 2, FROM / 2, true},
    {FROM, 0, FROM / 2 + 1, FROM / 2 - 1, false},
    {2 * FROM, 0, 2 * FROM - FROM / 2, FROM / 2, true},
    {2 * FROM, 0, 2 * FROM - FROM / 2 + 1, FROM / 2 - 1, false},
};

Test(input, goes_straight_to_its_place_while_much_is_missing)
{
    for (size_t i = 0; i < sizeof(begun) / sizeof(begun[0]); i++) {
        struct weir_buffer block = {
            .start = begun[i].start, .end = begun[i].end, .begun.needed = begun[i].needed};
        struct stream stream = {.input = &block};
        cr_expect_eq(input_size(&stream), begun[i].end - begun[i].start);
        cr_expect_eq(input_missing(&stream), begun[i].missing, "row %zu", i);
        cr_expect_eq(input_wants_direct(&stream), begun[i].direct, "row %zu", i);
    }
    struct stream empty = {.input = NULL};
    cr_expect(input_size(&empty) == 0 && input_missing(&empty) == 0 && !input_wants_direct(&empty));
}

static void append(struct stream *stream, size_t size, uint32_t needed)
{
    struct framing_span span = {bytes, size};
    struct begun_packet packet = {.needed = needed};
    cr_assert_eq(input_append(&scheduler, stream, span, packet), 0);
}

static const struct {
    uint32_t needed;
    size_t size;
    size_t capacity;
} blocks[] = {
    {0, 1, 256},        {0, 128, 256},      {0, 129, 258},      {0, 1000, 2000},
    {100, 10, 100},     {300, 10, 256},     {256, 10, 256},     {1 << 22, 10, 256},
    {1500, 1000, 1500}, {2000, 1000, 2000}, {2001, 1000, 2000}, {1000, 1000, 1000},
    {999, 1000, 2000},
};

Test(input, takes_what_has_come_times_two_at_most)
{
    int64_t live = memory_live_count();
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        struct stream stream = {.input = NULL};
        append(&stream, blocks[i].size, blocks[i].needed);
        size_t capacity = stream.input->capacity;
        cr_expect_eq(capacity, blocks[i].capacity, "row %zu: %zu", i, capacity);
        cr_expect_eq(input_size(&stream), blocks[i].size);
        input_drop(&stream);
        cr_expect_null(stream.input);
    }
    cr_expect_eq(memory_live_count(), live);
}

/* What is framed leaves at the front; what follows comes behind, in a larger block if need be. */
Test(input, is_a_string_of_bytes)
{
    struct stream stream = {.input = NULL};
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    append(&stream, 1000, 0);
    input_consume(&stream, 990);
    append(&stream, 1000, 0);
    cr_expect_eq(input_size(&stream), 1010);
    append(&stream, 3000, 0);
    cr_expect_eq(input_size(&stream), 4010);
    const uint8_t *at = stream.input->bytes + stream.input->start;
    cr_expect_eq(memcmp(at, bytes + 990, 10), 0);
    cr_expect_eq(memcmp(at + 10, bytes, 1000), 0);
    cr_expect_eq(memcmp(at + 1010, bytes, 3000), 0);
    input_take_back(&stream, 0);
    input_take_back(&stream, 3000);
    cr_expect_eq(input_size(&stream), 1010);
    input_consume(&stream, 1009);
    cr_expect_not_null(stream.input);
    input_take_back(&stream, 1);
    cr_expect_null(stream.input);
    append(&stream, 10, 0);
    input_consume(&stream, 10);
    cr_expect_null(stream.input);
}

/* As much as the packet misses, and no more than there is room for. */
Test(input, has_room_for_what_is_missing)
{
    struct stream stream = {.input = NULL};
    append(&stream, 1000, FROM);
    cr_expect_eq(input_direct_room(&scheduler, &stream), 1000);
    append(&stream, FROM / 2, FROM);
    size_t held = input_size(&stream);
    cr_expect_eq(stream.input->capacity, FROM);
    cr_expect_eq(input_direct_room(&scheduler, &stream), FROM - held);
    stream.input->begun.needed = (uint32_t)held + 7;
    cr_expect_eq(input_direct_room(&scheduler, &stream), 7);
    input_forget_needed(&stream);
    cr_expect_eq(input_missing(&stream), 0);
    input_drop(&stream);
}
