/* SPDX-License-Identifier: MIT */
/* The send queue against a plain string of bytes, with a kernel that takes what it likes. */
#include "runtime/send_queue/send_queue.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "runtime/buffer/buffer.h"

enum { MODEL_SIZE = 1 << 22, PIECES = 8 };

static struct send_pools *pools;
static struct send_queue *queue;
static uint8_t *model; /* all that was ever queued */
static size_t queued;
static size_t sent;

static void start(void)
{
    pools = send_pools_open();
    static struct send_queue empty;
    empty = (struct send_queue){0};
    queue = &empty;
    model = malloc(MODEL_SIZE);
    queued = sent = 0;
}

static void finish(void)
{
    send_queue_close(pools, queue);
    send_pools_close(pools);
    free(model);
}

static void append_copy(size_t size)
{
    uint8_t *place = send_queue_room(pools, queue, size);
    for (size_t i = 0; i < size; i++)
        place[i] = model[queued + i] = (uint8_t)rand();
    send_queue_grow(queue, size);
    queued += size;
}

static void append_reference(size_t size)
{
    struct weir_buffer *block = buffer_allocate(size);
    for (size_t i = 0; i < size; i++)
        block->bytes[i] = model[queued + i] = (uint8_t)rand();
    send_queue_link(queue, segment_refer(pools, block, block->bytes, size));
    buffer_release(block);
    queued += size;
}

/* What is in flight is what comes next, byte for byte; the kernel takes a part of it. */
static void fly(void)
{
    struct iovec pieces[PIECES];
    size_t offered = 0;
    size_t count = send_queue_gather(queue, pieces, PIECES);
    for (size_t i = 0; i < count; i++) {
        cr_assert(pieces[i].iov_len > 0);
        cr_assert(memcmp(pieces[i].iov_base, model + sent + offered, pieces[i].iov_len) == 0);
        offered += pieces[i].iov_len;
    }
    cr_assert(queue->in_flight_bytes == offered);
    cr_assert(offered > 0 || queued == sent);
    if (rand() % 2)
        append_copy((size_t)rand() % 100 + 1); /* while it is in flight */
    size_t taken = offered == 0 ? 0 : rand() % 3 ? (size_t)rand() % (offered + 1) : offered;
    if (offered > 0)
        send_queue_sent(pools, queue, taken);
    sent += taken;
}

static void step(void)
{
    size_t size = (size_t)1 << rand() % 16;
    if (queued + size * 2 + 200 > MODEL_SIZE)
        return;
    switch (rand() % 4) {
    case 0:
        append_copy((size_t)rand() % size + 1);
        break;
    case 1:
        append_reference((size_t)rand() % size + 1);
        break;
    default:
        fly();
    }
    cr_assert(queue->queued_bytes == queued - sent);
}

Test(queue, as_a_string_of_bytes)
{
    unsigned seed = (unsigned)time(NULL);
    int64_t blocks = memory_live_count();
    printf("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 20; round++) {
        start();
        for (int i = 0; i < 400; i++)
            step();
        while (sent < queued && queued + 200 < MODEL_SIZE)
            fly();
        finish();
    }
    cr_assert(memory_live_count() == blocks, "seed %u", seed);
}

Test(queue, small_sends_share_a_piece)
{
    struct iovec pieces[PIECES];
    start();
    for (int i = 0; i < 10; i++)
        append_copy(20);
    cr_assert(send_queue_gather(queue, pieces, PIECES) == 1 && pieces[0].iov_len == 200);
    send_queue_sent(pools, queue, 200);
    cr_assert(queue->queued_bytes == 0 && queue->notices == 0);
    finish();
}

/* What is dropped is what no operation has; the memory of the one in flight stays. */
Test(queue, dropped_behind_what_is_in_flight)
{
    struct iovec pieces[PIECES];
    start();
    append_reference(5000);
    cr_assert(send_queue_gather(queue, pieces, PIECES) == 1);
    append_copy(100);
    append_reference(6000);
    send_queue_drop(pools, queue);
    cr_assert(queue->queued_bytes == 5000 && queue->in_flight_bytes == 5000);
    cr_assert(memcmp(pieces[0].iov_base, model, 5000) == 0);
    send_queue_sent(pools, queue, 2000);
    send_queue_drop(pools, queue);
    cr_assert(queue->queued_bytes == 0 && queue->queued_bytes == 0);
    finish();
}

/* The memory of zero-copy sends stays until the last notice. */
static void note(void *data)
{
    ++*(int *)data;
}

Test(queue, zero_copy_memory_waits_for_its_notice)
{
    struct iovec pieces[PIECES];
    static char bytes[10000];
    int released = 0;
    start();
    for (int i = 0; i < 2; i++) {
        struct weir_buffer *buffer = buffer_adopt(bytes, sizeof(bytes), note, &released);
        send_queue_link(queue, segment_refer(pools, buffer, buffer->bytes, sizeof(bytes)));
        buffer_release(buffer);
        cr_assert(send_queue_gather(queue, pieces, PIECES) == 1);
        send_queue_lend(queue);
        send_queue_sent(pools, queue, sizeof(bytes));
    }
    cr_assert(released == 0 && queue->notices > 0 && queue->queued_bytes == 0);
    send_queue_noticed(pools, queue);
    send_queue_noticed(pools, queue);
    cr_assert(released == 2 && queue->queued_bytes == 0);
    finish();
}

