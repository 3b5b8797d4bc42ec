/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/socket.h"

#include "base/canary.h"
#include "base/check.h"
#include "runtime/buffer/buffer.h"
#include "runtime/owner/mailbox.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/close.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/send.h"
#include "runtime/stream/writable.h"

struct socket *socket_create(struct scheduler *scheduler, int fd, enum weir_family family,
                             enum socket_event first)
{
    struct socket *socket = socket_table_take(&scheduler->sockets);
    if (!socket)
        return NULL;
    socket->fd = fd;
    socket->family = (uint8_t)family;
    socket->active = WEIR_ACTIVE_FALSE;
    socket->bulk = true;
    list_init(&socket->link);
    socket_move(socket, first);
    return socket;
}

void socket_set_options(struct socket *socket, struct option_block *options)
{
    if (socket->options)
        option_block_drop(socket->options);
    socket->options = option_block_share(options);
    socket->bit8_seen = options->values.bit8 == WEIR_BIT8_SET;
}

void socket_set_owner(struct socket *socket, weir_owner owner)
{
    if (owner.mailbox)
        mailbox_keep(owner.mailbox);
    if (socket->owner.mailbox)
        mailbox_release(socket->owner.mailbox);
    socket->owner = owner;
}

void socket_move(struct socket *socket, enum socket_event event)
{
    socket->state = (uint8_t)socket_state_next((enum socket_state)socket->state, event);
}

void socket_unhold(struct scheduler *scheduler, struct socket *socket)
{
    CHECK_GT(socket->pending, 0);
    socket->pending--;
    socket_settle(scheduler, socket);
}

static void release_slot(struct scheduler *scheduler, struct socket *socket)
{
    socket_move(socket, SOCKET_RELEASE);
    if (socket->input)
        buffer_release(socket->input);
    send_free(scheduler, socket);
    if (socket->options)
        option_block_drop(socket->options);
    socket_set_owner(socket, weir_owned_by_nobody());
    list_remove(&socket->link);
    socket_table_free(&scheduler->sockets, socket);
}

/* A handler may be called from the turn only, and after the callbacks of its calls: those that are
 * being tried, or have come home, are finished in the next turn at the latest. */
static void release(struct scheduler *scheduler, struct socket *socket)
{
    if (!owner_waits_for_gone(socket->owner) || CANARY(FORGOTTEN_GONE))
        release_slot(scheduler, socket);
    else if (list_is_empty(&socket->link)) {
        list_append(&scheduler->settled, &socket->link);
        task_add(&scheduler->tasks, TASK_LAST, &scheduler->tell_gone);
    }
}

void socket_release_settled(struct scheduler *scheduler, struct task *task)
{
    struct list leaving;
    struct list *node;
    list_init(&leaving);
    list_move_all(&leaving, &scheduler->leaving);
    list_move_all(&scheduler->leaving, &scheduler->settled);
    while ((node = list_take(&leaving))) {
        struct socket *socket = list_entry(node, struct socket, link);
        owner_tell_gone(scheduler, socket);
        release_slot(scheduler, socket);
    }
    if (!list_is_empty(&scheduler->leaving))
        task_add(&scheduler->tasks, TASK_LAST, task);
}

void socket_connected(struct scheduler *scheduler, struct socket *socket)
{
    socket->connected = true;
    scheduler->totals.connections++;
}

static void note_descriptor_closed(struct scheduler *scheduler, struct socket *socket)
{
    scheduler->totals.connections -= socket->connected;
    socket->connected = false;
    scheduler_descriptor_closed(scheduler);
}

void socket_settle(struct scheduler *scheduler, struct socket *socket)
{
    if (socket->state != SOCKET_GONE && socket->state != SOCKET_CLOSED)
        return;
    if (send_queued_bytes(socket) > 0)
        return;
    receive_stop(scheduler, socket);
    writable_stop(scheduler, socket);
    if (socket->pending > send_notices(socket))
        return;
    if (socket->fd >= 0 && close_descriptor(socket))
        note_descriptor_closed(scheduler, socket);
    if (socket->state != SOCKET_CLOSED || socket->pending > 0)
        return;
    if (socket->receiver)
        call_complete(scheduler, socket->receiver, 0);
    socket->receiver = NULL;
    release(scheduler, socket);
}

weir_socket socket_handle(const struct scheduler *scheduler, const struct socket *socket)
{
    weir_socket handle = {(uint64_t)scheduler->index << HANDLE_INDEX_SHIFT |
                          (uint64_t)socket->generation << HANDLE_GENERATION_SHIFT | socket->slot};
    return handle;
}

struct socket *socket_find(struct scheduler *scheduler, weir_socket handle)
{
    struct socket *socket = socket_table_at(&scheduler->sockets, (uint32_t)handle.id);
    uint32_t generation = (uint32_t)(handle.id >> HANDLE_GENERATION_SHIFT) & GENERATION_MAX;
    if (!socket || socket->generation != generation)
        return NULL;
    bool live = socket->state == SOCKET_OPEN || socket->state == SOCKET_GONE ||
                socket->state == SOCKET_LISTENING;
    return live ? socket : NULL;
}
