/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/socket.h"

#include "base/check.h"
#include "runtime/scheduler/scheduler.h"

struct socket *socket_create(struct scheduler *scheduler, enum kind_number kind, int fd,
                             enum weir_family family)
{
    struct socket *socket = socket_table_take(&scheduler->sockets);
    if (!socket)
        return NULL;
    socket->kind = (uint8_t)kind;
    socket->fd = fd;
    socket->family = (uint8_t)family;
    socket->active = WEIR_ACTIVE_FALSE;
    socket->bulk = true;
    list_init(&socket->link);
    return socket;
}

void socket_set_options(struct socket *socket, struct option_block *options)
{
    if (socket->options)
        option_block_drop(socket->options);
    socket->options = option_block_share(options);
    socket->bit8_seen = options->values.bit8 == WEIR_BIT8_SET;
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

static const struct kind *kind_of(const struct scheduler *scheduler, const struct socket *socket)
{
    return scheduler->kinds[socket->kind];
}

void socket_free(struct scheduler *scheduler, struct socket *socket)
{
    socket_move(socket, SOCKET_RELEASE);
    if (socket->options)
        option_block_drop(socket->options);
    socket_table_free(&scheduler->sockets, socket);
}

void socket_settle(struct scheduler *scheduler, struct socket *socket)
{
    const struct kind *kind = kind_of(scheduler, socket);
    if (socket->state != SOCKET_GONE && socket->state != SOCKET_CLOSED)
        return;
    if (!kind->settled(scheduler, socket))
        return;
    if (socket->fd >= 0 && kind->give_up_descriptor(scheduler, socket))
        scheduler_descriptor_closed(scheduler);
    if (socket->state == SOCKET_CLOSED && socket->pending == 0)
        kind->release(scheduler, socket);
}

void socket_end(struct scheduler *scheduler, struct socket *socket, enum ending ending)
{
    kind_of(scheduler, socket)->end(scheduler, socket, ending);
}

void socket_end_all(struct scheduler *scheduler, enum ending ending)
{
    for (uint32_t slot = 0; slot < socket_table_size(&scheduler->sockets); slot++) {
        struct socket *socket = socket_table_at(&scheduler->sockets, slot);
        if (socket->state != SOCKET_FREE)
            socket_end(scheduler, socket, ending);
    }
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
