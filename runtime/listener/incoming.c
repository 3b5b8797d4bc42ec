/* SPDX-License-Identifier: MIT */
/*
 * The header is looked at where the kernel has it, and taken up to its end and no further: what is
 * behind it is received by the connection. Memory for it grows with what has come.
 */
#include "runtime/listener/incoming.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "address/proxy_header.h"
#include "base/canary.h"
#include "base/check.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/system.h"
#include "options/option_block.h"
#include "options/options.h"
#include "runtime/listener/acceptors.h"
#include "runtime/listener/adopt.h"
#include "runtime/listener/arming.h"
#include "runtime/listener/listener.h"
#include "runtime/listener/listening.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/quota.h"
#include "runtime/scheduler/scheduler.h"

enum { FIRST_CAPACITY = 256 };

struct incoming {
    struct slot slot;
    struct list link; /* of its listener's; of none when that is closed */
    struct timer timer;
    struct scheduler *scheduler;
    struct listening *listening; /* NULL: it is closed */
    uint8_t *bytes;              /* what there is of the header */
    uint32_t size;
    uint32_t capacity : 31;
    bool polls : 1;
};

_Static_assert(offsetof(struct incoming, slot) == 0, "a slot is its incoming connection");
_Static_assert(sizeof(struct incoming) <= SLOT_SIZE, "a slot has room for it");

static struct incoming *incoming_of(const struct slot *slot)
{
    return (struct incoming *)slot;
}

static void finish(struct scheduler *scheduler, struct incoming *incoming)
{
    slot_hold(&incoming->slot);
    list_remove(&incoming->link);
    timer_disarm(&scheduler->timers, &incoming->timer);
    if (incoming->polls)
        cancel_start(scheduler, &incoming->slot, INCOMING_READABLE);
    slot_move(&incoming->slot, SOCKET_CLOSE);
    if (incoming->listening)
        arming_look_again(incoming->listening);
    slot_unhold(scheduler, &incoming->slot);
}

/* The peer is no proxy, or a bad one. */
static void refuse(struct scheduler *scheduler, struct incoming *incoming)
{
    scheduler->totals.proxy_refused++;
    finish(scheduler, incoming);
}

static void time_out(struct timer *timer)
{
    struct incoming *incoming = list_entry(timer, struct incoming, timer);
    refuse(incoming->scheduler, incoming);
}

/* What the slot had is the connection's. */
static void welcome(struct scheduler *scheduler, struct incoming *incoming,
                    const struct proxy_header *header)
{
    struct slot *slot = &incoming->slot;
    struct listening *listening = incoming->listening;
    const struct arrival arrival = {
        .fd = slot->fd,
        .family = (enum weir_family)slot->family,
        .options = slot->options,
        .owner = slot_owner(slot),
        .quota = quota_vacate(scheduler, slot),
        .header = header->has_addresses ? header : NULL,
    };
    slot_hold(slot);
    slot->fd = -1;
    finish(scheduler, incoming);
    acceptors_welcome(scheduler, listening ? listening->listener : NULL, &arrival);
    slot_unhold(scheduler, slot);
}

/* 0, or -ENOMEM. */
static int make_room(struct incoming *incoming)
{
    size_t capacity = incoming->capacity ? 2 * incoming->capacity : FIRST_CAPACITY;
    size_t most = proxy_header_most(incoming->bytes, incoming->size);
    if (incoming->size < incoming->capacity)
        return 0;
    if (incoming->capacity > 0 && capacity > most)
        capacity = most;
    CHECK_GT(capacity, incoming->size);
    uint8_t *bytes = memory_resize(incoming->bytes, capacity);
    if (!bytes)
        return -ENOMEM;
    incoming->bytes = bytes;
    incoming->capacity = (uint32_t)capacity & INT32_MAX;
    return 0;
}

static ssize_t receive(const struct incoming *incoming, size_t size, int flags)
{
    return system_receive(incoming->slot.fd, incoming->bytes + incoming->size, size,
                          MSG_DONTWAIT | flags, NULL, NULL);
}

enum outlook { OUTLOOK_MORE, OUTLOOK_WHOLE, OUTLOOK_NONE };

/* Until the kernel has no more, or all of the header is taken. */
static enum outlook look(struct incoming *incoming, struct proxy_header *header)
{
    while (make_room(incoming) == 0) {
        ssize_t there = receive(incoming, incoming->capacity - incoming->size, MSG_PEEK);
        if (there == -EAGAIN)
            return OUTLOOK_MORE;
        if (there <= 0)
            return OUTLOOK_NONE;
        int length = proxy_header_read(header, incoming->bytes, incoming->size + (size_t)there);
        if (length < 0)
            return OUTLOOK_NONE;
        bool is_last = length > 0 && !CANARY(SWALLOWED);
        size_t mine = is_last ? (size_t)length - incoming->size : (size_t)there;
        if (receive(incoming, mine, 0) != (ssize_t)mine)
            return OUTLOOK_NONE;
        incoming->size += (uint32_t)mine;
        if (length > 0)
            return OUTLOOK_WHOLE;
    }
    return OUTLOOK_NONE;
}

