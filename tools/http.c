/* SPDX-License-Identifier: MIT */
/*
 * The service `http`: HTTP/1.1. All of a request but its body comes as lines ({packet,line}), which
 * are cut where they are too long instead of ending the connection, so that the answer can be read.
 * Bodies are received by length with {packet,raw}.
 *
 * Whoever is told that a connection is over closes it; `gone`, the last that is told of it, frees
 * its state.
 *
 * Who sends a head byte by byte, or takes no answer, holds a descriptor for as long as he likes.
 * So connections that make no progress for --idle seconds are ended. Seconds are counted here, not
 * read off a clock: time in which this process does not run counts for nobody.
 */
#include "base/clock.h"
#include "base/list.h"
#include "base/memory.h"
#include "http_line.h"
#include "http_reply.h"
#include "http_request.h"
#include "service.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

enum { PIECE_BYTES_MAX = 65536, LINGER_MS = 2000 };

/* What is expected next. */
enum stage {
    REQUEST_LINE,
    HEADERS,
    BODY,
    CHUNK_SIZE,
    CHUNK,
    CHUNK_END,
    TRAILERS,
    SENDING,   /* nothing, before the peer has taken what it is owed */
    LINGERING, /* the peer's end, all else is thrown away */
    FINISHING, /* nothing any more: what it is owed is on its way */
    OVER,      /* `gone` */
};

/* How it is read: raw by calls, all else as messages. */
static const enum weir_packet_type packets[] = {
    [REQUEST_LINE] = WEIR_LINE, [HEADERS] = WEIR_LINE, [BODY] = WEIR_RAW,
    [CHUNK_SIZE] = WEIR_LINE,   [CHUNK] = WEIR_RAW,    [CHUNK_END] = WEIR_LINE,
    [TRAILERS] = WEIR_LINE,     [SENDING] = WEIR_RAW,  [LINGERING] = WEIR_RAW,
    [FINISHING] = WEIR_RAW,     [OVER] = WEIR_RAW,
};

struct connection {
    struct list link;
    weir_socket socket;
    enum stage stage;
    uint32_t since_s; /* the last progress */
    struct http_request request;
    uint64_t left_bytes; /* of the body, or of the chunk */
    uint64_t body_bytes; /* received */
    size_t asked_bytes;  /* of the body, by the call that waits */
    bool is_probing;     /* takes what is there of a piece that did not come whole */
    uint64_t linger_end_ms;
    uint64_t acked_bytes; /* by the peer, when that was last looked at */
    void (*sent)(struct connection *connection);
};

static weir_received took_piece, took_rubbish;

/* Set before there are connections. */
static uint32_t idle_limit_s;

/* Of this scheduler. */
static _Thread_local struct list connections;
static _Thread_local uint32_t passed_s;

void http_begin(uint32_t idle_s)
{
    idle_limit_s = idle_s;
}

static void end(struct connection *connection)
{
    connection->stage = OVER;
    weir_close(connection->socket);
}

/* What is queued is dropped, and the peer is told by a reset. */
static void cut(struct connection *connection)
{
    /* It may be gone by now: then there is nothing to drop. */
    (void)!weir_setopts(connection->socket, WEIR_OPTIONS(WEIR_LINGER(true, 0)));
    end(connection);
}

static void progress(struct connection *connection)
{
    connection->since_s = passed_s;
}

/* To become active hands out what is there already, perhaps up to the connection's end: its stage
 * is to be looked at afterwards. */
static void expect(struct connection *connection, enum stage stage)
{
    enum weir_packet_type before = packets[connection->stage];
    enum weir_packet_type packet = packets[stage];
    int active = packet == WEIR_RAW ? WEIR_ACTIVE_FALSE : WEIR_ACTIVE_TRUE;
    connection->stage = stage;
    progress(connection);
    if (packet != before)
        (void)!weir_setopts(connection->socket,
                            WEIR_OPTIONS(WEIR_PACKET(packet), WEIR_ACTIVE(active)));
}

static void all_sent(weir_socket socket, int result, void *data)
{
    struct connection *connection = data;
    (void)socket;
    if (connection->stage == OVER)
        return;
    if (result < 0)
        end(connection);
    else
        connection->sent(connection);
}

/* The peer does not read: it is not read from either, until what it is owed has been queued. */
static void send_text(struct connection *connection, weir_slice text,
                      void (*sent)(struct connection *connection))
{
    int result = weir_send(connection->socket, text.bytes, text.size);
    if (result == -EAGAIN) {
        connection->sent = sent;
        expect(connection, SENDING);
        result = weir_send_async(connection->socket, text.bytes, text.size, all_sent, connection);
    } else if (result == 0) {
        sent(connection);
    }
    if (result < 0)
        end(connection);
}

static uint64_t now_ms(void)
{
    return clock_now_ns() / 1000000;
}

/* Whether there is something left to send. */
static bool is_owed(const struct connection *connection)
{
    weir_statistics statistics;
    return weir_getstat(connection->socket, &statistics) == 0 && statistics.send_pend > 0;
}

