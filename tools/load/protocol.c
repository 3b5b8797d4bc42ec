/* SPDX-License-Identifier: MIT */
#include "load/protocol.h"

#include "command.h"

#include <string.h>

#define ECHO(framing, list, how_sent, how_taken)                                                  \
    {                                                                                             \
        .name = framing, .options = list, .begin = echo_begin, .end = echo_end, .send = how_sent, \
        .take = how_taken,                                                                        \
    }

static const struct protocol rows[] = {
    ECHO("raw", "[binary]", echo_send, echo_take_bytes),
    ECHO("1", "[binary,{packet,1}]", echo_send, echo_take_packet),
    ECHO("2", "[binary,{packet,2}]", echo_send, echo_take_packet),
    ECHO("4", "[binary,{packet,4}]", echo_send, echo_take_packet),
    /* A line that is longer than the buffer comes in pieces. */
    ECHO("line", "[binary,{packet,line},{buffer,33554432}]", echo_send_line, echo_take_line),
    {.scheme = TARGET_HTTP,
     .options = "[binary]",
     .reply_bytes = HTTP_HEAD_BYTES_MAX,
     .begin = http_load_begin,
     .end = http_load_end,
     .send = http_load_send,
     .take = http_load_take,
     .take_end = http_load_take_end},
    {.scheme = TARGET_UDP,
     .options = "[binary,{buffer,65536},{recbuf,1048576},{timestamp,true}]",
     .begin = echo_begin,
     .end = echo_end,
     .send = echo_send_datagram,
     .take = echo_take_datagram,
     .is_unordered = true},
};

const struct protocol *protocol_find(const struct plan *plan)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].scheme == plan->target.scheme &&
            (!rows[i].name || strcmp(rows[i].name, plan->packet) == 0))
            return &rows[i];
    return NULL;
}
