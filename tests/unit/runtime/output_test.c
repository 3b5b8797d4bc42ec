/* SPDX-License-Identifier: MIT */
/* Outputs of streams that have nothing to send any more are kept for others, and not too many. */
#include "runtime/stream/output.h"

#include <criterion/criterion.h>

#include "base/memory.h"
#include "runtime/buffer/buffer.h"
#include "runtime/send_queue/segment.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

enum { KEPT = 1024, MANY = KEPT + 100 };

static struct scheduler scheduler;
static struct stream streams[MANY];

static void run(struct scheduler *unused, struct task *task)
{
    (void)unused;
    (void)task;
}

static void open_all(void)
{
    for (int i = 0; i < MANY; i++) {
        streams[i].output = output_open(streams_of(&scheduler), &streams[i]);
        cr_assert(streams[i].output && streams[i].output->stream == &streams[i]);
        task_init(&streams[i].output->flush, run);
        task_init(&streams[i].output->offer, run);
        cr_assert(output_is_idle(streams[i].output));
    }
}

static void free_all(void)
{
    for (int i = 0; i < MANY; i++) {
        output_free_if_idle(&scheduler, &streams[i]);
        cr_assert_null(streams[i].output);
    }
}

Test(output, so_many_are_kept)
{
    int64_t blocks = memory_live_count();
    cr_assert_eq(streams_open(&scheduler, &scheduler.states[KIND_STREAM]), 0);
    int64_t empty = memory_live_count();
    for (int i = 0; i < 3; i++) {
        uint64_t allocations = memory_allocation_count();
        open_all();
        allocations = memory_allocation_count() - allocations;
        cr_expect_eq(allocations, i == 0 ? MANY : MANY - KEPT, "%lu", allocations);
        free_all();
        cr_expect_eq(memory_live_count(), empty + KEPT);
    }
    streams_shut(scheduler.states[KIND_STREAM]);
    cr_expect_eq(memory_live_count(), blocks);
}

/* Each by itself is a reason to keep it. */
Test(output, is_not_idle_while_anything_is_left)
{
    struct list call;
    cr_assert_eq(streams_open(&scheduler, &scheduler.states[KIND_STREAM]), 0);
    struct output *output = output_open(streams_of(&scheduler), &streams[0]);
    struct list *waiting[] = {&output->offered, &output->crossed, &output->suspended};
    cr_assert(output_is_idle(output));
    output->queue.queued_bytes = 1;
    cr_expect(!output_is_idle(output));
    output->queue.queued_bytes = 0;
    output->queue.notices = 1;
    cr_expect(!output_is_idle(output));
    output->queue.notices = 0;
    output->refused = true;
    cr_expect(!output_is_idle(output));
    output->refused = false;
    for (size_t i = 0; i < sizeof(waiting) / sizeof(waiting[0]); i++) {
        list_append(waiting[i], &call);
        cr_expect(!output_is_idle(output));
        list_remove(&call);
    }
    cr_expect(output_is_idle(output));
    memory_free(output);
    streams_shut(scheduler.states[KIND_STREAM]);
}

static void note(void *data)
{
    ++*(int *)data;
}

static void queue_one(struct output *output, int *released)
{
    struct weir_buffer *buffer = buffer_adopt("", 1, note, released);
    send_queue_link(&output->queue,
                    segment_refer(streams_of(&scheduler)->pools, buffer, buffer->bytes, 1));
    buffer_release(buffer);
}

/* It is on no list, due for nothing, and what it had queued is its owners'. */
Test(output, that_is_given_up_leaves_nothing)
{
    int released = 0;
    cr_assert_eq(streams_open(&scheduler, &scheduler.states[KIND_STREAM]), 0);
    task_queues_init(&scheduler.tasks);
    struct streams *all = streams_of(&scheduler);
    struct output *output = output_open(all, &streams[0]);
    cr_assert_not_null(output);
    streams[0].output = output;
    task_init(&output->flush, run);
    task_init(&output->offer, run);
    task_add(&scheduler.tasks, TASK_SOON, &output->flush);
    task_add(&scheduler.tasks, TASK_LAST, &output->offer);
    list_append(&all->limited, &output->limit_link);
    list_append(&all->lingering.outputs, &output->linger_link);
    list_append(&all->rest.outputs, &output->rest_link);
    queue_one(output, &released);
    output_free_if_idle(&scheduler, &streams[0]);
    cr_assert(streams[0].output == output && released == 0, "it has something queued");
    output_free(&scheduler, &streams[0]);
    cr_expect(streams[0].output == NULL && released == 1);
    cr_expect(task_queue_is_empty(&scheduler.tasks, TASK_SOON));
    cr_expect(task_queue_is_empty(&scheduler.tasks, TASK_LAST));
    cr_expect(list_is_empty(&all->limited) && list_is_empty(&all->lingering.outputs) &&
              list_is_empty(&all->rest.outputs));
    output_free(&scheduler, &streams[0]);
    output_free_if_idle(&scheduler, &streams[0]);
    streams_shut(all);
}

/* While it is live, and when it is closed. */
Test(output, is_what_a_connection_has_queued)
{
    static const enum socket_state states[] = {SOCKET_OPEN, SOCKET_GONE, SOCKET_CLOSED};
    struct output output = {.queue = {.queued_bytes = 7, .notices = 3}};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        struct stream stream = {.slot.state = states[i], .output = &output};
        cr_expect(output_queued_bytes(&stream) == 7 && output_notices(&stream) == 3, "%zu", i);
        stream.output = NULL;
        cr_expect(output_queued_bytes(&stream) == 0 && output_notices(&stream) == 0, "%zu", i);
    }
    struct stream stream = {.slot.state = SOCKET_CONNECTING, .output = &output};
    cr_expect(output_queued_bytes(&stream) == 0 && output_notices(&stream) == 0);
}
