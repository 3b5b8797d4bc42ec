/* SPDX-License-Identifier: MIT */
#include "sim/act.h"

#include <errno.h>
#include <string.h>

#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/receive_call.h"
#include "runtime/stream/busy.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/output.h"
#include "runtime/stream/stream.h"
#include "sim/afar.h"
#include "sim/dice.h"
#include "sim/expect.h"
#include "sim/kernel.h"
#include "sim/link.h"
#include "sim/pending.h"
#include "sim/plan.h"
#include "sim/post.h"
#include "sim/process.h"
#include "sim/program.h"
#include "sim/trace.h"
#include "sim/turns.h"
#include "sim/udp_model.h"
#include <weir/error.h>

static struct stream *live_socket(const struct conn *conn)
{
    return model_live_stream(conn->handle);
}

uint64_t act_sum_of(const weir_packet *packet)
{
    const uint8_t *bytes = packet->bytes - packet->header_size;
    uint64_t sum = expect_whole_size(packet);
    for (size_t i = 0; i < expect_whole_size(packet); i++)
        sum = (sum ^ bytes[i]) * 1099511628211u;
    return sum;
}

int __real_weir_packet_keep(const weir_packet *packet, weir_packet *kept);
int __wrap_weir_packet_keep(const weir_packet *packet, weir_packet *kept);

/* The one whose recv is given this packet; NULL: it is kept by somebody else. */
static struct conn *receiving_conn(const weir_packet *kept)
{
    for (uint32_t i = 0; i < link_capacity; i++) {
        struct conn *conn = model_conn(i);
        const struct stream *socket = conn->receiver ? model_socket(conn) : NULL;
        if (socket && socket->waiter && kept == &receive_call_of(socket->waiter)->packet)
            return conn;
    }
    return NULL;
}

static int keep_datagram(struct udp_view *view, const weir_packet *packet, weir_packet *kept)
{
    struct pending *pending = pending_at(view->receiver - 1);
    weir_packet copy = *packet;
    int result = __real_weir_packet_keep(packet, kept);
    if (result < 0 || view->forsaken)
        return result;
    udp_model_received(view, &copy);
    pending->given = true;
    pending->sum = act_sum_of(packet);
    return result;
}

/* A recv has its packet from here on, whenever and wherever it calls back. */
int __wrap_weir_packet_keep(const weir_packet *packet, weir_packet *kept)
{
    struct udp_view *view = packet->datagram ? udp_model_receiving(kept) : NULL;
    if (view)
        return keep_datagram(view, packet, kept);
    struct conn *conn = receiving_conn(kept);
    if (conn && !conn->forsaken) {
        struct pending *pending = pending_at(conn->receiver - 1);
        weir_packet copy = *packet;
        int result = __real_weir_packet_keep(packet, kept);
        if (result < 0)
            return result;
        model_received_packet(conn, &copy, pending->length);
        pending->given = true;
        pending->sum = act_sum_of(packet);
        return result;
    }
    return __real_weir_packet_keep(packet, kept);
}

/* A thread has taken it without its scheduler. */
void act_taken(struct conn *conn, struct pending *pending, const weir_packet *packet)
{
    SIM_CHECK(!pending->refused, "recv took what was to be refused");
    if (!conn->forsaken)
        model_received_packet(conn, packet, pending->length);
    pending->given = true;
    pending->sum = act_sum_of(packet);
}

void act_received(weir_socket handle, int result, const weir_packet *packet, void *data)
{
    struct pending *pending = data;
    struct conn *conn = model_conn(pending->link);
    bool same = links[pending->link].serial == pending->link_serial;
    bool own = same && act_is_own(conn);
    (void)handle;
    pending_called(pending, PENDING_RECEIVE, result);
    process_waited(result);
    SIM_CHECK((result == 0) == (packet != NULL), "recv gave %s and %s packet",
              weir_error_name(result), packet ? "a" : "no");
    if (same && conn->receiver == pending_index(pending) + 1)
        conn->receiver = 0;
    if (same && packet && !conn->forsaken)
        SIM_CHECK(pending->given && pending->sum == act_sum_of(packet), "recv gave another packet");
    if (same && !pending->refused && result != 0 && result != WEIR_TIMEOUT &&
        result != WEIR_KILLED && result != -ECANCELED)
        conn->end_seen = true;
    pending_end(pending);
    if (own && packet && dice_chance(program_style.echo))
        act_send_packet(conn, packet);
    if (own && live_socket(conn) && (dice_chance(500) || (result == -EINVAL && turns_insist())))
        act_receive(conn);
}

static int expected_of_receive(const struct conn *conn, const struct stream *socket, size_t length)
{
    if (!socket)
        return WEIR_CLOSED;
    if (socket->slot.state == SOCKET_GONE)
        return 0;
    if (socket->active != WEIR_ACTIVE_FALSE)
        return -EINVAL;
    if (length > 0 && stream_values(socket)->packet != WEIR_RAW)
        return -EINVAL;
    return conn->receiver && socket->waiter ? -EALREADY : 0;
}

void act_foresee_receive(struct conn *conn, struct pending *pending, uint64_t now_ns)
{
    pending->expected = expected_of_receive(conn, live_socket(conn), pending->length);
    pending->refused = pending->expected != 0;
    if (pending->timeout_ms >= 0)
        pending->deadline_ns = now_ns + (uint64_t)pending->timeout_ms * 1000000u;
    if (!pending->refused)
        conn->receiver = pending_index(pending) + 1;
}

/* A recv to be; NULL: too many. */
struct pending *act_begin_receive(const struct conn *conn)
{
    struct pending *pending = pending_begin(PENDING_RECEIVE);
    if (!pending)
        return NULL;
    pending->length = dice_chance(600) ? 0 : dice_size(3000);
    pending->timeout_ms = dice_chance(400) ? WEIR_INFINITY : (int64_t)dice_below(50);
    pending->link = model_link(conn);
    pending->link_serial = links[pending->link].serial;
    pending->before_gone = act_before_gone(conn);
    return pending;
}

void act_receive(struct conn *conn)
{
    struct pending *pending = act_begin_receive(conn);
    if (!pending)
        return;
    uint32_t receiver = conn->receiver;
    act_foresee_receive(conn, pending, kernel.now_ns);
    int result =
        weir_recv_async(conn->handle, pending->length, pending->timeout_ms, act_received, pending);
    trace("link %lld: recv_async of %lld, call %lld: %lld", pending->link, (int64_t)pending->length,
          pending_index(pending), result);
    pending->returned = true;
    if (result == 0)
        return;
    SIM_CHECK(pending_may_be_refused(pending, result), "recv_async gave %s",
              weir_error_name(result));
    conn->receiver = receiver;
    pending_end(pending);
}
