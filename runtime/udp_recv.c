/* SPDX-License-Identifier: MIT */
/* gen_udp:recv. */
#include <errno.h>

#include "base/error.h"
#include "runtime/datagram/collect.h"
#include "runtime/datagram/datagram.h"
#include "runtime/receive_call.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include <weir/udp.h>

static int check(struct datagram *socket)
{
    if (socket->active != WEIR_ACTIVE_FALSE)
        return error_say(-EINVAL, "recv: the socket is active");
    if (socket->caller)
        return error_say(-EALREADY, "recv: somebody waits already");
    return datagram_take_error(socket);
}

static int run_recv(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct datagram *socket = datagram_of(slot);
    int result = check(socket);
    if (result < 0)
        return result;
    socket->caller = call;
    call_set_timeout(scheduler, call);
    collect_go_on(scheduler, socket);
    return CALL_WAITS;
}

static void leave_recv(struct scheduler *scheduler, struct call *call)
{
    struct datagram *socket = datagram_find(scheduler, call->socket);
    if (socket && socket->caller == call)
        socket->caller = NULL;
}

static const struct call_operation operation_recv_datagram = {
    .name = "weir_udp_recv",
    .run = run_recv,
    .leave = leave_recv,
    .kinds = 1 << KIND_DATAGRAM,
    .other_result = -ENOTCONN,
    .dead_result = WEIR_CLOSED,
    .may_wait = true,
};

int weir_udp_recv(weir_socket socket, int64_t timeout_ms, weir_packet *packet)
{
    return receive_make(&operation_recv_datagram, socket, 0, timeout_ms, packet);
}

int weir_udp_recv_async(weir_socket socket, int64_t timeout_ms, weir_received *received, void *data)
{
    return receive_make_async(&operation_recv_datagram, socket, 0, timeout_ms,
                              &(struct receive_answer){received, data});
}
