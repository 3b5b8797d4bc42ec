/* SPDX-License-Identifier: MIT */
/*
 * The service `http`: HTTP/1.1 on {packet,http_bin}. Request lines and headers come as messages,
 * bodies are read by length with {packet,raw}, chunks also with {packet,line} and
 * {packet,httph_bin}.
 *
 * A connection is either active or waits for one call of its own. So its end is told to one
 * place only, which frees it.
 *
 * Who sends a head byte by byte, or takes no answer, holds a descriptor for as long as he likes.
 * So those that make no progress are ended, which is looked for once a second.
 */
#include "base/clock.h"
#include "base/list.h"
#include "base/memory.h"
#include "http_reply.h"
#include "http_request.h"
#include "service.h"

#include <errno.h>
#include <string.h>

enum { PIECE_BYTES_MAX = 65536, BODY_TIMEOUT_MS = 60000, LINGER_MS = 2000 };

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
};

/* How it is read: raw by calls, all else as messages. */
static const enum weir_packet_type packets[] = {
    [REQUEST_LINE] = WEIR_HTTP_BIN, [HEADERS] = WEIR_HTTP_BIN, [BODY] = WEIR_RAW,
    [CHUNK_SIZE] = WEIR_LINE,       [CHUNK] = WEIR_RAW,        [CHUNK_END] = WEIR_LINE,
    [TRAILERS] = WEIR_HTTPH_BIN,    [SENDING] = WEIR_RAW,      [LINGERING] = WEIR_RAW,
};

struct connection {
    struct list link;
    weir_socket socket;
    enum stage stage;
    uint32_t since_s; /* the last progress */
    struct http_request request;
    uint64_t left_bytes; /* of the body, or of the chunk */
    uint64_t body_bytes; /* received */
    uint64_t linger_end_ms;
    void (*sent)(struct connection *connection);
};

static weir_received took_piece, took_rubbish;

/* Of this scheduler. */
static _Thread_local struct list connections;
static _Thread_local uint32_t passed_s;

static void end(struct connection *connection)
{
    weir_close(connection->socket);
    list_remove(&connection->link);
    memory_free(connection);
}

/* To become active hands out what is there already, perhaps up to the connection's end: it must
 * not be touched afterwards. */
static void expect(struct connection *connection, enum stage stage)
{
    enum weir_packet_type before = packets[connection->stage];
    enum weir_packet_type packet = packets[stage];
    int active = packet == WEIR_RAW ? WEIR_ACTIVE_FALSE : WEIR_ACTIVE_TRUE;
    connection->stage = stage;
    connection->since_s = passed_s;
    if (packet != before)
        (void)!weir_setopts(connection->socket,
                            WEIR_OPTIONS(WEIR_PACKET(packet), WEIR_ACTIVE(active)));
}

