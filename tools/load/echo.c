/* SPDX-License-Identifier: MIT */
/*
 * Requests that the server sends back as they are: raw, {packet,N}, lines or datagrams. Each begins
 * with a mark that names its connection and its number, so a reply that is late, doubled or
 * another's is noticed; behind it all have the same bytes, printable ones. A short one has a part
 * of the mark.
 */
#include "base/memory.h"
#include "command.h"
#include "load/protocol.h"
#include "load/traffic.h"

#include <stdlib.h>
#include <string.h>

enum { MARK_BYTES = 16, DATAGRAM_BYTES_MAX = 65507 };

/* Of this process: room for a mark, and the bytes behind it, as many as any request has. */
static char *room, *pattern;

int echo_begin(const struct plan *plan)
{
    static const uint32_t most[] = {['1'] = UINT8_MAX, ['2'] = UINT16_MAX};
    char packet = plan->packet[0];
    if ((packet == '1' || packet == '2') && plan->size_max > most[(int)packet])
        return command_misused("load", "--size: {packet,%c} holds at most %u bytes", packet,
                               most[(int)packet]);
    if (packet == 'l' && plan->size_max < 2)
        return command_misused("load", "--size: a line has 2 bytes at least, one is its end");
    if (plan->target.scheme == TARGET_UDP && plan->size_max > DATAGRAM_BYTES_MAX)
        return command_misused("load", "--size: a datagram holds at most %d bytes",
                               DATAGRAM_BYTES_MAX);
    room = memory_allocate(MARK_BYTES + (size_t)plan->size_max);
    if (!room)
        return command_misused("load", "no memory for requests of %u bytes", plan->size_max);
    pattern = room + MARK_BYTES;
    for (uint32_t i = 0; i < plan->size_max; i++)
        pattern[i] = (char)('!' + (i * 31 + i / 89) % 93);
    return 0;
}

void echo_end(void)
{
    memory_free(room);
    room = pattern = NULL;
}

static void write_mark(const struct connection *connection, const struct request *request,
                       char mark[MARK_BYTES])
{
    uint64_t dice = request->number ^ (connection->index + UINT64_C(1)) << 40;
    uint64_t drawn = arrivals_draw(&dice);
    for (int i = 0; i < MARK_BYTES; i++)
        mark[i] = "0123456789abcdef"[drawn >> 4 * i & 15];
}

static int send_pieces(struct connection *connection, const struct request *request,
                       const char *end, size_t end_size)
{
    char mark[MARK_BYTES];
    size_t size = request->size - end_size, marked = size < MARK_BYTES ? size : MARK_BYTES;
    write_mark(connection, request, mark);
    const struct iovec pieces[] = {
        {mark, marked},
        {pattern, size - marked},
        {(void *)(uintptr_t)end, end_size},
    };
    return weir_sendv(connection->socket, pieces, 3);
}

int echo_send(struct connection *connection, const struct request *request)
{
    return send_pieces(connection, request, "", 0);
}

int echo_send_line(struct connection *connection, const struct request *request)
{
    return send_pieces(connection, request, "\n", 1);
}

/* A call takes one piece; the bytes are copied. */
int echo_send_datagram(struct connection *connection, const struct request *request)
{
    write_mark(connection, request, room);
    return weir_udp_send(connection->socket, NULL, room, request->size);
}

/* Whether bytes are those of the payload from `offset` on. */
static bool is_payload(const struct connection *connection, const struct request *request,
                       size_t offset, const uint8_t *bytes, size_t size)
{
    char mark[MARK_BYTES];
    if (offset < MARK_BYTES) {
        size_t marked = MARK_BYTES - offset < size ? MARK_BYTES - offset : size;
        write_mark(connection, request, mark);
        if (memcmp(bytes, mark + offset, marked) != 0)
            return false;
        bytes += marked;
        size -= marked;
        offset += marked;
    }
    return size == 0 || memcmp(bytes, pattern + offset - MARK_BYTES, size) == 0;
}

/* Bytes cannot be told apart any more behind a wrong one, so it ends the connection. */
void echo_take_bytes(struct connection *connection, const weir_packet *packet)
{
    const uint8_t *bytes = packet->bytes;
    for (size_t left = packet->size; left > 0;) {
        const struct request *request = connection_awaited(connection);
        if (!request) {
            connection_fail(connection, OUTCOME_FRAMING);
            return;
        }
        struct reply *reply = &connection->reply;
        size_t missing = request->size - reply->received;
        size_t part = missing < left ? missing : left;
        if (!is_payload(connection, request, reply->received, bytes, part)) {
            connection_fail(connection, OUTCOME_CONTENT);
            return;
        }
        bytes += part;
        left -= part;
        reply->received += part;
        if (part == missing)
            connection_replied(connection, OUTCOME_OK);
        if (connection->state != CONNECTION_OPEN)
            return;
    }
}

static void take_whole(struct connection *connection, const weir_packet *packet, size_t end_size)
{
    const struct request *request = connection_awaited(connection);
    if (!request || packet->size != request->size)
        connection_fail(connection, request ? OUTCOME_CONTENT : OUTCOME_FRAMING);
    else if (!is_payload(connection, request, 0, packet->bytes, packet->size - end_size))
        connection_fail(connection, OUTCOME_CONTENT);
    else
        connection_replied(connection, OUTCOME_OK);
}

void echo_take_packet(struct connection *connection, const weir_packet *packet)
{
    take_whole(connection, packet, 0);
}

void echo_take_line(struct connection *connection, const weir_packet *packet)
{
    if (packet->bytes[packet->size - 1] == '\n')
        take_whole(connection, packet, 1);
    else
        connection_fail(connection, OUTCOME_FRAMING);
}

void echo_take_datagram(struct connection *connection, const weir_packet *packet)
{
    const struct request *request;
    for (uint32_t i = 0; (request = connection_on_its_way(connection, i)); i++) {
        if (!request->is_done && request->size == packet->size &&
            is_payload(connection, request, 0, packet->bytes, packet->size)) {
            connection_replied_to(connection, i, packet->datagram->received_ns);
            return;
        }
    }
    connection_answered_nothing(connection);
}
