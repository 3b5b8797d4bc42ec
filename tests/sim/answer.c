/* SPDX-License-Identifier: MIT */
/* Calls are answered long before they call back, and much may happen in between: what an answer
 * must be is judged when it is given. */
#include <errno.h>

#include "runtime/scheduler/call.h"
#include "runtime/stream/stream.h"
#include "sim/act.h"
#include "sim/expect.h"
#include "sim/link.h"
#include "sim/pending.h"
#include "sim/trace.h"
#include "sim/udp_model.h"
#include "sim/udp_named.h"
#include <weir/error.h>

static bool is_udp(const struct pending *pending)
{
    return pending->kind == PENDING_UDP_SEND || pending->kind == PENDING_UDP_RECEIVE ||
           pending->kind == PENDING_UDP_CONNECT;
}

static struct conn *conn_of(const struct pending *pending)
{
    bool same = links[pending->link].serial == pending->link_serial;
    return same ? model_conn(pending->link) : NULL;
}

/* A send that waited was not accepted, so those behind it are next. */
static void judge_send(struct pending *pending, struct conn *conn)
{
    model_note_resumed(conn);
    if (pending->bytes)
        act_forget_suspended(conn, pending);
}

/* While it is being made, who makes it looks. */
static void judge(const struct call *call, int result)
{
    struct pending *pending = pending_of(call);
    if (pending && pending->kind == PENDING_UDP_NAMED) {
        udp_named_judge(pending, call, result);
        return;
    }
    if (pending && is_udp(pending)) {
        if (pending->kind == PENDING_UDP_SEND && pending->returned)
            udp_model_answered(pending, result);
        return;
    }
    struct conn *conn = result < 0 && pending && pending->returned ? conn_of(pending) : NULL;
    if (!conn)
        return;
    if (pending->kind == PENDING_SEND)
        judge_send(pending, conn);
    else if (pending->kind == PENDING_RECEIVE && result == -EMSGSIZE && !conn->forsaken)
        SIM_CHECK(expect_invalid(conn), "recv gave emsgsize, and what comes next is a good packet");
}

void __real_call_complete(struct scheduler *scheduler, struct call *call, int result);
void __wrap_call_complete(struct scheduler *scheduler, struct call *call, int result);

void __wrap_call_complete(struct scheduler *scheduler, struct call *call, int result)
{
    judge(call, result);
    __real_call_complete(scheduler, call, result);
}

int __real_busy_suspend(struct scheduler *scheduler, struct stream *socket, struct call *call);
int __wrap_busy_suspend(struct scheduler *scheduler, struct stream *socket, struct call *call);

/* Those that wait are accepted in the order in which they came. */
int __wrap_busy_suspend(struct scheduler *scheduler, struct stream *socket, struct call *call)
{
    struct pending *pending = pending_of(call);
    struct conn *conn = pending ? conn_of(pending) : NULL;
    int result = __real_busy_suspend(scheduler, socket, call);
    if (conn && result == CALL_WAITS)
        act_suspend(conn, pending);
    return result;
}

int __real_busy_cross(struct scheduler *scheduler, struct stream *socket, struct call *call);
int __wrap_busy_cross(struct scheduler *scheduler, struct stream *socket, struct call *call);

/* Its bytes are queued, and its time may be over at once, with the socket. */
int __wrap_busy_cross(struct scheduler *scheduler, struct stream *socket, struct call *call)
{
    struct pending *pending = pending_of(call);
    struct conn *conn = pending ? conn_of(pending) : NULL;
    if (conn && pending->bytes && !conn->first_suspended && conn->sends < socket->sent.count) {
        model_accepted(conn, pending->bytes, pending->length);
        pending->bytes = NULL;
    }
    return __real_busy_cross(scheduler, socket, call);
}

void __real_busy_expire(struct scheduler *scheduler, struct call *call);
void __wrap_busy_expire(struct scheduler *scheduler, struct call *call);

/* Before those behind it go on. */
void __wrap_busy_expire(struct scheduler *scheduler, struct call *call)
{
    judge(call, WEIR_TIMEOUT);
    __real_busy_expire(scheduler, call);
}
