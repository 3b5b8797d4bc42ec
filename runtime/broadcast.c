/* SPDX-License-Identifier: MIT */
/*
 * A message for many connections. Each scheduler is posted its part once, and goes through its
 * table of slots a piece a turn: so what is queued at one time is bounded, and others get their
 * turn. The parts of several broadcasts stand on one list, each behind those that came before it,
 * and none goes further than the one before it has come: that one may take more turns for the same
 * piece of the table, since more connections want it, or fewer are too slow for it.
 */
#include <errno.h>
#include <stdatomic.h>

#include "base/error.h"
#include "base/memory.h"
#include "runtime/buffer/buffer.h"
#include "runtime/given.h"
#include "runtime/runtime.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slow.h"
#include "runtime/stream/busy.h"
#include "runtime/stream/send.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"
#include <weir/broadcast.h>

/* Of one scheduler. */
struct part {
    struct inbox_node node;
    struct task task;
    struct list link; /* streams->broadcasts, from its arrival until it is through */
    struct broadcast *broadcast;
    uint32_t next; /* slot to be looked at */
    uint32_t end;  /* those that are made meanwhile are too new */
    weir_broadcast_counts counts;
};

struct broadcast {
    weir_broadcast_plan plan;
    struct iovec piece;
    struct send_source source;
    atomic_uint left; /* parts that are not through */
    uint32_t part_count;
    struct part parts[];
};

static void add_up(struct broadcast *broadcast, weir_broadcast_counts *sum)
{
    *sum = (weir_broadcast_counts){0};
    for (uint32_t i = 0; i < broadcast->part_count; i++) {
        sum->sent += broadcast->parts[i].counts.sent;
        sum->busy += broadcast->parts[i].counts.busy;
        sum->failed += broadcast->parts[i].counts.failed;
    }
}

static void destroy(struct broadcast *broadcast)
{
    buffer_release(broadcast->source.buffer);
    memory_free(broadcast);
}

static void finish_part(struct scheduler *scheduler, struct broadcast *broadcast)
{
    weir_broadcast_counts counts;
    if (atomic_fetch_sub_explicit(&broadcast->left, 1, memory_order_acq_rel) > 1)
        return;
    add_up(broadcast, &counts);
    if (broadcast->plan.done) {
        uint64_t began_ns = slow_begin(scheduler);
        broadcast->plan.done(&counts, broadcast->plan.data);
        slow_end(scheduler, began_ns, (slow_function *)broadcast->plan.done);
    }
    destroy(broadcast);
}

static bool is_wanted(struct scheduler *scheduler, const struct slot *slot,
                      const weir_broadcast_plan *plan)
{
    if (!plan->wants)
        return true;
    uint64_t began_ns = slow_begin(scheduler);
    bool wanted = plan->wants(slot_handle(scheduler, slot), slot_data(slot), plan->data);
    slow_end(scheduler, began_ns, (slow_function *)plan->wants);
    return wanted && slot->state == SOCKET_OPEN;
}

static void tell_left_out(struct scheduler *scheduler, const struct slot *slot, int error,
                          const weir_broadcast_plan *plan)
{
    if (!plan->left_out)
        return;
    uint64_t began_ns = slow_begin(scheduler);
    plan->left_out(slot_handle(scheduler, slot), error, slot_data(slot), plan->data);
    slow_end(scheduler, began_ns, (slow_function *)plan->left_out);
}

static int send_one(struct scheduler *scheduler, struct slot *slot, struct part *part)
{
    if (busy_is(scheduler, stream_of(slot))) {
        part->counts.busy++;
        scheduler->totals.left_out++;
        return -EAGAIN;
    }
    int result = send_now(scheduler, stream_of(slot), &part->broadcast->source);
    if (result < 0)
        part->counts.failed++;
    else
        part->counts.sent++;
    return result;
}

/* Whether it was sent. */
static bool visit(struct scheduler *scheduler, struct slot *slot, struct part *part)
{
    const weir_broadcast_plan *plan = &part->broadcast->plan;
    int result = -EAGAIN;
    if (slot->kind != KIND_STREAM || slot->state != SOCKET_OPEN)
        return false;
    slot_hold(slot);
    if (is_wanted(scheduler, slot, plan)) {
        result = send_one(scheduler, slot, part);
        if (result < 0)
            tell_left_out(scheduler, slot, result, plan);
    }
    slot_unhold(scheduler, slot);
    return result == 0;
}

