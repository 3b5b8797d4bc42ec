/* SPDX-License-Identifier: MIT */
#include "load/connection.h"

#include "base/clock.h"
#include "load/stamped.h"
#include "load/traffic.h"

#include <errno.h>

static bool is_its_socket(const struct connection *connection, weir_socket socket)
{
    return connection->state == CONNECTION_OPEN && weir_same_socket(connection->socket, socket);
}

static void send_request(struct connection *connection, struct request *request)
{
    const struct protocol *protocol = connection->traffic->protocol;
    int result = protocol->send(connection, request);
    /* Its queue is over the high mark: this one waits behind it. `unbusy` sends it. */
    if (result == -EAGAIN)
        request->sent_ns = 0;
    else if (result < 0)
        connection_fail(connection, result == WEIR_CLOSED ? OUTCOME_CLOSED : OUTCOME_RESET);
}

static struct request *request_at(const struct connection *connection, uint32_t index)
{
    return &connection->requests[(connection->first + index) % connection->traffic->plan->depth];
}

static void send_unsent(struct connection *connection)
{
    for (uint32_t i = 0; i < connection->count && connection->state == CONNECTION_OPEN; i++) {
        struct request *request = request_at(connection, i);
        if (request->sent_ns != 0)
            continue;
        request->sent_ns = clock_now_ns();
        send_request(connection, request);
        if (connection->state != CONNECTION_OPEN || request->sent_ns == 0)
            return;
    }
}

/* The oldest that could not be sent yet, if there is one, goes before it. */
static bool has_unsent(const struct connection *connection)
{
    return connection->count > 1 && request_at(connection, connection->count - 2)->sent_ns == 0;
}

void connection_request(struct connection *connection, const struct request *request)
{
    struct request *added = request_at(connection, connection->count++);
    *added = *request;
    added->number = connection->number++;
    if (connection->state == CONNECTION_DOWN)
        connection_open(connection);
    else if (connection->state == CONNECTION_OPEN && has_unsent(connection))
        added->sent_ns = 0;
    else if (connection->state == CONNECTION_OPEN)
        send_request(connection, added);
}

const struct request *connection_oldest(const struct connection *connection)
{
    return connection->count > 0 ? request_at(connection, 0) : NULL;
}

const struct request *connection_awaited(const struct connection *connection)
{
    const struct request *oldest = connection_oldest(connection);
    bool is_sent = oldest && oldest->sent_ns != 0 && oldest->sent_ns < connection->now_ns;
    return is_sent ? oldest : NULL;
}

static void take_oldest(struct connection *connection, enum outcome outcome, uint64_t now_ns)
{
    struct request request = *request_at(connection, 0);
    connection->first = (connection->first + 1) % connection->traffic->plan->depth;
    connection->count--;
    if (!request.is_done)
        traffic_done(connection, &request, outcome, now_ns);
}

static void reset_reply(struct reply *reply)
{
    *reply = (struct reply){.head = reply->head};
}

void connection_fail(struct connection *connection, enum outcome outcome)
{
    if (connection->state != CONNECTION_OPEN)
        return;
    uint64_t now_ns = clock_now_ns();
    connection->state = CONNECTION_DOWN;
    if (connection->stamped)
        stamped_close(connection->stamped);
    weir_close(connection->socket);
    reset_reply(&connection->reply);
    while (connection->count > 0)
        take_oldest(connection, outcome, now_ns);
    traffic_is_down(connection);
}

static void note_queue(const struct connection *connection, const struct request *request,
                       uint64_t received_ns)
{
    if (received_ns && request->is_measured)
        traffic_queued(connection->traffic, received_ns);
}

void connection_replied(struct connection *connection, enum outcome outcome)
{
    uint64_t now_ns = connection->now_ns;
    bool is_last = connection->reply.is_last || connection->traffic->plan->churn;
    if (connection->stamped)
        note_queue(connection, request_at(connection, 0), connection->stamped->received_ns);
    reset_reply(&connection->reply);
    take_oldest(connection, outcome, now_ns);
    if (is_last)
        connection_fail(connection, OUTCOME_CLOSED);
    else
        traffic_has_room(connection, now_ns);
}

/* The oldest has just got its outcome: it leaves, and with it those behind it that had theirs. */
static void leave_done(struct connection *connection, uint64_t now_ns)
{
    while (connection->state == CONNECTION_OPEN && connection->count > 0 &&
           request_at(connection, 0)->is_done) {
        take_oldest(connection, OUTCOME_OK, now_ns);
        if (connection->traffic->plan->churn)
            connection_fail(connection, OUTCOME_CLOSED);
        else
            traffic_has_room(connection, now_ns);
    }
}

static void finish_datagram(struct connection *connection, uint32_t i, enum outcome outcome,
                            uint64_t now_ns)
{
    struct request *request = request_at(connection, i);
    request->is_done = true;
    traffic_done(connection, request, outcome, now_ns);
    leave_done(connection, now_ns);
}

