/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/memory.h"
#include "runtime/datagram/close.h"
#include "runtime/datagram/collect.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/datagrams.h"
#include "runtime/datagram/departure.h"
#include "runtime/datagram/outbox.h"
#include "runtime/datagram/set_option.h"
#include "runtime/owner/hand_over.h"
#include "runtime/scheduler/call.h"

/* What is handed out now may be answered, and the answers leave with the others. */
static void end_turn(struct scheduler *scheduler, struct task *task)
{
    (void)task;
    collect_end_turn(scheduler);
    departure_end_turn(scheduler);
    collect_expected(scheduler);
}

static int open_datagrams(struct scheduler *scheduler, void **state)
{
    struct datagrams *datagrams = memory_allocate_zeroed(1, sizeof(*datagrams));
    if (!datagrams)
        return -ENOMEM;
    datagrams->scheduler = scheduler;
    list_init(&datagrams->unsent);
    task_init(&datagrams->end_turn, end_turn);
    datagrams->rest.fire = collect_wake;
    parcels_open(&datagrams->parcels);
    intake_open_blocks(&datagrams->blocks);
    intake_open_local(&datagrams->local, &datagrams->blocks);
    *state = datagrams;
    return 0;
}

static void shut_datagrams(void *state)
{
    struct datagrams *datagrams = state;
    parcels_shut(&datagrams->parcels);
    intake_shut(&datagrams->local);
    intake_shut(&datagrams->buffers);
    intake_shut(&datagrams->blocks);
    memory_free(datagrams);
}

static void changed(struct scheduler *scheduler, struct slot *slot)
{
    collect_go_on(scheduler, datagram_of(slot));
}

static int cancel_calls(struct scheduler *scheduler, struct slot *slot, const void *data)
{
    return call_cancel(scheduler, datagram_of(slot)->caller, data);
}

static enum option_scope get_options(const struct slot *slot, struct option_source *source)
{
    const struct datagram *socket = datagram_of(slot);
    source->active = socket->active;
    source->bit8_seen = socket->bit8_seen;
    return OPTION_SET_UDP;
}

static void get_statistics(const struct slot *slot, weir_statistics *statistics)
{
    const struct datagram *socket = datagram_of(slot);
    const struct traffic *received = &socket->received->traffic;
    const struct outbox *outbox = socket->outbox;
    *statistics = (weir_statistics){
        .recv_oct = received->octets,
        .recv_cnt = (uint32_t)received->count,
        .recv_max = socket->received->max,
        .recv_avg = traffic_average(received),
        .recv_dvi = traffic_deviation(received),
        .dropped = datagram_dropped(socket),
        .truncated = socket->received->truncated,
    };
    if (!outbox)
        return;
    statistics->send_oct = outbox->sent.octets;
    statistics->send_cnt = (uint32_t)outbox->sent.count;
    statistics->send_max = outbox->sent_max;
    statistics->send_avg = traffic_average(&outbox->sent);
    statistics->send_dvi = traffic_deviation(&outbox->sent);
    statistics->send_pend = outbox->queued_bytes;
}

static uint32_t siblings(const struct slot *slot, const weir_socket **siblings)
{
    uint32_t count = 0;
    *siblings = datagram_of(slot)->siblings;
    while (*siblings && (*siblings)[count].id != 0)
        count++;
    return count;
}

static int hand_over(struct scheduler *scheduler, struct slot *slot, weir_owner next)
{
    struct datagram *socket = datagram_of(slot);
    bool delivering = socket->delivering;
    socket->delivering = true;
    int result = owner_hand_over(scheduler, slot, next);
    socket->delivering = delivering;
    collect_go_on(scheduler, socket);
    return result;
}

const struct kind kind_datagram = {
    .name = "datagram",
    .has_packets = true,
    .operations =
        {
            [OPERATION_IN_KIND(DATAGRAM_READABLE)] = {collect_readable, collect_is_cancelled, NULL,
                                                      NULL},
            [OPERATION_IN_KIND(DATAGRAM_WRITABLE)] = {departure_writable, departure_is_cancelled,
                                                      NULL, NULL},
        },
    .open = open_datagrams,
    .shut = shut_datagrams,
    .end = datagram_end,
    .outlasts_drain = datagram_outlasts_drain,
    .close = datagram_close,
    .cancel_calls = cancel_calls,
    .settled = datagram_settled,
    .give_up_descriptor = datagram_give_up_descriptor,
    .release = datagram_release,
    .set_option = datagram_set_option,
    .tell_passive = datagram_tell_passive,
    .changed = changed,
    .get_statistics = get_statistics,
    .siblings = siblings,
    .get_options = get_options,
    .hand_over = hand_over,
};
