/* SPDX-License-Identifier: MIT */
/* What must hold whenever a scheduler goes to sleep: whoever waits, waits for something. */
#include <string.h>

#include "base/memory.h"
#include "runtime/listener/listener.h"
#include "runtime/listener/listening.h"
#include "runtime/owner/msgq.h"
#include "runtime/ring/features.h"
#include "runtime/scheduler/quota.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/receive_call.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/output.h"
#include "runtime/stream/send.h"
#include "runtime/stream/shelf.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"
#include "sim/expect.h"
#include "sim/kernel.h"
#include "sim/link.h"
#include "sim/model.h"
#include "sim/operation.h"
#include "sim/pending.h"
#include "sim/post.h"
#include "sim/proxy.h"
#include "sim/ring_sim.h"
#include "sim/trace.h"
#include "sim/udp_model.h"

static bool is_in_flight(const struct slot *slot, enum op_place place)
{
    return slot->fd >= 0 && kernel_file(slot->fd)->ops[place].kind != OP_NONE;
}

static bool may_starve(const struct scheduler *scheduler)
{
    if (scheduler->profile.features & FEATURE_BIT(BUFFER_RING))
        return ring_sim_available() == 0;
    return scheduler->buffers->free == NULL;
}

static void check_reading(const struct scheduler *scheduler, const struct stream *socket)
{
    bool wants = socket->receiving == RECEIVING_OPEN && delivery_is_wanted(socket);
    switch ((enum reading)socket->reading) {
    case READING_NOT:
        SIM_CHECK(!wants, "slot %u wants to receive and does not", socket->slot.index);
        break;
    case READING_RESTING:
        SIM_CHECK(streams_of(scheduler)->rest.timer.armed, "slot %u rests for ever",
                  socket->slot.index);
        break;
    case READING_STARVED:
        SIM_CHECK(may_starve(scheduler), "slot %u starves, and there are buffers",
                  socket->slot.index);
        break;
    case READING_BUFFERS:
    case READING_BUFFERS_CANCELLED:
    case READING_INTO:
    case READING_INTO_CANCELLED:
    case READING_WATCHED:
    case READING_WATCHED_CANCELLED:
        SIM_CHECK(is_in_flight(&socket->slot, PLACE_RECEIVE),
                  "slot %u waits for a receive that is none", socket->slot.index);
        break;
    }
}

static void check_delivered(const struct stream *socket, const struct conn *conn)
{
    if (!delivery_is_wanted(socket) || socket->reading == READING_BUFFERS_CANCELLED ||
        socket->reading == READING_INTO_CANCELLED)
        return;
    SIM_CHECK(socket->receiving != RECEIVING_ENDED, "slot %u has ended and nobody was told",
              socket->slot.index);
    bool receives = socket->waiter && socket->active == WEIR_ACTIVE_FALSE;
    size_t length = receives ? receive_call_of(socket->waiter)->length : 0;
    if (socket->receiving == RECEIVING_OPEN)
        SIM_CHECK(!expect_more(conn, length), "slot %u keeps a packet of type %d",
                  socket->slot.index, stream_values(socket)->packet);
}

/* Nobody watches for what is there already. */
static bool waits_for_room(const struct stream *socket)
{
    const struct op *watch = &kernel_file(socket->slot.fd)->ops[PLACE_WATCH];
    const struct link *link = &links[kernel_file(socket->slot.fd)->link];
    bool lacks = link->out_window == link->out_taken - link->out_seen;
    return watch->kind == OP_WATCH && (lacks || watch->scheduled);
}

static bool is_sending(const struct stream *socket, const struct send_queue *queue)
{
    switch ((enum flushing)queue->flushing) {
    case FLUSHING_IN_FLIGHT:
    case FLUSHING_DROPPED:
        return is_in_flight(&socket->slot, PLACE_SEND) ||
               (queue->part && operation_is_in_flight(kernel_file(queue->first->fd)));
    case FLUSHING_BLOCKED:
        return waits_for_room(socket);
    case FLUSHING_RESTING:
        return streams_of(scheduler_current())->rest.timer.armed;
    case FLUSHING_NOT:
        break;
    }
    return false;
}

