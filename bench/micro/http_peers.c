/* SPDX-License-Identifier: MIT */
#include "http_peers.h"
#include "pico.h"
#include <http_parser.h>

enum { HEADER_COUNT_MAX = 64 };

static int pico_next(const char *bytes, size_t size)
{
    struct phr_header headers[HEADER_COUNT_MAX];
    size_t header_count = HEADER_COUNT_MAX;
    const char *method, *path;
    size_t method_size, path_size;
    int minor;
    int consumed = phr_parse_request(bytes, size, &method, &method_size, &path, &path_size, &minor,
                                     headers, &header_count, 0);
    micro_keep(headers);
    return consumed;
}

static size_t pico_count(const char *bytes, size_t size)
{
    size_t count = 0;
    for (size_t at = 0; at < size; count++) {
        int consumed = pico_next(bytes + at, size - at);
        if (consumed <= 0)
            break;
        at += (size_t)consumed;
    }
    return count;
}

void peers_measure_picohttpparser(struct micro_run *run, const void *argument)
{
    const struct http_requests *requests = argument;
    const char *bytes = (const char *)requests->stream.bytes;
    size_t piece_size = stream_piece_size(&requests->stream);
    size_t count = 0;
    while (micro_next(run)) {
        count = 0;
        for (size_t at = 0; at < requests->stream.size; at += piece_size)
            count += pico_count(bytes + at, piece_size);
    }
    if (count != requests->count)
        micro_fail(run, "picohttpparser did not parse all requests");
    micro_worked(run, requests->stream.packet_count, requests->stream.size);
}

static int note_slice(http_parser *parser, const char *at, size_t size)
{
    micro_keep(at + size);
    (void)parser;
    return 0;
}

static int note_complete(http_parser *parser)
{
    ++*(size_t *)parser->data;
    return 0;
}

void peers_measure_http_parser(struct micro_run *run, const void *argument)
{
    static const http_parser_settings settings = {.on_url = note_slice,
                                                  .on_header_field = note_slice,
                                                  .on_header_value = note_slice,
                                                  .on_message_complete = note_complete};
    const struct http_requests *requests = argument;
    size_t count = 0;
    while (micro_next(run)) {
        http_parser parser;
        count = 0;
        http_parser_init(&parser, HTTP_REQUEST);
        parser.data = &count;
        http_parser_execute(&parser, &settings, (const char *)requests->stream.bytes,
                            requests->stream.size);
    }
    if (count != requests->count)
        micro_fail(run, "http_parser did not parse all requests");
    micro_worked(run, requests->stream.packet_count, requests->stream.size);
}
