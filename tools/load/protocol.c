/* SPDX-License-Identifier: MIT */
#include "load/protocol.h"

#include "command.h"

#include <string.h>

#define ECHO(name, options, send, take)                          \
    {                                                            \
        name, options, 0, echo_begin, echo_end, send, take, NULL \
    }

static const struct protocol rows[] = {
    ECHO("raw", "[binary]", echo_send, echo_take_bytes),
    ECHO("1", "[binary,{packet,1}]", echo_send, echo_take_packet),
    ECHO("2", "[binary,{packet,2}]", echo_send, echo_take_packet),
    ECHO("4", "[binary,{packet,4}]", echo_send, echo_take_packet),
    /* A line that is longer than the buffer comes in pieces. */
    ECHO("line", "[binary,{packet,line},{buffer,33554432}]", echo_send_line, echo_take_line),
    {"http", "[binary]", HTTP_HEAD_BYTES_MAX, http_load_begin, http_load_end, http_load_send,
     http_load_take, http_load_take_end},
};

const struct protocol *protocol_find(const struct plan *plan)
{
    const char *name = plan->target.scheme == TARGET_HTTP ? "http" : plan->packet;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}
