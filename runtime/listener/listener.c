/* SPDX-License-Identifier: MIT */
#include "runtime/listener/listener.h"

#include "base/system.h"
#include "runtime/listener/accept.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/socket.h"

static void end(struct scheduler *scheduler, struct socket *socket, enum ending ending)
{
    (void)ending;
    if (socket->state != SOCKET_LISTENING)
        return;
    socket_hold(socket);
    accept_close(scheduler, socket);
    socket_move(socket, SOCKET_CLOSE);
    socket_unhold(scheduler, socket);
}

static bool settled(struct scheduler *scheduler, struct socket *socket)
{
    (void)scheduler;
    return socket->pending == 0;
}

static bool give_up_descriptor(struct scheduler *scheduler, struct socket *socket)
{
    (void)scheduler;
    system_close(socket->fd);
    socket->fd = -1;
    return true;
}

/* Who has closed it finds its port free. */
static void release(struct scheduler *scheduler, struct socket *socket)
{
    if (socket->receiver)
        call_complete(scheduler, socket->receiver, 0);
    socket_free(scheduler, socket);
}

const struct kind kind_listener = {
    .name = "listener",
    .operations = {[OPERATION_IN_KIND(LISTENER_ACCEPT)] = {accept_completed, accept_is_cancelled,
                                                           accept_discard}},
    .end = end,
    .settled = settled,
    .give_up_descriptor = give_up_descriptor,
    .release = release,
};
