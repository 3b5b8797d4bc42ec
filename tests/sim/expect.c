/* SPDX-License-Identifier: MIT */
#include "sim/expect.h"

#include <string.h>

#include "runtime/stream/stream.h"
#include "sim/link.h"
#include "sim/trace.h"

static size_t held(const struct conn *conn)
{
    return links[model_link(conn)].in_read - conn->cursor;
}

static const uint8_t *next_bytes(const struct conn *conn)
{
    return links[model_link(conn)].in + conn->cursor;
}

static int frame(const struct conn *conn, struct framer *framer, size_t size, weir_decoded *decoded,
                 weir_http *http)
{
    const struct option_values *values = stream_values(model_socket(conn));
    *framer = (struct framer){.http_header = conn->framer.http_header};
    return framer_next(framer, (enum weir_packet_type)values->packet, &values->limits,
                       next_bytes(conn), size, decoded, http);
}

static uint32_t expect_raw(const struct conn *conn, const weir_packet *packet, size_t length)
{
    size_t size = packet->size + packet->header_size;
    SIM_CHECK(length ? size == length : size <= stream_values(model_socket(conn))->buffer,
              "raw: %zu bytes for a recv of %zu", size, length);
    SIM_CHECK(size > 0 && size <= held(conn), "raw: %zu bytes, %zu were received", size,
              held(conn));
    return (uint32_t)size;
}

/* With limits it depends on how the bytes came whether a line is cut or refused, so a beginning may
 * do where the whole does not. */
static int frame_some(const struct conn *conn, struct framer *framer, const weir_packet *packet,
                      weir_decoded *decoded, weir_http *http)
{
    size_t least = packet->header_size + packet->size;
    int result = frame(conn, framer, held(conn), decoded, http);
    for (size_t size = least; result == WEIR_DECODE_INVALID && size < held(conn); size++)
        result = frame(conn, framer, size, decoded, http);
    return result;
}

/* An owner with {deliver,port} gets the lines of http as they came; reading them says nothing about
 * the next, but that httph's are headers. */
static bool are_raw_lines(const struct option_values *values, const weir_packet *packet)
{
    return values->deliver == WEIR_PORT && !packet->http;
}

uint32_t expect_packet(struct conn *conn, const weir_packet *packet, size_t length)
{
    weir_decoded decoded = {.bytes = next_bytes(conn)};
    weir_http http;
    struct framer framer;
    const struct stream *socket = model_socket(conn);
    SIM_CHECK(socket, "a packet of a socket that is free");
    const struct option_values *values = stream_values(socket);
    if (values->packet == WEIR_RAW) {
        decoded.size = decoded.consumed = expect_raw(conn, packet, length);
    } else {
        int result = frame_some(conn, &framer, packet, &decoded, &http);
        SIM_CHECK(result == WEIR_DECODE_OK, "a packet of type %d, where the framer finds none (%d)",
                  values->packet, result);
        if (!are_raw_lines(values, packet) || values->packet >= WEIR_HTTPH)
            conn->framer = framer;
    }
    const uint8_t *bytes = packet->bytes - packet->header_size;
    size_t size = packet->size + packet->header_size;
    SIM_CHECK(packet->padding_size ==
                  (values->packet == WEIR_FCGI ? decoded.consumed - decoded.size : 0),
              "a padding of %zu bytes", packet->padding_size);
    SIM_CHECK(size == decoded.size, "a packet of %zu bytes, not %zu", size, decoded.size);
    SIM_CHECK(memcmp(bytes, decoded.bytes, size) == 0,
              "a packet of type %d at %u, %zu bytes, is not what the peer wrote", values->packet,
              conn->cursor, size);
    SIM_CHECK(!framing_is_http(values->packet) || are_raw_lines(values, packet) ||
                  (packet->http && packet->http->kind == http.kind),
              "an http packet of another kind");
    return (uint32_t)decoded.consumed;
}

bool expect_more(const struct conn *conn, size_t length)
{
    weir_decoded decoded;
    weir_http http;
    struct framer framer;
    const struct stream *socket = model_socket(conn);
    if (!socket || held(conn) == 0)
        return false;
    if (stream_values(socket)->packet == WEIR_RAW)
        return held(conn) >= length;
    return frame(conn, &framer, held(conn), &decoded, &http) == WEIR_DECODE_OK;
}

/* Where a limit is reached before the end of a line or a header is there, it depends on how the
 * bytes came whether that is an error: any beginning may have been looked at. */
static bool is_invalid(const struct conn *conn, size_t size)
{
    weir_decoded decoded = {0};
    weir_http http;
    struct framer framer;
    const struct option_values *values = stream_values(model_socket(conn));
    int result = frame(conn, &framer, size, &decoded, &http);
    bool header_fills_buffer = values->packet < WEIR_LINE && size >= values->limits.line_length;
    return result == WEIR_DECODE_INVALID ||
           (result == WEIR_DECODE_MORE && decoded.needed == 0 && header_fills_buffer);
}

bool expect_invalid(const struct conn *conn)
{
    const struct stream *socket = model_socket(conn);
    if (!socket || stream_values(socket)->packet == WEIR_RAW)
        return false;
    for (size_t size = 1; size <= held(conn); size++)
        if (is_invalid(conn, size))
            return true;
    return false;
}
