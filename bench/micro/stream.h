/* SPDX-License-Identifier: MIT */
/* A buffer full of packets of one type, and taking them apart. */
#ifndef STREAM_H
#define STREAM_H

#include "framing/framing.h"
#include "micro.h"

enum { STREAM_SIZE = 64 * 1024 };

struct stream {
    const char *name;
    enum weir_packet_type type;
    size_t packet_size;
    uint8_t bytes[STREAM_SIZE];
    size_t size;       /* whole packets only */
    size_t piece_size; /* what is decoded as if it had come alone; 0: the stream is one piece */
    size_t packet_count;
};

/* One that is still to be filled. */
#define STREAM(label, packet_type, size_bytes)                              \
    {                                                                       \
        .name = (label), .type = (packet_type), .packet_size = (size_bytes) \
    }

size_t stream_piece_size(const struct stream *stream);

/* Takes all packets of the stream apart, pass after pass. */
void stream_measure(struct micro_run *run, const void *stream);

/* What there is to compare with: copying these bytes, and finding the line ends among them. */
void stream_measure_memcpy(struct micro_run *run, const void *stream);
void stream_measure_memchr(struct micro_run *run, const void *stream);

#endif
