/* SPDX-License-Identifier: MIT */
/* Packets on their way from the framer to an owner. */
#ifndef RUNTIME_BUFFER_PACKET_H
#define RUNTIME_BUFFER_PACKET_H

#include "options/options.h"
#include "runtime/buffer/buffer.h"

/* What the framer found, as the socket's options have it delivered. Lent. */
weir_packet packet_make(const weir_decoded *decoded, const weir_http *http,
                        const struct option_values *values, struct weir_buffer *buffer);

/* Whether any byte has its eighth bit set: {bit8,_}. */
bool packet_has_bit8(const uint8_t *bytes, size_t size);

#endif