static void await(struct scheduler *scheduler, struct incoming *incoming)
{
    incoming->polls = true;
    slot_hold(&incoming->slot);
    ring_poll(scheduler->ring, slot_operation(&incoming->slot, INCOMING_READABLE),
              incoming->slot.fd, POLLIN);
}

/* A runtime that stops serves what has come, and this has not. */
static void go_on(struct scheduler *scheduler, struct incoming *incoming)
{
    struct proxy_header header;
    switch (look(incoming, &header)) {
    case OUTLOOK_MORE:
        if (scheduler->state == SCHEDULER_STOPPING)
            finish(scheduler, incoming);
        else
            await(scheduler, incoming);
        break;
    case OUTLOOK_WHOLE:
        welcome(scheduler, incoming, &header);
        break;
    case OUTLOOK_NONE:
        refuse(scheduler, incoming);
        break;
    }
}

static void completed(struct scheduler *scheduler, struct slot *slot,
                      const struct ring_completion *completion)
{
    struct incoming *incoming = incoming_of(slot);
    incoming->polls = false;
    if (slot->state != SOCKET_OPEN)
        return;
    if (completion->result < 0)
        finish(scheduler, incoming);
    else
        go_on(scheduler, incoming);
}

static struct incoming *create(struct scheduler *scheduler, struct listener *listener, int fd)
{
    struct slot *slot =
        slot_create(scheduler, KIND_INCOMING, fd, (enum weir_family)listener->slot.family);
    if (!slot)
        return NULL;
    struct incoming *incoming = incoming_of(slot);
    slot->options = option_block_share(listener->slot.options);
    slot_move(slot, SOCKET_ESTABLISH);
    incoming->scheduler = scheduler;
    incoming->listening = listener->listening;
    incoming->timer.fire = time_out;
    list_append(&listener->listening->incoming, &incoming->link);
    return incoming;
}

void incoming_begin(struct scheduler *scheduler, struct listener *listener, int fd)
{
    struct quota *quota = listening_quota(listener->listening);
    struct incoming *incoming = create(scheduler, listener, fd);
    int result = incoming && quota ? quota_occupy(scheduler, &incoming->slot, quota) : 0;
    if ((!incoming || result < 0) && quota)
        quota_give_back(quota);
    if (!incoming) {
        system_close(fd);
        return;
    }
    if (result < 0) {
        finish(scheduler, incoming);
        return;
    }
    owner_set(&incoming->slot, slot_owner(&listener->slot));
    scheduler_arm(scheduler, &incoming->timer, listener->listening->proxy_timeout_ms);
    go_on(scheduler, incoming);
}

void incoming_set(const struct listening *listening, const weir_option *options)
{
    const struct list *all = &listening->incoming;
    for (struct list *link = all->next; link != all; link = link->next) {
        const struct slot *slot = &list_entry(link, struct incoming, link)->slot;
        options_inherit(options, slot->fd, slot->family);
    }
}

void incoming_let_go(struct listening *listening)
{
    struct list *link;
    while ((link = list_take(&listening->incoming)))
        list_entry(link, struct incoming, link)->listening = NULL;
}

void incoming_end_all(struct listening *listening)
{
    while (!list_is_empty(&listening->incoming))
        finish(listening->scheduler, list_entry(listening->incoming.next, struct incoming, link));
}

/* A drain waits for it: it has come. */
static void end(struct scheduler *scheduler, struct slot *slot, enum ending ending)
{
    if (ending != END_DRAIN && slot->state == SOCKET_OPEN)
        finish(scheduler, incoming_of(slot));
}

static bool is_unwanted(const struct slot *slot)
{
    return slot->state != SOCKET_OPEN;
}

static bool give_up_descriptor(struct scheduler *scheduler, struct slot *slot)
{
    system_close(slot->fd);
    slot->fd = -1;
    quota_leave(scheduler, slot);
    return true;
}

static void release(struct scheduler *scheduler, struct slot *slot)
{
    (void)scheduler;
    memory_free(incoming_of(slot)->bytes);
    owner_set(slot, weir_owned_by_nobody());
}

const struct kind kind_incoming = {
    .name = "incoming connection",
    .operations = {[OPERATION_IN_KIND(INCOMING_READABLE)] = {completed, is_unwanted, NULL, NULL}},
    .end = end,
    .give_up_descriptor = give_up_descriptor,
    .release = release,
};
