/* SPDX-License-Identifier: MIT */
/* What a request line and its header lines say: how long the request is and how to answer it. */
#ifndef TOOLS_HTTP_REQUEST_H
#define TOOLS_HTTP_REQUEST_H

#include "http_reply.h"

#include <weir/packet.h>

struct http_request {
    enum http_status status; /* what is wrong with it; HTTP_OK: nothing yet */
    uint64_t body_bytes;     /* of a body that has a length */
    uint32_t head_bytes;     /* of all lines so far, and of what else costs time */
    uint32_t host_count;
    uint32_t chunked_count;      /* how often "chunked" stands among the codings */
    uint32_t other_coding_count; /* codings that are not chunked */
    unsigned version_minor;
    bool has_length;
    bool ends_chunked; /* the last coding is chunked */
    bool is_bad_coding;
    bool is_head;
    bool keep_alive;
    bool expects_continue;
};

/* Begins a new one. Its status is not HTTP_OK when nothing that follows can be understood. */
void http_request_begin(struct http_request *request, weir_slice line);
/* One more header line. Its status as above. */
void http_request_add(struct http_request *request, weir_slice line);
/* One behind a chunked body: nothing in it counts. */
void http_request_add_trailer(struct http_request *request, weir_slice line);
/* After the last header line: the status to answer with unless it is HTTP_OK. */
void http_request_end(struct http_request *request);
/* A line that a chunk begins with: its size. */
void http_request_add_chunk(struct http_request *request, weir_slice line, uint64_t *size);

static inline bool http_request_is_chunked(const struct http_request *request)
{
    return request->ends_chunked;
}

#endif