static void check_sending(const struct stream *socket)
{
    const struct output *output = socket->output;
    if (!output)
        return;
    SIM_CHECK(!output_is_idle(output), "slot %u keeps what it sends by, and has nothing to send",
              socket->slot.index);
    if (output->queue.queued_bytes > 0)
        SIM_CHECK(is_sending(socket, &output->queue), "slot %u has something to send and does not",
                  socket->slot.index);
    SIM_CHECK(output->busy || list_is_empty(&output->suspended),
              "slot %u is not busy, and senders wait", socket->slot.index);
    SIM_CHECK(output->busy || list_is_empty(&output->crossed),
              "slot %u is not busy, and a sender waits for the low mark", socket->slot.index);
}

static void check_conn(const struct stream *socket)
{
    if (socket->slot.fd < 0)
        return;
    struct conn *conn = model_conn(kernel_file(socket->slot.fd)->link);
    if (!weir_same_socket(conn->handle, slot_handle(scheduler_current(), &socket->slot)) ||
        conn->forsaken)
        return;
    model_note_resumed(conn);
    SIM_CHECK(post_handed_count(conn->handle) == 0, "slot %u: messages were not handed over",
              socket->slot.index);
    SIM_CHECK(conn->active == socket->active, "slot %u: active is %d, should be %d",
              socket->slot.index, socket->active, conn->active);
    SIM_CHECK(conn->passives_due == 0, "slot %u: passive was not told", socket->slot.index);
    SIM_CHECK(!conn->owed_unbusy || post_is_box(conn->owner) ||
                  (socket->output && socket->output->queue.queued_bytes > 0),
              "slot %u has nothing queued, and an unbusy is owed", socket->slot.index);
    SIM_CHECK(shelf_is_lent(socket) || (conn->packets == socket->received.count &&
                                        conn->octets == socket->received.octets),
              "slot %u counts %llu packets and %llu bytes, not %llu and %llu", socket->slot.index,
              (unsigned long long)socket->received.count,
              (unsigned long long)socket->received.octets, (unsigned long long)conn->packets,
              (unsigned long long)conn->octets);
    SIM_CHECK(conn->sends == socket->sent.count, "slot %u counts %llu sends, not %llu",
              socket->slot.index, (unsigned long long)socket->sent.count,
              (unsigned long long)conn->sends);
    check_delivered(socket, conn);
}

static void check_listener(const struct listener *socket)
{
    const struct listening *listener = socket->listening;
    bool wanted = listener->serving || !list_is_empty(&listener->acceptors);
    switch (listener->accepting) {
    case ACCEPTING_NOT:
        SIM_CHECK(!wanted, "slot %u wants to accept and does not", socket->slot.index);
        break;
    case ACCEPTING:
    case ACCEPTING_CANCELLED:
    case ACCEPTING_ENDS:
    case ACCEPTING_REST:
        SIM_CHECK(is_in_flight(&socket->slot, PLACE_OTHER),
                  "slot %u waits for an accept that is none", socket->slot.index);
        break;
    case ACCEPTING_TAKEN:
        SIM_CHECK(task_is_queued(&listener->take_rest), "slot %u has nobody to take its rest",
                  socket->slot.index);
        break;
    case ACCEPTING_FULL:
        SIM_CHECK(listener->in_hand >= 0, "slot %u is full, and has nobody in hand",
                  socket->slot.index);
        SIM_CHECK(listener->queuer->queueing != QUOTA_QUEUED ||
                      !quota_has_room(listener->queuer->quota),
                  "slot %u waits for a place, and there is one", socket->slot.index);
        break;
    case ACCEPTING_HEADERS:
        SIM_CHECK(!list_is_empty(&listener->acceptors) && !list_is_empty(&listener->incoming),
                  "slot %u waits for a header that nobody wants", socket->slot.index);
        break;
    case ACCEPTING_PAUSED:
        SIM_CHECK(listener->retry.armed, "slot %u will never accept again", socket->slot.index);
        break;
    }
}

