/* SPDX-License-Identifier: MIT */
/*
 * What is sent, and whether it came back. All connections send the same batch of frames, except
 * for a mark at the head of each frame that names its connection and its number; so nothing is
 * kept per connection and a reply that is late, doubled or another's is still noticed.
 */
#ifndef LOAD_FRAME_H
#define LOAD_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct frame_batch {
    size_t frame_bytes; /* header and payload */
    size_t batch_bytes;
    size_t header_bytes; /* 0, or 1, 2, 4 for a big-endian length */
    size_t mark_bytes;   /* 8, less when the payload is shorter */
    unsigned depth;      /* frames in a batch */
    char *bytes;
};

/* Where a connection stands; `number` is that of the batch's first frame. */
struct frame_place {
    uint32_t connection;
    uint64_t number;
};

void frame_batch_open(struct frame_batch *batch, size_t payload_bytes, size_t header_bytes,
                      unsigned depth);

/* Writes the marks of a place into the batch, ready to be sent. */
void frame_batch_mark(struct frame_batch *batch, struct frame_place place);

/*
 * Compares bytes that came back, from `offset` in the batch on, with what was sent: marks and
 * headers always, the rest of a frame once in 64. Returns how many frames they complete; exits
 * when they differ.
 */
unsigned frame_batch_verify(const struct frame_batch *batch, struct frame_place place,
                            size_t offset, const char *bytes, size_t size);

/* How many bytes from `offset` on may be dropped unread, because they would not be compared. */
size_t frame_batch_unread_bytes(const struct frame_batch *batch, struct frame_place place,
                                size_t offset);

#endif
