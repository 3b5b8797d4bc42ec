/* SPDX-License-Identifier: MIT */
#include "sim/peer.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "runtime/ring/ring.h"
#include "sim/accepting.h"
#include "sim/dice.h"
#include "sim/event.h"
#include "sim/kernel.h"
#include "sim/link.h"
#include "sim/local.h"
#include "sim/operation.h"
#include "sim/proxy.h"
#include "sim/rights.h"
#include "sim/ring_sim.h"
#include "sim/trace.h"

static uint64_t pause_ns(const struct link *link)
{
    return link->pause_us ? (uint64_t)dice_size(link->pause_us) * 1000u : 0;
}

static struct link *still_there(uint32_t index, uint32_t serial)
{
    struct link *link = &links[index];
    return link->used && link->serial == serial ? link : NULL;
}

/* A local one has no way to say so but by closing. */
static void break_off(uint32_t index, int error)
{
    if (links[index].local)
        link_left_by_peer(index);
    else
        link_reset_by_peer(index, error);
}

static void finish_writing(uint32_t index)
{
    struct link *link = &links[index];
    trace("link %lld: the peer has written all, end %lld", index, link->end, 0, 0);
    switch ((enum peer_end)link->end) {
    case PEER_STAYS:
        break;
    case PEER_CLOSES:
        if (link->local) {
            link_left_by_peer(index);
            return;
        }
        link->peer_gone = true;
        link->in_fin = true;
        break;
    case PEER_HALF_CLOSES:
        link->in_fin = true;
        break;
    case PEER_RESETS:
        break_off(index, ECONNRESET);
        return;
    }
    if (link->in_fin && link->established && !link->file_gone)
        kernel_kick_receivers(link->file);
}

/* A local one is told at once that nobody is going to read it. */
static bool is_deaf(const struct link *link)
{
    return link->local &&
           (link->file_gone || (link->established && kernel.files[link->file].shut_read));
}

static void write_some(uint32_t index, uint32_t serial)
{
    struct link *link = still_there(index, serial);
    if (!link)
        return;
    link->writing = false;
    if (link->reset || link->in_fin || is_deaf(link))
        return;
    if (dice_chance(kernel.faults.peer_reset)) {
        break_off(index, dice_chance(200) ? ETIMEDOUT : ECONNRESET);
        return;
    }
    uint32_t size = link->in_size - link->in_written;
    uint32_t room = link->in_window - (link->in_written - link->in_read);
    if (size > 0 && room == 0)
        return;
    size = size < room ? size : room;
    if (size > link->write_most)
        size = dice_size(link->write_most);
    link->in_written += size;
    trace("link %lld: the peer writes %lld, %lld of %lld", index, size, link->in_written,
          link->in_size);
    if (size > 0 && link->established && !link->file_gone)
        kernel_kick_receivers(link->file);
    if (link->in_written == link->in_size)
        finish_writing(index);
    else
        peer_may_write(index);
}

void peer_may_write(uint32_t index)
{
    struct link *link = &links[index];
    if (link->writing || link->reset || link->in_fin || link->in_written == link->in_size)
        return;
    link->writing = true;
    event_after(pause_ns(link), write_some, index, link->serial);
}

static void read_some(uint32_t index, uint32_t serial)
{
    struct link *link = still_there(index, serial);
    if (!link)
        return;
    link->reading = false;
    if (link->reset || link->stalls)
        return;
    if (link->peer_gone) {
        if (link->out_taken > link->out_seen && !link->local)
            link_reset_by_peer(index, ECONNRESET);
        return;
    }
    uint32_t size = link->out_taken - link->out_seen;
    if (size > link->read_most)
        size = dice_size(link->read_most);
    link->out_seen += size;
    trace("link %lld: the peer reads %lld, seen %lld", index, size, link->out_seen, 0);
    if (link->established && !link->file_gone)
        kernel_kick_senders(link->file);
    if (link->out_fin && link->out_seen == link->out_taken && !link->in_fin && dice_chance(500)) {
        link->peer_gone = true; /* it answers the end by its own */
        link->in_fin = true;
        link->in_size = link->in_written;
        if (!link->file_gone)
            kernel_kick_receivers(link->file);
    }
    peer_may_read(index);
    link_release_if_over(index);
}