/* Whatever its peer does or does not do. No completion is on its way: a cancel that has missed was
 * told so, and is repeated. */
static void check_ending(const struct stream *socket)
{
    if (socket->slot.fd < 0 || output_queued_bytes(socket) > 0)
        return;
    for (int place = 0; place < PLACE_COUNT; place++) {
        const struct op *op = &kernel_file(socket->slot.fd)->ops[place];
        SIM_CHECK(op->kind == OP_NONE || op->cancelled,
                  "slot %u is closed, and its operation of kind %d goes on", socket->slot.index,
                  op->kind);
    }
}

static bool is_over(const struct slot *slot)
{
    return slot->pending == 0 && (slot->fd >= 0 || slot->state == SOCKET_CLOSED);
}

/* How much it has queued. */
static size_t check_stream(const struct scheduler *scheduler, const struct slot *slot)
{
    const struct stream *socket = stream_of(slot);
    switch ((enum socket_state)socket->slot.state) {
    case SOCKET_FREE:
        return 0;
    case SOCKET_CONNECTING:
        SIM_CHECK(is_in_flight(&socket->slot, PLACE_OTHER),
                  "slot %u waits for a connect that is none", socket->slot.index);
        return 0;
    case SOCKET_OPEN:
        check_reading(scheduler, socket);
        check_conn(socket);
        break;
    case SOCKET_GONE:
    case SOCKET_CLOSED:
        SIM_CHECK(!is_over(slot) || output_queued_bytes(socket) > 0,
                  "slot %u is over and was not released", socket->slot.index);
        check_ending(socket);
        break;
    case SOCKET_STATE_COUNT:
        sim_fail("slot %u is in no state", socket->slot.index);
    }
    check_sending(socket);
    return socket->output ? socket->output->queue.queued_bytes : 0;
}

/* Whoever watches a descriptor has a poll on its way. */
static void check_inner(const struct slot *slot)
{
    SIM_CHECK(slot->kind != KIND_WATCH || slot->pending > 0, "slot %u watches, and polls nothing",
              slot->index);
}

/* What has come of its header has been looked at. */
static void check_incoming(const struct slot *slot)
{
    if (slot->state == SOCKET_OPEN)
        SIM_CHECK(is_in_flight(slot, PLACE_OTHER), "slot %u waits for a header, and polls nothing",
                  slot->index);
    else
        SIM_CHECK(!is_over(slot), "slot %u is over and was not released", slot->index);
}

static size_t check_slot(const struct scheduler *scheduler, const struct slot *slot)
{
    if (slot->state != SOCKET_FREE && scheduler->kinds[slot->kind]->is_inner) {
        check_inner(slot);
        return 0;
    }
    if (slot->kind == KIND_DATAGRAM) {
        udp_check_asleep(scheduler, slot);
        return 0;
    }
    if (slot->kind == KIND_INCOMING) {
        check_incoming(slot);
        return 0;
    }
    if (slot->kind != KIND_LISTENER)
        return check_stream(scheduler, slot);
    if (slot_is_live(slot))
        check_listener(listener_of(slot));
    else
        SIM_CHECK(!is_over(slot), "listener %u is over and was not released", slot->index);
    return 0;
}

/* Through the slots that are used; those freed last are taken first, so they lie in front. */
struct walk {
    const struct slot_table *table;
    uint32_t index;
    uint32_t left;
};

static struct walk walk_of(const struct scheduler *scheduler)
{
    return (struct walk){.table = &scheduler->slots, .left = scheduler->slots.used_count};
}

/* NULL: that was the last. */
static const struct slot *next_used(struct walk *walk)
{
    while (walk->left > 0) {
        const struct slot *slot = slot_table_at(walk->table, walk->index++);
        SIM_CHECK(slot, "%u slots are counted as used and are not", walk->left);
        if (slot->state == SOCKET_FREE)
            continue;
        walk->left--;
        return slot;
    }
    return NULL;
}

