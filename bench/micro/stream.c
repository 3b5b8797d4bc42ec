/* SPDX-License-Identifier: MIT */
#include "stream.h"
#include <string.h>

static size_t decode_piece(const struct stream *stream, const uint8_t *bytes, size_t size)
{
    /* As a socket with a buffer of this size has it. */
    const weir_decode_options limits = {.line_length = STREAM_SIZE, .line_delimiter = '\n'};
    struct framer framer = {0};
    weir_decoded decoded;
    weir_http http;
    size_t count = 0;
    size_t at = 0;
    while (at < size && framer_next(&framer, stream->type, &limits, bytes + at, size - at, &decoded,
                                    &http) == WEIR_DECODE_OK) {
        at += decoded.consumed;
        count++;
        micro_keep(&decoded);
    }
    return count;
}

size_t stream_piece_size(const struct stream *stream)
{
    return stream->piece_size ? stream->piece_size : stream->size;
}

static size_t decode_all(const struct stream *stream)
{
    size_t piece_size = stream_piece_size(stream);
    size_t count = 0;
    for (size_t at = 0; at < stream->size; at += piece_size)
        count += decode_piece(stream, stream->bytes + at, piece_size);
    return count;
}

void stream_measure(struct micro_run *run, const void *argument)
{
    const struct stream *stream = argument;
    size_t count = 0;
    while (micro_next(run))
        count = decode_all(stream);
    if (count != stream->packet_count)
        micro_fail(run, "the stream was not taken apart into its packets");
    micro_worked(run, stream->packet_count, stream->size);
}

void stream_measure_memcpy(struct micro_run *run, const void *argument)
{
    static uint8_t copy[STREAM_SIZE];
    const struct stream *stream = argument;
    while (micro_next(run)) {
        memcpy(copy, stream->bytes, stream->size);
        micro_keep(copy);
    }
    micro_worked(run, stream->packet_count, stream->size);
}

void stream_measure_memchr(struct micro_run *run, const void *argument)
{
    const struct stream *stream = argument;
    const uint8_t *end = stream->bytes + stream->size;
    while (micro_next(run)) {
        for (const uint8_t *at = stream->bytes; at < end; at++) {
            at = memchr(at, '\n', (size_t)(end - at));
            micro_keep(at);
        }
    }
    micro_worked(run, stream->packet_count, stream->size);
}
