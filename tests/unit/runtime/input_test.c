/* SPDX-License-Identifier: MIT */
/* The packet that has begun: the block that it is put into, and when it is received straight there.
 */
#include "runtime/stream/input.h"

#include <criterion/criterion.h>
#include <errno.h>
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
    cr_expect(stream.input->capacity == 2000 && stream.input->start == 990, "there was room");
    cr_expect_eq(scheduler.totals.copied_bytes, 2000);
    append(&stream, 3000, 0);
    cr_expect(stream.input->capacity == 2 * 4010 && stream.input->start == 0);
    cr_expect_eq(scheduler.totals.copied_bytes, 2000 + 3000 + 1010);
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

/* What the kernel moves by its pages, or where it lies has room behind it, is not copied. */
Test(input, counts_what_growing_has_copied)
{
    static const size_t sizes[] = {1000, (128 << 10) - 1, 128 << 10};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct stream stream = {.input = NULL};
        append(&stream, sizes[i], (uint32_t)sizes[i]);
        struct weir_buffer *behind = buffer_allocate(sizes[i]);
        const uint8_t *before = stream.input->bytes;
        scheduler.totals.copied_bytes = 0;
        append(&stream, 1, 0);
        bool moved = stream.input->bytes != before;
        cr_expect_eq(scheduler.totals.copied_bytes, moved && i < 2 ? sizes[i] + 1 : 1, "%zu", i);
        buffer_release(behind);
        input_drop(&stream);
    }
}

/* A block that was just used is there already: the packet goes into it whole from its beginning. */
Test(input, has_a_used_block_for_a_large_packet)
{
    struct buffer_pool pool = {.count = 1};
    struct stream stream = {.input = NULL};
    buffer_pool_own(&pool);
    struct weir_buffer *used = buffer_allocate(FROM);
    used->start = used->end = 7;
    buffer_release(used);
    bool is_cached = pool.blocks.newest != NULL; /* not where a sanitizer watches */
    append(&stream, 10, FROM);
    cr_expect_eq(stream.input->capacity, is_cached ? FROM : 256);
    cr_expect(stream.input->start == 0 && stream.input->end == 10);
    input_drop(&stream);
    append(&stream, 10, FROM - 1);
    cr_expect_eq(stream.input->capacity, 256);
    input_drop(&stream);
    block_cache_empty(&pool.blocks);
    buffer_pool_own(NULL);
}

/* It goes along when the block moves, until it is to be looked at afresh. */
Test(input, knows_what_is_known_of_the_packet)
{
    struct stream stream = {.input = NULL};
    input_forget_begun(&stream);
    append(&stream, 100, 5 * FROM);
    append(&stream, 156, 6 * FROM);
    cr_expect_eq(input_begun(&stream).needed, 6 * FROM);
    input_consume(&stream, 1);
    cr_expect_eq(input_direct_room(&scheduler, &stream), 2 * 256 - 255);
    cr_expect(input_begun(&stream).needed == 6 * FROM && stream.input->start == 0);
    stream.input->begun.scanned = 3;
    input_forget_needed(&stream);
    cr_expect(input_begun(&stream).needed == 0 && input_begun(&stream).scanned == 3);
    input_forget_begun(&stream);
    cr_expect_eq(input_begun(&stream).scanned, 0);
    input_drop(&stream);
    cr_expect_eq(input_begun(&stream).needed, 0);
}

static int append_without(uint64_t nth, struct stream *stream)
{
    struct framing_span span = {bytes, 300};
    memory_fail_nth(nth);
    int result = input_append(&scheduler, stream, span, (struct begun_packet){0});
    memory_fail_nth(0);
    return result;
}

/* A block that cannot grow where it lies may have another. */
Test(input, stays_as_it_is_without_memory)
{
    struct stream stream = {.input = NULL};
    int64_t live = memory_live_count();
    cr_expect(append_without(1, &stream) == -ENOMEM && stream.input == NULL);
    append(&stream, 200, 0);
    cr_expect(append_without(1, &stream) == 0 && input_size(&stream) == 500);
    input_consume(&stream, 1);
    append(&stream, stream.input->capacity - stream.input->end, 0);
    size_t size = input_size(&stream);
    cr_expect(append_without(1, &stream) == -ENOMEM && input_size(&stream) == size);
    cr_expect_eq(stream.input->start, 1);
    input_drop(&stream);
    cr_expect_eq(memory_live_count(), live);
}