void model_check_asleep(void)
{
    const struct scheduler *scheduler = scheduler_current();
    size_t queued = 0;
    if (kernel.capacity > 4096)
        return;
    struct walk walk = walk_of(scheduler);
    for (const struct slot *slot; (slot = next_used(&walk));)
        queued += check_slot(scheduler, slot);
    SIM_CHECK(!scheduler_has_due_tasks(scheduler), "scheduler %u sleeps on a task",
              scheduler->number);
    SIM_CHECK(list_is_empty(&streams_of(scheduler)->limited) || scheduler->lease.waits,
              "scheduler %u lacks bytes that it may queue, and did not say so", scheduler->number);
    SIM_CHECK(queued == scheduler->totals.queued_bytes, "%llu bytes are counted as queued, not %zu",
              (unsigned long long)scheduler->totals.queued_bytes, queued);
}

/* A stop has taken it off the list, and will tell it so. */
static bool is_withdrawn(const struct scheduler *scheduler)
{
    if (!registry_enter(scheduler->index))
        return true;
    registry_leave(scheduler->index);
    return false;
}

/* Nothing is posted: whoever takes enough out of the mailbox has yet to do so. */
static void check_held_back(const struct scheduler *scheduler)
{
    struct walk walk = walk_of(scheduler);
    for (const struct slot *slot; (slot = next_used(&walk));) {
        const struct msgq *msgq = slot->is_mailed ? slot->owner_data : NULL;
        if (slot->state == SOCKET_OPEN && msgq && msgq->full)
            SIM_CHECK(msgq->waits && msgq->bytes > msgq->low,
                      "slot %u is held back by a mailbox that has room", slot->index);
    }
}

/* The bell's completion takes its time, but it comes. */
void model_check_woken(const struct scheduler *scheduler, bool for_ever)
{
    struct inbox *inbox = (struct inbox *)&scheduler->inbox;
    bool rings = kernel_file(inbox->bell)->wakes > 0;
    SIM_CHECK(!rings || !for_ever, "a bell rings, and scheduler %u does not hear it",
              scheduler->number);
    SIM_CHECK(inbox_is_empty(inbox) || rings, "scheduler %u sleeps on what was posted",
              scheduler->number);
    SIM_CHECK(model_stopping || !buffer_pool_has_returns(scheduler->buffers) || rings,
              "scheduler %u sleeps on buffers that came back", scheduler->number);
    if (inbox_is_empty(inbox) && !rings && kernel.capacity <= 4096 && !is_withdrawn(scheduler))
        check_held_back(scheduler);
}

/* Counters only grow, and none of them by much; what there is now is nothing in the end. */
void model_check_totals(const weir_totals *totals)
{
    enum { COUNTER_COUNT = sizeof(*totals) / sizeof(uint64_t) };
    uint64_t counters[COUNTER_COUNT];
    memcpy(counters, totals, sizeof(counters));
    udp_model_totals(totals);
    proxy_count_refused(totals->proxy_refused);
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        SIM_CHECK(counters[i] < 1ull << 40, "counter %zu is %llu", i,
                  (unsigned long long)counters[i]);
    SIM_CHECK(totals->connections == 0 && totals->queued_bytes == 0 && totals->waiting_bytes == 0,
              "%llu connections, %llu queued and %llu waiting bytes are counted in the end",
              (unsigned long long)totals->connections, (unsigned long long)totals->queued_bytes,
              (unsigned long long)totals->waiting_bytes);
}

void model_check_end(void)
{
    udp_model_check_totals();
    proxy_check_end();
    SIM_CHECK(pending_count() == 0, "%u calls never called back", pending_count());
    SIM_CHECK(kernel.descriptor_count == 0, "%u descriptors were never closed",
              kernel.descriptor_count);
}