void peer_may_read(uint32_t index)
{
    struct link *link = &links[index];
    if (link->reading || link->stalls || link->reset || link->out_seen == link->out_taken)
        return;
    link->reading = true;
    event_after(pause_ns(link), read_some, index, link->serial);
}

static void go_on(uint32_t index, uint32_t serial)
{
    struct link *link = still_there(index, serial);
    if (!link)
        return;
    link->stalls = false;
    peer_may_read(index);
}

void peer_begin(uint32_t index)
{
    struct link *link = &links[index];
    if (link->stalls)
        event_after((uint64_t)dice_size(3000) * 1000000u, go_on, index, link->serial);
    if (link->in_size == 0)
        finish_writing(index);
    peer_may_write(index);
}

void peer_relent(void)
{
    for (uint32_t i = 0; i < link_capacity; i++) {
        if (!links[i].used)
            continue;
        links[i].stalls = false;
        links[i].pause_us = 0;
        peer_may_read(i);
    }
}

void peer_connect(uint32_t listener)
{
    struct file *file = &kernel.files[listener];
    uint32_t index = link_create(false, file->local);
    if (index == NO_LINK)
        return;
    trace("link %lld: a peer connects", index, 0, 0, 0);
    if (file->proxied)
        proxy_plan(index);
    if (file->local)
        rights_plan(index);
    accepting_queue(listener, index);
    if (dice_chance(300))
        peer_may_write(index); /* before it is accepted */
    kernel_kick(local_waiter(file), PLACE_OTHER);
}

/* The connect that an answer is for; NULL: it was cancelled meanwhile. */
static struct op *connect_of(uint32_t index, uint32_t serial)
{
    struct op *op = &kernel.files[index].ops[PLACE_OTHER];
    return op->kind == OP_CONNECT && op->serial == serial ? op : NULL;
}

static void finish_connect(uint32_t index, uint32_t serial, int result)
{
    struct file *file = &kernel.files[index];
    struct op *op = connect_of(index, serial);
    if (!op)
        return;
    if (result == 0) {
        uint32_t link = link_create(true, file->local);
        if (link == NO_LINK)
            return;
        if (file->local)
            rights_plan(link);
        file->kind = FILE_STREAM;
        file->link = link;
        trace("link %lld: connected on descriptor %lld", link, index + FIRST_FD, 0, 0);
        link_established(link, index);
    }
    uint64_t user_data = op->user_data;
    ring_sim_choose(op->ring);
    operation_finish(op);
    ring_sim_post(user_data, result, 0);
}

static void accept_it(uint32_t index, uint32_t serial)
{
    finish_connect(index, serial, 0);
}

static void refuse_it(uint32_t index, uint32_t serial)
{
    /* A connect that had to wait is told of as a reset; the real reason is asked for. */
    bool hidden = dice_chance(300) && !kernel.files[index].local;
    if (hidden && connect_of(index, serial))
        kernel.files[index].error = ECONNREFUSED;
    finish_connect(index, serial, hidden ? -ECONNRESET : -ECONNREFUSED);
}

static void cannot_reach_it(uint32_t index, uint32_t serial)
{
    finish_connect(index, serial, kernel.files[index].local ? -ENOENT : -EHOSTUNREACH);
}

static void time_it_out(uint32_t index, uint32_t serial)
{
    finish_connect(index, serial, kernel.files[index].local ? -EAGAIN : -ETIMEDOUT);
}

void peer_answer(uint32_t file, uint32_t serial, uint16_t port)
{
    static event_function *const answers[PORT_COUNT] = {
        [PORT_ACCEPTS] = accept_it,
        [PORT_REFUSES] = refuse_it,
        [PORT_UNREACHABLE] = cannot_reach_it,
        [PORT_TIMES_OUT] = time_it_out,
    };
    SIM_CHECK(port < PORT_COUNT, "connect to port %u: the address was not what was given", port);
    if (answers[port])
        event_after(dice_size(2000000), answers[port], file, serial);
}
