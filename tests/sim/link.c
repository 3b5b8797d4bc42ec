/* SPDX-License-Identifier: MIT */
#include "sim/link.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "sim/dice.h"
#include "sim/kernel.h"
#include "sim/model.h"
#include "sim/peer.h"
#include "sim/plan.h"
#include "sim/proxy.h"
#include "sim/trace.h"

struct link *links;
uint32_t link_capacity;
static uint32_t used_count;
static uint32_t first_free;
static uint32_t touched;
static uint32_t lingering_count;

void link_open_table(uint32_t capacity)
{
    link_capacity = capacity;
    links = memory_map(capacity * sizeof(*links));
    SIM_CHECK(links, "no memory for the simulated connections");
}

void link_close_table(void)
{
    memory_unmap(links, link_capacity * sizeof(*links));
}

void link_reset_table(void)
{
    memset(links, 0, touched * sizeof(*links));
    used_count = 0;
    first_free = NO_LINK;
    touched = 0;
    lingering_count = 0;
}

uint32_t link_live_count(void)
{
    return used_count;
}

/* Connections whose handle was alive when all else was over. */
static void sweep(void)
{
    for (uint32_t i = 0; i < touched && lingering_count > 0; i++)
        if (links[i].used && links[i].lingers)
            link_release_if_over(i);
}

uint32_t link_create(bool outgoing, bool local)
{
    sweep();
    uint32_t index = first_free;
    uint32_t serial = 0;
    if (index != NO_LINK) {
        first_free = links[index].next;
        serial = links[index].serial;
    } else {
        if (touched == link_capacity)
            return NO_LINK;
        index = touched++;
    }
    struct link *link = &links[index];
    *link = (struct link){.used = true,
                          .outgoing = outgoing,
                          .local = local,
                          .file = NO_LINK,
                          .next = NO_LINK,
                          .serial = serial + 1};
    plan_peer(link);
    model_link_created(index);
    used_count++;
    return index;
}

void link_release_if_over(uint32_t index)
{
    struct link *link = &links[index];
    bool peer_done = link->reset || (link->peer_gone && link->out_seen == link->out_taken);
    bool all_seen = link->out_seen == link->out_taken || link->reset || link->peer_gone;
    if (!link->used || !link->file_gone || (link->lingers && model_socket(model_conn(index))) ||
        !all_seen || !(peer_done || link->file_gone))
        return;
    if (!model_link_over(index)) {
        link->lingers = true;
        lingering_count++;
        return;
    }
    lingering_count -= link->lingers;
    link->used = false;
    link->serial++;
    link->next = first_free;
    first_free = index;
    used_count--;
}

void link_established(uint32_t index, uint32_t file)
{
    struct link *link = &links[index];
    link->established = true;
    link->file = file;
    link->next = NO_LINK;
    peer_begin(index);
}

void link_was_read(uint32_t index)
{
    peer_may_write(index);
}

void link_was_written(uint32_t index)
{
    peer_may_read(index);
}

void link_reset_by_peer(uint32_t index, int error)
{
    struct link *link = &links[index];
    if (link->reset)
        return;
    trace("link %lld is reset, error %lld", index, error, 0, 0);
    link->reset = true;
    link->peer_gone = true;
    model_link_reset(index);
    if (link->established && !link->file_gone) {
        kernel.files[link->file].error = error;
        kernel_kick_receivers(link->file);
        kernel_kick_senders(link->file);
    }
    link_release_if_over(index);
}

void link_left_by_peer(uint32_t index)
{
    struct link *link = &links[index];
    trace("link %lld is left, %lld of %lld bytes were read", index, link->out_seen, link->out_taken,
          0);
    link->peer_gone = link->in_fin = true;
    link->in_size = link->in_written;
    if (link->out_seen < link->out_taken) {
        model_link_reset(index);
        link->error = ECONNRESET;
    }
    if (link->established && !link->file_gone) {
        kernel.files[link->file].error = link->error;
        kernel_kick_receivers(link->file);
        kernel_kick_senders(link->file);
    }
    link_release_if_over(index);
}

void link_file_closed(uint32_t index, bool abort)
{
    struct link *link = &links[index];
    model_file_closed(index, abort);
    proxy_file_closed(index);
    link->file_gone = true;
    link->out_fin = true;
    if (!link->local && (abort || link->in_read < link->in_written))
        link->reset = true;
    else
        peer_may_read(index);
    link_release_if_over(index);
}

uint8_t *link_room(struct link *link, size_t size)
{
    if (size > link->out_capacity - link->out_size)
        return NULL;
    return link->out + link->out_size;
}
