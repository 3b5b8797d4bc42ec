/* SPDX-License-Identifier: MIT */
/* Answers as they go over the wire. */
#ifndef TOOLS_HTTP_REPLY_H
#define TOOLS_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_status {
    HTTP_OK,
    HTTP_BAD_REQUEST,
    HTTP_METHOD_NOT_IMPLEMENTED,
    HTTP_CODING_NOT_IMPLEMENTED,
    HTTP_URI_TOO_LONG,
    HTTP_HEAD_TOO_LARGE,
    HTTP_VERSION_NOT_SUPPORTED,
    HTTP_STATUS_COUNT
};

/* Whether the connection goes on, as the header `Connection` says it: not at all if it is what
 * the version does anyway. */
enum http_connection {
    HTTP_GOES_ON,
    HTTP_IS_KEPT, /* 1.0 has to be told */
    HTTP_IS_CLOSED,
};

struct http_reply {
    enum http_status status;
    enum http_connection connection;
    bool without_body;   /* the answer to HEAD */
    uint64_t body_bytes; /* how many were received: the body of HTTP_OK says so unless it is 0 */
};

enum { HTTP_REPLY_SIZE = 256 };

/* Writes the whole answer; returns its size. */
size_t http_reply_write(const struct http_reply *reply, char text[HTTP_REPLY_SIZE]);

#endif
