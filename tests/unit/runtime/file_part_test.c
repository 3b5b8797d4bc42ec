/* SPDX-License-Identifier: MIT */
/* A file on its way out becomes bytes part by part, each when its turn comes. */
#include "runtime/send_queue/file_part.h"

#include <criterion/criterion.h>

#include "base/memory.h"
#include "runtime/buffer/buffer.h"
#include "runtime/send_queue/send_queue.h"

enum { PART = 128 << 10, FILE_AT = 1000 };

static struct send_pools *pools;
static struct send_queue queue;
static int released;

static void note(void *data)
{
    ++*(int *)data;
}

static void start(size_t size)
{
    struct weir_buffer *owner = buffer_adopt("", 0, note, &released);
    released = 0;
    pools = send_pools_open();
    queue = (struct send_queue){0};
    send_queue_link(&queue, segment_of_file(pools, owner, 7, FILE_AT, size));
    buffer_release(owner);
}

static void append_copy(size_t size)
{
    cr_assert_not_null(send_queue_room(pools, &queue, size));
    send_queue_grow(&queue, size);
}

static void finish(void)
{
    send_queue_close(pools, &queue);
    send_pools_close(pools);
}

static size_t send_all(void)
{
    struct iovec pieces[4];
    size_t count = send_queue_gather(&queue, pieces, 4);
    send_queue_sent(pools, &queue, queue.in_flight_bytes);
    return count;
}

/* Of so many bytes in a file the first part is so large. */
static const size_t sizes[][2] = {{1, 1}, {PART - 1, PART - 1}, {PART, PART}, {PART + 1, PART}};

Test(file_part, is_read_into_memory_of_its_size)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        start(sizes[i][0]);
        cr_assert(file_part_begin(&queue));
        cr_expect_eq(queue.in_flight_bytes, sizes[i][1]);
        cr_expect_geq(queue.part->capacity, sizes[i][1]);
        cr_expect(file_part_end(pools, &queue, sizes[i][1]) && queue.part == NULL);
        cr_expect_eq(queue.queued_bytes, sizes[i][0], "reading sends nothing");
        cr_expect_eq(released, sizes[i][0] <= PART, "row %zu", i);
        cr_expect_eq(send_all(), 1);
        cr_expect_eq(queue.queued_bytes, sizes[i][0] - sizes[i][1]);
        finish();
        cr_expect_eq(released, 1);
    }
}

/* A read that brings less is gone on with behind it, before what follows the file. */
Test(file_part, may_be_read_in_part)
{
    start(500);
    append_copy(20);
    cr_assert(file_part_begin(&queue) && file_part_end(pools, &queue, 300));
    cr_expect_eq(send_all(), 1);
    const struct segment *file = send_queue_file(&queue);
    cr_assert_not_null(file);
    cr_expect(file->offset == FILE_AT + 300 && file->size == 200 && released == 0);
    cr_assert(file_part_begin(&queue) && file_part_end(pools, &queue, 0), "nothing was read");
    cr_expect(send_queue_file(&queue) == file && file->size == 200);
    cr_assert(file_part_begin(&queue) && file_part_end(pools, &queue, 200));
    cr_expect(send_queue_file(&queue) == NULL && released == 1);
    cr_expect_eq(send_all(), 2, "what follows goes along");
    cr_expect(queue.queued_bytes == 0 && queue.last == NULL);
    finish();
}

/* The file was the last: what comes now stands behind its part. */
Test(file_part, is_the_last_when_its_file_was)
{
    start(500);
    cr_assert(file_part_begin(&queue) && file_part_end(pools, &queue, 500));
    append_copy(20);
    cr_expect_eq(send_all(), 2);
    cr_expect_eq(queue.queued_bytes, 0);
    finish();
}

/* There was no room for it: it is read again when there is, and no memory is held until then. */
Test(file_part, is_given_up_while_there_is_no_room)
{
    start(500);
    cr_assert(file_part_begin(&queue) && file_part_end(pools, &queue, 300));
    struct segment *file = queue.first->next;
    file_part_give_up(pools, &queue);
    cr_expect(queue.first == file && file->offset == FILE_AT && file->size == 500);
    cr_expect_eq(queue.queued_bytes, 500);
    finish();
    cr_expect_eq(memory_live_count(), 0);
}

Test(file_part, is_not_given_up_while_the_kernel_reads_it)
{
    struct iovec piece;
    start(500);
    cr_assert(file_part_begin(&queue) && file_part_end(pools, &queue, 300));
    cr_assert_eq(send_queue_gather(&queue, &piece, 1), 1);
    send_queue_lend(&queue);
    send_queue_sent(pools, &queue, 0);
    file_part_give_up(pools, &queue);
    cr_expect_null(send_queue_file(&queue));
    send_queue_noticed(pools, &queue);
    finish();
}

/* Bytes before a file that was not begun are no part of it. */
Test(file_part, is_none_before_its_file_has_begun)
{
    struct weir_buffer *owner = buffer_adopt("", 0, note, &released);
    start(500);
    file_part_give_up(pools, &queue);
    cr_expect_eq(queue.first->size, 500);
    send_queue_drop(pools, &queue);
    append_copy(20);
    send_queue_link(&queue, segment_of_file(pools, owner, 7, FILE_AT, 500));
    buffer_release(owner);
    file_part_give_up(pools, &queue);
    cr_expect(queue.first->size == 20 && queue.first->next->size == 500);
    finish();
}

Test(file_part, needs_memory)
{
    start(500);
    memory_fail_nth(1);
    cr_expect(!file_part_begin(&queue) && queue.flushing == FLUSHING_NOT);
    memory_fail_nth(0);
    cr_assert(file_part_begin(&queue));
    memory_fail_nth(1);
    cr_expect(!file_part_end(pools, &queue, 500));
    memory_fail_nth(0);
    cr_expect(queue.part == NULL && send_queue_file(&queue)->size == 500);
    finish();
    cr_expect_eq(memory_live_count(), 0);
}
