/* SPDX-License-Identifier: MIT */
/* Other parsers of http over the same stream of requests. */
#ifndef HTTP_PEERS_H
#define HTTP_PEERS_H

#include "stream.h"

struct http_requests {
    struct stream stream; /* packets are lines */
    size_t count;
};

micro_fn peers_measure_picohttpparser;
micro_fn peers_measure_http_parser;

#endif