static uint32_t end_of_piece(const struct scheduler *scheduler, const struct part *part)
{
    enum { VISITS_A_TURN = 16384 };
    const struct list *before = part->link.previous;
    uint32_t end = part->end - part->next > VISITS_A_TURN ? part->next + VISITS_A_TURN : part->end;
    if (before == &streams_of(scheduler)->broadcasts)
        return end;
    uint32_t reached = list_entry(before, struct part, link)->next;
    return reached < end ? reached : end;
}

static void go_on(struct scheduler *scheduler, struct task *task)
{
    enum { SENDS_A_TURN = 256 };
    struct part *part = list_entry(task, struct part, task);
    uint32_t last = end_of_piece(scheduler, part);
    uint32_t sent = 0;
    while (part->next < last && sent < SENDS_A_TURN)
        sent += visit(scheduler, slot_table_at(&scheduler->slots, part->next++), part);
    if (part->next < part->end) {
        task_add(&scheduler->tasks, TASK_SUBMITTED, task);
        return;
    }
    list_remove(&part->link);
    finish_part(scheduler, part->broadcast);
}

/* Not begun yet: others that came before are under way. */
static void arrive(struct scheduler *scheduler, struct inbox_node *node)
{
    struct part *part = list_entry(node, struct part, node);
    part->end = slot_table_size(&scheduler->slots);
    list_append(&streams_of(scheduler)->broadcasts, &part->link);
    task_add(&scheduler->tasks, TASK_SUBMITTED, &part->task);
}

/* Schedulers that stop take none. They stop together, so nobody is told when none does: each is
 * entered before the first may have finished. */
static int post_all(const weir_runtime *runtime, struct broadcast *broadcast)
{
    struct scheduler *entered[RUNTIME_SCHEDULERS_MAX];
    unsigned left = 0;
    for (uint32_t i = 0; i < broadcast->part_count; i++) {
        entered[i] = registry_enter(runtime->schedulers[i]->index);
        left += entered[i] != NULL;
    }
    atomic_init(&broadcast->left, left);
    for (uint32_t i = 0, count = broadcast->part_count; i < count; i++) {
        if (!entered[i])
            continue;
        uint32_t index = entered[i]->index;
        inbox_post(&entered[i]->inbox, &broadcast->parts[i].node);
        registry_leave(index);
    }
    return left > 0 ? 0 : error_say(WEIR_CLOSED, "the runtime is being stopped");
}

static struct broadcast *make(const weir_runtime *runtime, const weir_owned_bytes *message,
                              const weir_broadcast_plan *plan)
{
    uint32_t count = runtime->scheduler_count;
    struct broadcast *broadcast =
        memory_allocate_zeroed(1, sizeof(*broadcast) + count * sizeof(broadcast->parts[0]));
    if (!broadcast)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        broadcast->parts[i] = (struct part){.node.run = arrive, .broadcast = broadcast};
        task_init(&broadcast->parts[i].task, go_on);
    }
    broadcast->part_count = count;
    broadcast->plan = plan ? *plan : (weir_broadcast_plan){0};
    broadcast->piece = (struct iovec){(void *)message->bytes, message->size};
    broadcast->source =
        (struct send_source){.pieces = &broadcast->piece, .count = 1, .size = message->size};
    return broadcast;
}

static int start(const weir_runtime *runtime, const weir_owned_bytes *message,
                 struct weir_buffer *buffer, const weir_broadcast_plan *plan)
{
    struct broadcast *broadcast = make(runtime, message, plan);
    if (!broadcast) {
        buffer_release(buffer);
        return error_say(-ENOMEM, "no memory to broadcast");
    }
    broadcast->source.buffer = buffer;
    int result = post_all(runtime, broadcast);
    if (result < 0)
        destroy(broadcast);
    return result;
}

int weir_broadcast(weir_runtime *runtime, const weir_owned_bytes *message,
                   const weir_broadcast_plan *plan)
{
    struct weir_buffer *buffer;
    error_clear_text();
    int result = given_adopt(message, &buffer);
    if (result < 0)
        return result;
    result = runtimes_enter(runtime);
    if (result < 0) {
        buffer_release(buffer);
        return result;
    }
    result = start(runtime, message, buffer, plan);
    runtimes_leave(runtime);
    return result;
}
