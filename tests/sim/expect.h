/* SPDX-License-Identifier: MIT */
/* What the pure framer makes of the peer's stream, which deliveries are compared with. */
#ifndef SIM_EXPECT_H
#define SIM_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/model.h"

/* All of it that lies in memory, from the header's beginning on. */
static inline size_t expect_whole_size(const weir_packet *packet)
{
    return packet->header_size + packet->size + packet->padding_size;
}

/* Compares a packet with what comes next. How many bytes of the stream it stands for. */
uint32_t expect_packet(struct conn *conn, const weir_packet *packet, size_t length);

/* Whether what comes next is, as far as it was received, a whole packet. */
bool expect_more(const struct conn *conn, size_t length);

/* Whether what comes next cannot be framed. */
bool expect_invalid(const struct conn *conn);

#endif