/* Whether the peer has taken something since this was last asked. What is queued here moves only
 * when much of what the kernel holds has been taken, so it is the kernel that is asked. */
static bool has_taken(struct connection *connection)
{
    struct tcp_info info = {0};
    weir_option request = WEIR_RAW_REQUEST(IPPROTO_TCP, TCP_INFO, &info, sizeof(info));
    uint64_t before = connection->acked_bytes;
    if (weir_getopts(connection->socket, &request, 1) == 1)
        connection->acked_bytes = info.tcpi_bytes_acked;
    return connection->acked_bytes != before;
}

static void finish(struct connection *connection)
{
    if (is_owed(connection))
        expect(connection, FINISHING);
    else
        end(connection);
}

static void receive_rubbish(struct connection *connection)
{
    int64_t left_ms = (int64_t)(connection->linger_end_ms - now_ms());
    if (left_ms <= 0)
        finish(connection);
    else if (weir_recv_async(connection->socket, 0, left_ms, took_rubbish, connection) < 0)
        end(connection);
}

static void took_rubbish(weir_socket socket, int result, const weir_packet *packet, void *data)
{
    struct connection *connection = data;
    (void)socket;
    (void)packet;
    if (connection->stage == OVER)
        return;
    if (result < 0)
        finish(connection);
    else
        receive_rubbish(connection);
}

/* Closing with something unread would reset the connection, and the peer might never see the
 * answer. */
static void linger(struct connection *connection)
{
    connection->linger_end_ms = now_ms() + LINGER_MS;
    (void)!weir_shutdown(connection->socket, WEIR_WRITE);
    expect(connection, LINGERING);
    receive_rubbish(connection);
}

static void await_request(struct connection *connection)
{
    expect(connection, REQUEST_LINE);
}

static enum http_connection what_becomes_of(const struct http_request *request)
{
    if (request->status != HTTP_OK || !request->keep_alive)
        return HTTP_IS_CLOSED;
    return request->version_minor == 0 ? HTTP_IS_KEPT : HTTP_GOES_ON;
}

static void answer(struct connection *connection)
{
    const struct http_request *request = &connection->request;
    char text[HTTP_REPLY_SIZE];
    struct http_reply reply = {
        .status = request->status,
        .connection = what_becomes_of(request),
        .without_body = request->is_head,
        .body_bytes = connection->body_bytes,
    };
    size_t size = http_reply_write(&reply, text);
    send_text(connection, (weir_slice){text, size},
              reply.connection == HTTP_IS_CLOSED ? linger : await_request);
}

static void refuse(struct connection *connection, enum http_status status)
{
    connection->request.status = status;
    answer(connection);
}

/* How long a piece may take before it is looked at what there is of it. */
static int64_t patience_ms(void)
{
    enum { LOOKS_PER_LIMIT = 4 };
    uint32_t patience_s = idle_limit_s / LOOKS_PER_LIMIT;
    return 1000 * (int64_t)(patience_s > 0 ? patience_s : 1);
}

static void receive(struct connection *connection, size_t size, bool is_probing)
{
    connection->asked_bytes = size;
    connection->is_probing = is_probing;
    if (weir_recv_async(connection->socket, size, is_probing ? 0 : patience_ms(), took_piece,
                        connection) < 0)
        end(connection);
}

static void receive_piece(struct connection *connection)
{
    uint64_t left = connection->left_bytes;
    receive(connection, left < PIECE_BYTES_MAX ? left : PIECE_BYTES_MAX, false);
}

/* A piece has not come whole. Asking for half of it, a quarter and so on takes what there is of it,
 * and never a byte of what comes behind the body. */
static void probe(struct connection *connection)
{
    size_t half = connection->asked_bytes / 2;
    if (half > 0)
        receive(connection, half, true);
    else if (passed_s - connection->since_s > idle_limit_s)
        end(connection);
    else
        receive_piece(connection);
}

static void read_body(struct connection *connection)
{
    if (http_request_is_chunked(&connection->request)) {
        expect(connection, CHUNK_SIZE);
        return;
    }
    connection->left_bytes = connection->request.body_bytes;
    expect(connection, BODY);
    receive_piece(connection);
}

static void took_all(struct connection *connection)
{
    if (connection->stage == CHUNK)
        expect(connection, CHUNK_END);
    else
        answer(connection);
}

static void took_piece(weir_socket socket, int result, const weir_packet *packet, void *data)
{
    struct connection *connection = data;
    (void)socket;
    if (connection->stage == OVER)
        return;
    if (result == WEIR_TIMEOUT) {
        probe(connection);
        return;
    }
    if (result < 0) {
        end(connection);
        return;
    }
    progress(connection);
    connection->left_bytes -= packet->size;
    connection->body_bytes += packet->size;
    if (connection->left_bytes == 0)
        took_all(connection);
    else if (connection->is_probing)
        probe(connection);
    else
        receive_piece(connection);
}