/* Steady work allocates nothing. */
Test(queue, pools_make_it_free)
{
    struct iovec pieces[PIECES];
    start();
    for (int i = 0; i < 100; i++) {
        uint64_t before = memory_allocation_count();
        append_copy(500);
        append_copy(9000);
        cr_assert(send_queue_gather(queue, pieces, PIECES) > 0);
        send_queue_sent(pools, queue, queue->in_flight_bytes);
        cr_assert(i == 0 || memory_allocation_count() == before);
        if (queued > MODEL_SIZE / 2)
            break;
        sent = queued;
        while (queue->queued_bytes > 0) {
            (void)send_queue_gather(queue, pieces, PIECES);
            send_queue_sent(pools, queue, queue->in_flight_bytes);
        }
    }
    finish();
}

/* Of each kind so many are kept for later, and the others freed. */
static void expect_kept(size_t size)
{
    enum { KEPT = 1024, MANY = KEPT + 50 };
    static struct segment *segments[MANY];
    struct weir_buffer *buffer = buffer_allocate(1);
    int64_t blocks = memory_live_count();
    for (int round = 0; round < 3; round++) {
        uint64_t allocations = memory_allocation_count();
        for (int i = 0; i < MANY; i++) {
            segments[i] = size > 0 ? segment_take(pools, size)
                                   : segment_refer(pools, buffer, buffer->bytes, 1);
            cr_assert(segments[i] && segments[i]->capacity >= size);
        }
        allocations = memory_allocation_count() - allocations;
        cr_expect_eq(allocations, round == 0 ? MANY : MANY - KEPT, "%zu: %lu", size, allocations);
        for (int i = 0; i < MANY; i++)
            segment_free(pools, segments[i]);
        cr_expect_eq(memory_live_count(), blocks + KEPT, "%zu", size);
    }
    buffer_release(buffer);
}

Test(queue, pools_keep_so_many)
{
    int64_t blocks = memory_live_count();
    start();
    expect_kept(100);
    expect_kept(9000);
    expect_kept(0);
    finish();
    cr_expect_eq(memory_live_count(), blocks);
}

/* Too large for a pool: the memory is given back at once. */
Test(queue, large_pieces_are_not_kept)
{
    start();
    int64_t blocks = memory_live_count();
    segment_free(pools, segment_take(pools, 20000));
    cr_expect_eq(memory_live_count(), blocks);
    finish();
}

static size_t gather_all(void)
{
    struct iovec pieces[PIECES];
    size_t count = send_queue_gather(queue, pieces, PIECES);
    send_queue_sent(pools, queue, queue->in_flight_bytes);
    return count;
}

/* Descriptors go with the first byte of a send, so that the peer gets them with it. */
Test(queue, a_piece_with_descriptors_begins_a_send)
{
    int released = 0;
    static char control[16];
    start();
    struct weir_buffer *rights = buffer_adopt(control, sizeof(control), note, &released);
    append_reference(5000);
    append_copy(100);
    queue->last->rights = rights;
    append_reference(6000);
    cr_expect_eq(gather_all(), 1);
    cr_expect_eq(released, 0);
    struct iovec pieces[PIECES];
    cr_expect_eq(send_queue_gather(queue, pieces, PIECES), 2);
    send_queue_sent(pools, queue, 0);
    cr_expect_eq(released, 0, "nothing has gone");
    (void)send_queue_gather(queue, pieces, PIECES);
    send_queue_sent(pools, queue, 1);
    cr_expect_eq(released, 1, "the first byte has");
    cr_expect_eq(queue->queued_bytes, 100 + 6000 - 1);
    while (queue->queued_bytes > 0)
        (void)gather_all();
    finish();
}

/* A piece takes what fits into it, to the last byte. */
Test(queue, a_piece_is_filled_whole)
{
    enum { SMALL = 4096 - sizeof(struct segment), ALL = 16384 - sizeof(struct segment) };
    static const size_t sizes[] = {SMALL, ALL};
    struct iovec pieces[PIECES];
    start();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        append_copy(sizes[i] - 1);
        cr_expect_eq(queue->last->capacity, sizes[i]);
        append_copy(1);
        cr_expect_eq(queue->first, queue->last);
        append_copy(1);
        cr_expect_neq(queue->first, queue->last);
        cr_expect_eq(send_queue_gather(queue, pieces, PIECES), 2);
        send_queue_sent(pools, queue, sizes[i] + 1);
        uint64_t allocations = memory_allocation_count();
        append_copy(sizes[i]);
        cr_expect(queue->last->capacity == sizes[i] && memory_allocation_count() == allocations);
        cr_expect_eq(gather_all(), 1);
    }
    append_copy(ALL + 1);
    cr_expect_eq(queue->last->capacity, ALL + 1);
    cr_expect_eq(gather_all(), 1);
    finish();
}

