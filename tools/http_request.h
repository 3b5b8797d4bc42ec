/* SPDX-License-Identifier: MIT */
/* What a request line and its header lines say: how long the request is and how to answer it. */
#ifndef TOOLS_HTTP_REQUEST_H
#define TOOLS_HTTP_REQUEST_H

#include "http_reply.h"

#include <weir/packet.h>

enum http_body {
    HTTP_BODY_NONE,
    HTTP_BODY_SIZED,
    HTTP_BODY_CHUNKED,
};

struct http_request {
    enum http_status status; /* what is wrong with it; HTTP_OK: nothing yet */
    enum http_body body;
    uint64_t body_bytes; /* of a sized body */
    uint32_t head_bytes; /* of all lines so far */
    uint32_t host_count;
    uint32_t version_minor;
    bool is_head;
    bool keep_alive;
    bool expects_continue;
};

/* Begins a new one. Its status is not HTTP_OK when nothing that follows can be understood. */
void http_request_begin(struct http_request *request, const weir_packet *line);
/* One more header line. Its status as above. */
void http_request_add(struct http_request *request, const weir_packet *line);
/* One behind a chunked body: nothing in it counts. */
void http_request_add_trailer(struct http_request *request, const weir_packet *line);
/* After the last header line: the status to answer with unless it is HTTP_OK. */
void http_request_end(struct http_request *request);

/* Takes the length that a line of a chunked body begins with. False: it is none. */
bool http_chunk_size(const weir_packet *line, uint64_t *size);

#endif
