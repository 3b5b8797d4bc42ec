/* SPDX-License-Identifier: MIT */
/* Decoded packets as the Erlang terms that erlang:decode_packet/3 gives, in ASCII. */
#ifndef TOOLS_TERM_H
#define TOOLS_TERM_H

#include <stdio.h>
#include <weir/packet.h>

struct term_packet {
    enum weir_packet_type type;
    const weir_decoded *decoded;
    const weir_http *http;
};

/* <<"bytes">>, or the HttpPacket. */
void term_write_packet(FILE *to, const struct term_packet *packet);

/* {ok,Packet,Rest}, {more,Total} or {error,invalid}. */
void term_write_result(FILE *to, int result, const struct term_packet *packet, weir_slice rest);

#endif
