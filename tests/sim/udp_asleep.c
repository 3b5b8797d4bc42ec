/* SPDX-License-Identifier: MIT */
/* What must hold of UDP sockets whenever their scheduler goes to sleep. */
#include "runtime/datagram/arrival.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/datagrams.h"
#include "runtime/datagram/handout.h"
#include "runtime/datagram/outbox.h"
#include "runtime/ring/features.h"
#include "runtime/scheduler/scheduler.h"
#include "sim/kernel.h"
#include "sim/model.h"
#include "sim/operation.h"
#include "sim/post.h"
#include "sim/ring_sim.h"
#include "sim/trace.h"
#include "sim/udp.h"
#include "sim/udp_model.h"
#include <weir/error.h>

static void check_collecting(const struct scheduler *scheduler, const struct datagram *socket)
{
    bool wanted = datagram_is_wanted(socket);
    const struct file *file = kernel_file(socket->slot.fd);
    switch ((enum collecting)socket->collecting) {
    case COLLECTING_NOT:
        SIM_CHECK(!wanted, "udp %u wants to receive and does not", file->link);
        break;
    case COLLECTING_POLLED:
    case COLLECTING_CANCELLED:
        SIM_CHECK(file->ops[PLACE_RECEIVE].kind == OP_READABLE,
                  "udp %u waits for a poll that is none", file->link);
        break;
    case COLLECTING_LISTED:
        SIM_CHECK(task_is_queued(&datagrams_of(scheduler)->end_turn), "udp %u waits for no turn",
                  file->link);
        break;
    case COLLECTING_EXPECTING:
        SIM_CHECK(false, "udp %u expects more, and does not look", file->link);
        break;
    case COLLECTING_RESTING:
        SIM_CHECK(datagrams_of(scheduler)->rest.armed, "udp %u rests for ever", file->link);
        break;
    }
    SIM_CHECK(!wanted || !socket->waiting.first, "udp %u keeps a datagram that is wanted",
              file->link);
}

static uint32_t list_length(const struct list *list)
{
    uint32_t length = 0;
    for (const struct list *node = list->next; node != list; node = node->next)
        length++;
    return length;
}

/* What is queued waits for room, and nothing waits for what is over. */
static void check_sending(const struct scheduler *scheduler, const struct datagram *socket)
{
    const struct outbox *outbox = socket->outbox;
    const struct file *file = kernel_file(socket->slot.fd);
    if (!outbox)
        return;
    bool polls = outbox->room != ROOM_KNOWN;
    bool is_local = udps[file->link].local;
    bool is_coming = is_local ? outbox->retry.armed || list_is_empty(&outbox->parcels)
                              : file->ops[PLACE_OTHER].kind == OP_POLL;
    SIM_CHECK(!polls || is_coming,
              "udp %u waits for a poll that is "
              "none",
              file->link);
    SIM_CHECK(list_is_empty(&outbox->parcels) || polls || socket->slot.state != SOCKET_OPEN ||
                  !list_is_empty(&datagrams_of(scheduler)->unsent),
              "udp %u has something to send and does not", file->link);
    bool was_dropped = is_local && socket->slot.state != SOCKET_OPEN;
    SIM_CHECK(!outbox->busy || !outbox_is_empty(outbox) || was_dropped,
              "udp %u is busy with nothing", file->link);
    SIM_CHECK(outbox->busy || list_is_empty(&outbox->waiters),
              "udp %u is not busy, and senders "
              "wait",
              file->link);
}

/* Datagrams that were not handed out yet; one without bytes is one, too. */
static uint32_t left_in(const struct arrival *arrival)
{
    uint32_t left = arrival->size - arrival->given;
    return left > 0 ? (left + arrival->datagram_size - 1) / arrival->datagram_size : 1;
}

static uint32_t waiting_count(const struct datagram *socket)
{
    uint32_t count = 0;
    for (const struct weir_buffer *b = socket->waiting.first; b; b = b->next)
        count += left_in(arrival_of(b));
    return count;
}

static void check_counts(const struct datagram *socket, struct udp_view *view)
{
    udp_model_note_left(view);
    uint32_t index = udp_model_index(view);
    const struct outbox *outbox = socket->outbox;
    const struct traffic *received = &socket->received->traffic;
    uint32_t held = view->given_tail - view->given_head;
    SIM_CHECK(held == waiting_count(socket), "udp %u keeps %u datagrams, the kernel gave %u more",
              index, waiting_count(socket), held);
    SIM_CHECK(view->packets == received->count && view->octets == received->octets,
              "udp %u counts %llu datagrams and %llu bytes, not %llu and %llu", index,
              (unsigned long long)received->count, (unsigned long long)received->octets,
              (unsigned long long)view->packets, (unsigned long long)view->octets);
    if (!outbox)
        return;
    uint32_t queued = view->letter_count - list_length(&outbox->waiters);
    SIM_CHECK(view->settled_count + queued == outbox->sent.count,
              "udp %u counts %llu sends, not %llu", index, (unsigned long long)outbox->sent.count,
              (unsigned long long)view->settled_count + queued);
    SIM_CHECK(queued == outbox->queued_count, "udp %u has %zu datagrams queued, not %u", index,
              outbox->queued_count, queued);
}

static void check_view(const struct datagram *socket, struct udp_view *view)
{
    uint32_t index = udp_model_index(view);
    SIM_CHECK(post_handed_count(view->handle) == 0, "udp %u: messages were not handed over", index);
    SIM_CHECK(view->active == socket->active, "udp %u: active is %d, should be %d", index,
              socket->active, view->active);
    SIM_CHECK(view->passives_due == 0, "udp %u: passive was not told", index);
    SIM_CHECK(!view->owed_unbusy || post_is_box(view->owner) || socket->outbox->busy,
              "udp %u is not busy, and an unbusy is owed", index);
    if (model_lenient)
        return;
    SIM_CHECK(view->untold == 0, "udp %u: %u errors were not told", index, view->untold);
    SIM_CHECK(view->error == socket->error, "udp %u has %s to tell, not %s", index,
              weir_error_name(socket->error), weir_error_name(view->error));
    check_counts(socket, view);
}

void udp_check_asleep(const struct scheduler *scheduler, const struct slot *slot)
{
    const struct datagram *socket = datagram_of(slot);
    bool over = slot->pending == 0 && (slot->fd >= 0 || slot->state == SOCKET_CLOSED);
    if (slot->state == SOCKET_FREE || (slot->fd < 0 && !over))
        return;
    if (slot->state != SOCKET_OPEN)
        SIM_CHECK(!over || !outbox_is_empty(socket->outbox), "slot %u is over and was not released",
                  slot->index);
    if (slot->fd < 0)
        return;
    struct udp_view *view = &udp_views[kernel_file(slot->fd)->link];
    check_sending(scheduler, socket);
    if (slot->state != SOCKET_OPEN)
        return;
    check_collecting(scheduler, socket);
    if (view->handle.id != 0 && !view->forsaken)
        check_view(socket, view);
}
