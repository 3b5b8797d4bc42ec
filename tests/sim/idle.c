/* SPDX-License-Identifier: MIT */
/* {idle_timeout,_}: a connection is closed when it has had no byte for so long, not before, and
 * not much later. */
#include "runtime/ring/operation.h"
#include "runtime/ring/ring.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/stream.h"
#include "sim/kernel.h"
#include "sim/link.h"
#include "sim/model.h"
#include "sim/pending.h"
#include "sim/slow.h"
#include "sim/trace.h"

/* Completions that say so may be as late as that. */
enum { MS = 1000000, LATE_MOST_MS = 15 };

void model_watch_idle(struct conn *conn, int64_t limit_ms)
{
    conn->idle_ms = limit_ms < 0 ? 0 : (uint64_t)limit_ms;
    conn->bytes_ns = kernel.now_ns;
}

static bool brings_bytes(const struct ring_completion *completion)
{
    uint32_t operation = operation_of(completion->user_data);
    if (operation_is_cancel(completion->user_data))
        return false;
    return completion->result > 0 && (operation == STREAM_RECEIVE ||
                                      operation == STREAM_RECEIVE_INTO || operation == STREAM_SEND);
}

void model_completed(const struct scheduler *scheduler, const struct ring_completion *completion)
{
    const struct slot *slot =
        slot_table_at(&scheduler->slots, operation_slot(completion->user_data));
    if (!brings_bytes(completion) || !slot || slot->fd < 0 || slot->state != SOCKET_OPEN ||
        slot->generation != operation_generation(completion->user_data))
        return;
    model_conn(kernel_file(slot->fd)->link)->bytes_ns = scheduler->now_ns;
}

void model_received_by_call(uint32_t link)
{
    model_conn(link)->bytes_ns = scheduler_current()->now_ns;
}

static void check_early(const struct conn *conn)
{
    uint64_t least_ns = conn->bytes_ns + conn->idle_ms * MS;
    uint64_t slack_ns = (uint64_t)4 * MS + slow_since_ns(conn->bytes_ns);
    if (model_lenient)
        return;
    SIM_CHECK(conn->idle_ms > 0, "link %u times out, and was not to", model_link(conn));
    SIM_CHECK(kernel.now_ns + slack_ns >= least_ns, "link %u times out %llu us too early",
              model_link(conn), (unsigned long long)(least_ns - kernel.now_ns) / 1000);
}

void __real_delivery_time_out(struct scheduler *scheduler, struct stream *socket);
void __wrap_delivery_time_out(struct scheduler *scheduler, struct stream *socket);

/* What is queued is lost, and who waits in recv is answered in time. */
void __wrap_delivery_time_out(struct scheduler *scheduler, struct stream *socket)
{
    struct conn *conn = model_conn(kernel_file(socket->slot.fd)->link);
    trace("link %lld is idle", model_link(conn), 0, 0, 0);
    if (weir_same_socket(conn->handle, slot_handle(scheduler, &socket->slot)))
        check_early(conn);
    conn->timed_out = conn->may_lose = true;
    if (conn->receiver && socket->waiter)
        pending_at(conn->receiver - 1)->deadline_ns = kernel.now_ns;
    __real_delivery_time_out(scheduler, socket);
}

void model_check_idle(void)
{
    for (uint32_t i = 0; i < link_capacity; i++) {
        const struct conn *conn = model_conn(i);
        const struct stream *socket =
            links[i].used && conn->idle_ms > 0 ? model_socket(conn) : NULL;
        if (!socket || socket->slot.state != SOCKET_OPEN || model_stopping)
            continue;
        uint64_t most_ns = conn->bytes_ns + (conn->idle_ms + LATE_MOST_MS) * MS;
        SIM_CHECK(kernel.now_ns <= most_ns + slow_since_ns(conn->bytes_ns),
                  "link %u is idle for %llu ms, of %llu", i,
                  (unsigned long long)(kernel.now_ns - conn->bytes_ns) / MS,
                  (unsigned long long)conn->idle_ms);
    }
}