static void all_sent(weir_socket socket, int result, void *data)
{
    struct connection *connection = data;
    (void)socket;
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

static void receive(struct connection *connection)
{
    size_t size =
        connection->left_bytes < PIECE_BYTES_MAX ? connection->left_bytes : PIECE_BYTES_MAX;
    if (weir_recv_async(connection->socket, size, BODY_TIMEOUT_MS, took_piece, connection) < 0)
        end(connection);
}

static uint64_t now_ms(void)
{
    return clock_now_ns() / 1000000;
}

static void receive_rubbish(struct connection *connection)
{
    int64_t left_ms = (int64_t)(connection->linger_end_ms - now_ms());
    if (left_ms <= 0 ||
        weir_recv_async(connection->socket, 0, left_ms, took_rubbish, connection) < 0)
        end(connection);
}

static void took_rubbish(weir_socket socket, int result, const weir_packet *packet, void *data)
{
    (void)socket;
    (void)packet;
    if (result < 0)
        end(data);
    else
        receive_rubbish(data);
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

static void read_body(struct connection *connection)
{
    if (connection->request.body == HTTP_BODY_CHUNKED) {
        expect(connection, CHUNK_SIZE);
        return;
    }
    connection->left_bytes = connection->request.body_bytes;
    expect(connection, BODY);
    receive(connection);
}

static void took_piece(weir_socket socket, int result, const weir_packet *packet, void *data)
{
    struct connection *connection = data;
    (void)socket;
    if (result < 0) {
        end(connection);
        return;
    }
    connection->left_bytes -= packet->size;
    connection->body_bytes += packet->size;
    if (connection->left_bytes > 0)
        receive(connection);
    else if (connection->stage == CHUNK)
        expect(connection, CHUNK_END);
    else
        answer(connection);
}

/* Empty lines before a request are passed over: some clients send one behind a body. */
static bool is_empty_line(const weir_packet *packet)
{
    return packet->http->kind == WEIR_HTTP_ERROR && packet->size <= 2;
}

static void take_request_line(struct connection *connection, const weir_packet *packet)
{
    if (is_empty_line(packet))
        return;
    connection->body_bytes = 0;
    connection->stage = HEADERS;
    connection->since_s = passed_s;
    http_request_begin(&connection->request, packet);
    if (connection->request.status != HTTP_OK)
        answer(connection);
}

static void take_end_of_head(struct connection *connection)
{
    struct http_request *request = &connection->request;
    http_request_end(request);
    bool has_body = request->body == HTTP_BODY_CHUNKED ||
                    (request->body == HTTP_BODY_SIZED && request->body_bytes > 0);
    if (request->status != HTTP_OK || !has_body)
        answer(connection);
    else if (request->expects_continue && request->version_minor > 0)
        send_text(connection, (weir_slice){"HTTP/1.1 100 Continue\r\n\r\n", 25}, read_body);
    else
        read_body(connection);
}

static void take_header(struct connection *connection, const weir_packet *packet)
{
    if (packet->http->kind == WEIR_HTTP_EOH) {
        take_end_of_head(connection);
        return;
    }
    http_request_add(&connection->request, packet);
    if (connection->request.status != HTTP_OK)
        answer(connection);
}

static void take_chunk_size(struct connection *connection, const weir_packet *packet)
{
    if (!http_chunk_size(packet, &connection->left_bytes)) {
        refuse(connection, HTTP_BAD_REQUEST);
    } else if (connection->left_bytes == 0) {
        expect(connection, TRAILERS);
    } else {
        expect(connection, CHUNK);
        receive(connection);
    }
}

static void take_chunk_end(struct connection *connection, const weir_packet *packet)
{
    if (packet->size == 2 && memcmp(packet->bytes, "\r\n", 2) == 0)
        expect(connection, CHUNK_SIZE);
    else
        refuse(connection, HTTP_BAD_REQUEST);
}

static void take_trailer(struct connection *connection, const weir_packet *packet)
{
    bool is_last = packet->http->kind == WEIR_HTTP_EOH;
    if (!is_last)
        http_request_add_trailer(&connection->request, packet);
    if (is_last || connection->request.status != HTTP_OK)
        answer(connection);
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    static void (*const takers[])(struct connection *, const weir_packet *) = {
        [REQUEST_LINE] = take_request_line, [HEADERS] = take_header,
        [CHUNK_SIZE] = take_chunk_size,     [CHUNK_END] = take_chunk_end,
        [TRAILERS] = take_trailer,
    };
    struct connection *connection = data;
    (void)socket;
    takers[connection->stage](connection, packet);
}

/* What waits for a call is freed by its failing. What it is owed nobody takes. */
static void end_idle(struct connection *connection)
{
    if (packets[connection->stage] != WEIR_RAW) {
        end(connection);
    } else if (connection->stage == SENDING) {
        (void)!weir_setopts(connection->socket, WEIR_OPTIONS(WEIR_LINGER(true, 0)));
        weir_close(connection->socket);
    }
}

void http_end_idle(void *data)
{
    const uint32_t *limit_s = data;
    passed_s++;
    if (!connections.next)
        return;
    for (struct list *link = connections.next; link != &connections;) {
        struct connection *connection = list_entry(link, struct connection, link);
        link = link->next;
        if (passed_s - connection->since_s > *limit_s)
            end_idle(connection);
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
        connection->since_s = passed_s;
        list_append(&connections, &connection->link);
        return;
    }
    memory_free(connection);
    weir_close(socket);
}

/* A line is too long. What has been sent by now still goes out; `closed` comes next. */
static void on_error(weir_socket socket, int error, void *data)
{
    struct connection *connection = data;
    char text[HTTP_REPLY_SIZE];
    if (error != -EMSGSIZE)
        return;
    struct http_reply reply = {
        .status = connection->stage == REQUEST_LINE ? HTTP_URI_TOO_LONG : HTTP_HEAD_TOO_LARGE,
        .connection = HTTP_IS_CLOSED,
    };
    (void)!weir_send(socket, text, http_reply_write(&reply, text));
}

static void on_closed(weir_socket socket, void *data)
{
    (void)socket;
    end(data);
}

const weir_handler http_handler = {
    .accepted = on_accepted, .packet = on_packet, .error = on_error, .closed = on_closed};