static struct weir_buffer *append_owned(size_t size, int *released)
{
    static char bytes[10000];
    struct weir_buffer *buffer = buffer_adopt(bytes, sizeof(bytes), note, released);
    send_queue_link(queue, segment_refer(pools, buffer, buffer->bytes, size));
    buffer_release(buffer);
    return buffer;
}

/* Its owners have their memory back at once, but that of what is in flight. */
Test(queue, what_is_dropped_is_released)
{
    struct iovec piece;
    int first = 0;
    int second = 0;
    start();
    (void)append_owned(100, &first);
    send_queue_drop(pools, queue);
    cr_expect(first == 1 && queue->first == NULL && queue->last == NULL);
    cr_expect_eq(queue->flushing, FLUSHING_NOT);
    (void)append_owned(100, &first);
    (void)append_owned(100, &second);
    cr_assert_eq(send_queue_gather(queue, &piece, 1), 1);
    send_queue_drop(pools, queue);
    cr_expect(first == 1 && second == 1 && queue->first == queue->last);
    cr_expect_eq(queue->flushing, FLUSHING_DROPPED);
    send_queue_sent(pools, queue, 100);
    cr_expect(first == 2 && queue->first == NULL && queue->last == NULL);
    (void)append_owned(100, &first);
    finish();
    cr_expect_eq(first, 3, "so is what a queue that is closed has");
}

/* What was put behind it in its own piece is not sent on with what is left of it. */
Test(queue, what_came_behind_in_the_same_piece_is_dropped)
{
    struct iovec pieces[PIECES];
    start();
    append_reference(70);
    append_copy(50);
    cr_assert_eq(send_queue_gather(queue, pieces, PIECES), 2);
    cr_expect_eq(queue->flushing, FLUSHING_IN_FLIGHT);
    append_copy(30);
    send_queue_drop(pools, queue);
    cr_expect(queue->queued_bytes == 120 && queue->last->size == 50);
    send_queue_sent(pools, queue, 90);
    cr_expect(queue->queued_bytes == 30 && queue->first->size == 30);
    send_queue_drop(pools, queue);
    cr_expect(queue->queued_bytes == 0 && queue->first == NULL);
    finish();
}

/* Until the last notice what was lent stays, dropped or sent; what the next sends do not. */
Test(queue, what_is_lent_counts_until_its_notice)
{
    struct iovec pieces[PIECES];
    int lent = 0;
    int later = 0;
    start();
    (void)append_owned(1000, &lent);
    cr_assert_eq(send_queue_gather(queue, pieces, 1), 1);
    send_queue_lend(queue);
    cr_expect(queue->zero_copy && queue->notices == 1 && queue->unconfirmed_bytes == 1000);
    send_queue_sent(pools, queue, 400);
    cr_expect(!queue->zero_copy && queue->unconfirmed_bytes == 1000);
    (void)append_owned(10, &later);
    send_queue_drop(pools, queue);
    cr_expect(lent == 0 && later == 1 && queue->queued_bytes == 0);
    send_queue_noticed(pools, queue);
    cr_expect(lent == 1 && queue->unconfirmed_bytes == 0 && queue->unconfirmed == NULL);
    (void)append_owned(1000, &lent);
    cr_assert_eq(send_queue_gather(queue, pieces, 1), 1);
    send_queue_lend(queue);
    send_queue_sent(pools, queue, 400);
    send_queue_noticed(pools, queue);
    cr_expect_eq(gather_all(), 1);
    cr_expect_eq(lent, 2, "what was left has been sent without");
    finish();
}

/* No more pieces than there is room for, and a file's turn is its own. */
Test(queue, gathers_up_to_a_file)
{
    struct iovec pieces[PIECES];
    int released = 0;
    start();
    for (int i = 0; i < 3; i++)
        (void)append_owned(10, &released);
    cr_expect_eq(send_queue_gather(queue, pieces, 2), 2);
    cr_expect_eq(queue->in_flight_bytes, 20);
    send_queue_sent(pools, queue, 20);
    struct weir_buffer *owner = buffer_adopt("", 0, note, &released);
    send_queue_link(queue, segment_of_file(pools, owner, 7, 100, 5000));
    buffer_release(owner);
    cr_expect_null(send_queue_file(queue));
    cr_expect_eq(send_queue_gather(queue, pieces, PIECES), 1);
    send_queue_sent(pools, queue, 10);
    cr_expect_eq(send_queue_gather(queue, pieces, PIECES), 0);
    cr_expect(queue->flushing == FLUSHING_NOT && send_queue_file(queue)->offset == 100);
    send_queue_drop(pools, queue);
    cr_expect_eq(released, 4);
    finish();
}
