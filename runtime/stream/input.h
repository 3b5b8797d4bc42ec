/* SPDX-License-Identifier: MIT */
/*
 * A socket's received bytes that have not been framed: the beginning of a packet, or what came
 * while nobody wanted it. They lie in a block of their own, start <= end <= capacity.
 */
#ifndef RUNTIME_STREAM_INPUT_H
#define RUNTIME_STREAM_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "framing/framing.h"
#include "runtime/buffer/buffer.h"
#include "runtime/stream/stream.h"

struct scheduler;

/* From here on the rest of a packet is received into its own memory: below it a copy costs less
 * than a receive of its own. */
enum { INPUT_DIRECT_FROM_BYTES = 65536 };

size_t input_size(const struct stream *stream);

/* What is known of the packet that has begun. */
static inline struct begun_packet input_begun(const struct stream *stream)
{
    return stream->input ? stream->input->begun : (struct begun_packet){0};
}
/* It is to be looked at afresh, or another size is asked for. */
void input_forget_begun(struct stream *stream);
void input_forget_needed(struct stream *stream);

/* Appends a copy, of which that is known. 0, or -ENOMEM. */
int input_append(struct scheduler *scheduler, struct stream *stream, struct framing_span bytes,
                 struct begun_packet begun);

/* Bytes at the front were framed. */
void input_consume(struct stream *stream, size_t size);

/* Bytes at the end are taken back: they are framed where they came from. */
void input_take_back(struct stream *stream, size_t size);

/* Before it is looked at, or the options or statistics are: a thread may have taken some of it, and
 * takes no more (shelf.h). */
void input_settle(struct stream *stream);

void input_drop(struct stream *stream);

/* How much of the packet that has begun is missing; 0 when that is not known. */
size_t input_missing(const struct stream *stream);

/* Whether the rest of the packet is worth a receive straight into its memory. */
bool input_wants_direct(const struct stream *stream);

/* How much of it there is memory for behind what has come; makes some if there is none. 0: no
 * memory. */
size_t input_direct_room(struct scheduler *scheduler, struct stream *stream);

#endif