/* Empty lines before a request are passed over: some clients send one behind a body. */
static void take_request_line(struct connection *connection, weir_slice line)
{
    if (line.size == 0)
        return;
    connection->body_bytes = 0;
    connection->stage = HEADERS;
    progress(connection);
    http_request_begin(&connection->request, line);
    if (connection->request.status != HTTP_OK)
        answer(connection);
}

static void take_end_of_head(struct connection *connection)
{
    struct http_request *request = &connection->request;
    http_request_end(request);
    bool has_body = http_request_is_chunked(request) || request->body_bytes > 0;
    if (request->status != HTTP_OK || !has_body)
        answer(connection);
    else if (request->expects_continue && request->version_minor > 0)
        send_text(connection, (weir_slice){"HTTP/1.1 100 Continue\r\n\r\n", 25}, read_body);
    else
        read_body(connection);
}

static void take_header(struct connection *connection, weir_slice line)
{
    if (line.size == 0) {
        take_end_of_head(connection);
        return;
    }
    http_request_add(&connection->request, line);
    if (connection->request.status != HTTP_OK)
        answer(connection);
}

static void take_chunk_size(struct connection *connection, weir_slice line)
{
    http_request_add_chunk(&connection->request, line, &connection->left_bytes);
    if (connection->request.status != HTTP_OK) {
        answer(connection);
    } else if (connection->left_bytes == 0) {
        expect(connection, TRAILERS);
    } else {
        expect(connection, CHUNK);
        receive_piece(connection);
    }
}

static void take_chunk_end(struct connection *connection, weir_slice line)
{
    if (line.size == 0)
        expect(connection, CHUNK_SIZE);
    else
        refuse(connection, HTTP_BAD_REQUEST);
}

static void take_trailer(struct connection *connection, weir_slice line)
{
    if (line.size > 0)
        http_request_add_trailer(&connection->request, line);
    if (line.size == 0 || connection->request.status != HTTP_OK)
        answer(connection);
}

/* Of each kind of line: who takes it, and what is said of one that is too long. */
static const struct {
    void (*take)(struct connection *connection, weir_slice line);
    enum http_status too_long;
    bool ends_with_cr; /* a line feed alone does not do */
} lines[] = {
    [REQUEST_LINE] = {take_request_line, HTTP_URI_TOO_LONG, false},
    [HEADERS] = {take_header, HTTP_HEAD_TOO_LARGE, false},
    [CHUNK_SIZE] = {take_chunk_size, HTTP_BAD_REQUEST, true},
    [CHUNK_END] = {take_chunk_end, HTTP_BAD_REQUEST, true},
    [TRAILERS] = {take_trailer, HTTP_HEAD_TOO_LARGE, false},
};

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct connection *connection = data;
    enum stage stage = connection->stage;
    weir_slice line;
    (void)socket;
    if (packets[stage] == WEIR_RAW)
        return;
    if (!http_line_text(packet, &line)) {
        if (stage == REQUEST_LINE)
            connection->request = (struct http_request){.status = HTTP_OK};
        refuse(connection, lines[stage].too_long);
    } else if (lines[stage].ends_with_cr && packet->size - line.size != 2) {
        refuse(connection, HTTP_BAD_REQUEST);
    } else {
        lines[stage].take(connection, line);
    }
}

/* Calls of their own bound how long it may be read from. */
static bool waits_for_bytes(const struct connection *connection)
{
    return connection->stage == BODY || connection->stage == CHUNK ||
           connection->stage == LINGERING || connection->stage == OVER;
}

static void look_after(struct connection *connection)
{
    if (connection->stage == FINISHING && !is_owed(connection))
        end(connection);
    if (waits_for_bytes(connection) || passed_s - connection->since_s <= idle_limit_s)
        return;
    if (!is_owed(connection))
        end(connection);
    else if (has_taken(connection))
        progress(connection);
    else
        cut(connection);
}

void http_each_second(weir_timer timer, void *unused)
{
    (void)timer;
    (void)unused;
    passed_s++;
    if (!connections.next)
        return;
    for (struct list *link = connections.next; link != &connections;) {
        struct connection *connection = list_entry(link, struct connection, link);
        link = link->next;
        look_after(connection);
    }
}

static void on_accepted(weir_socket socket, void *data)
{
    (void)data;
    if (!connections.next)
        list_init(&connections);
    struct connection *connection = memory_allocate_zeroed(1, sizeof(*connection));
    if (connection && weir_set_data(socket, connection) == 0) {
        connection->socket = socket;
        progress(connection);
        list_append(&connections, &connection->link);
        return;
    }
    memory_free(connection);
    weir_close(socket);
}

/* The peer has nothing more to say, but may still read. */
static void on_closed(weir_socket socket, void *data)
{
    struct connection *connection = data;
    if (!connection || connection->stage == OVER)
        return;
    (void)!weir_shutdown(socket, WEIR_WRITE);
    finish(connection);
}

static void on_gone(weir_socket socket, void *data)
{
    struct connection *connection = data;
    (void)socket;
    if (!connection)
        return;
    list_remove(&connection->link);
    memory_free(connection);
}

const weir_handler http_handler = {
    .accepted = on_accepted, .packet = on_packet, .closed = on_closed, .gone = on_gone};