void connection_expire(struct connection *connection, uint64_t now_ns)
{
    if (!connection->traffic->protocol->is_unordered) {
        connection_fail(connection, OUTCOME_TIMEOUT);
    } else if (connection->state == CONNECTION_OPEN) {
        connection->late_count++;
        finish_datagram(connection, 0, OUTCOME_TIMEOUT, now_ns);
    }
}

const struct request *connection_on_its_way(const struct connection *connection, uint32_t i)
{
    const struct request *request = i < connection->count ? request_at(connection, i) : NULL;
    return request && request->sent_ns != 0 ? request : NULL;
}

void connection_replied_to(struct connection *connection, uint32_t i, uint64_t received_ns)
{
    note_queue(connection, request_at(connection, i), received_ns);
    finish_datagram(connection, i, OUTCOME_OK, connection->now_ns);
}

void connection_answered_nothing(struct connection *connection)
{
    if (connection->late_count > 0)
        connection->late_count--;
    else
        connection_fail(connection, OUTCOME_CONTENT);
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct connection *connection = data;
    if (!is_its_socket(connection, socket))
        return;
    connection->now_ns = clock_now_ns();
    connection->traffic->protocol->take(connection, packet);
}

static void on_unbusy(weir_socket socket, void *data)
{
    if (is_its_socket(data, socket))
        send_unsent(data);
}

static void on_error(weir_socket socket, int error, void *data)
{
    (void)error;
    if (is_its_socket(data, socket))
        connection_fail(data, OUTCOME_RESET);
}

void connection_ended(struct connection *connection)
{
    if (connection->traffic->protocol->take_end)
        connection->traffic->protocol->take_end(connection);
    connection_fail(connection, OUTCOME_CLOSED);
}

static void on_closed(weir_socket socket, void *data)
{
    struct connection *connection = data;
    connection->now_ns = clock_now_ns();
    if (is_its_socket(connection, socket))
        connection_ended(connection);
}

/* When the runtime stops it is ended by nobody here. */
static void on_gone(weir_socket socket, void *data)
{
    struct connection *connection = data;
    if (is_its_socket(connection, socket) && connection->stamped)
        stamped_close(connection->stamped);
}

static const weir_handler handler = {.packet = on_packet,
                                     .unbusy = on_unbusy,
                                     .error = on_error,
                                     .closed = on_closed,
                                     .gone = on_gone};

static int begin_receiving(struct connection *connection)
{
    int result = connection->stamped ? stamped_open(connection) : 0;
    if (result < 0)
        weir_close(connection->socket);
    return result;
}

static void on_opened(weir_socket socket, int result, void *data)
{
    struct connection *connection = data;
    connection->socket = socket;
    if (result >= 0)
        result = begin_receiving(connection);
    if (result < 0) {
        uint64_t now_ns = clock_now_ns();
        connection->state = CONNECTION_DOWN;
        while (connection->count > 0)
            take_oldest(connection, OUTCOME_RESET, now_ns);
        traffic_not_opened(connection, result);
        return;
    }
    connection->state = CONNECTION_OPEN;
    connection->late_count = 0;
    traffic_opened(connection);
    send_unsent(connection);
}

static void on_peer_known(weir_socket socket, int result, void *data)
{
    if (result < 0)
        weir_close(socket);
    on_opened(socket, result, data);
}

static int open_datagrams(struct connection *connection, const weir_option *options,
                          int64_t timeout_ms)
{
    const struct target *target = &connection->traffic->plan->target;
    weir_socket socket;
    int result = weir_udp_open(connection->traffic->runtime, 0, options,
                               weir_handled_by(&handler, connection), &socket);
    if (result < 0)
        return result;
    result = weir_udp_connect_to_async(socket, target->host, target->port, timeout_ms,
                                       on_peer_known, connection);
    if (result < 0)
        weir_close(socket);
    return result;
}

static int open_stream(struct connection *connection, const weir_option *options,
                       int64_t timeout_ms)
{
    const struct target *target = &connection->traffic->plan->target;
    return weir_tcp_connect_async(connection->traffic->runtime, target->host, target->port, options,
                                  weir_handled_by(&handler, connection), timeout_ms, on_opened,
                                  connection);
}

void connection_open(struct connection *connection)
{
    struct traffic *traffic = connection->traffic;
    const struct plan *plan = traffic->plan;
    size_t list = plan->source_count ? connection->index % plan->source_count : 0;
    const weir_option *options = traffic->options + list * traffic->option_count;
    int64_t timeout_ms = (int64_t)(plan->timeout_ns / 1000000 + 1);
    connection->state = CONNECTION_CONNECTING;
    traffic->connecting_count++;
    for (uint32_t i = 0; i < connection->count; i++)
        request_at(connection, i)->sent_ns = 0;
    int result = plan->target.scheme == TARGET_UDP ? open_datagrams(connection, options, timeout_ms)
                                                   : open_stream(connection, options, timeout_ms);
    if (result < 0)
        on_opened((weir_socket){0}, result, connection);
}
