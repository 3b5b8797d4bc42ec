/* SPDX-License-Identifier: MIT */
/* The ways in which a socket ends. */
#ifndef RUNTIME_STREAM_CLOSE_H
#define RUNTIME_STREAM_CLOSE_H

#include "runtime/stream/stream.h"

/* Nothing more is told; what is queued is still sent, but for END_ABORT. */
void close_end(struct scheduler *scheduler, struct slot *slot, enum ending ending);

/* The kind's `close`: a thread waits for what is queued as long as {linger,{true,Seconds}} says; a
 * handler never. */
int close_by_call(struct scheduler *scheduler, struct slot *slot, struct call *call);

/* The stream has told its end: its handle is dead from now on. */
void close_after_end(struct scheduler *scheduler, struct stream *stream);

/* The connection goes with its descriptor, the handle stays and answers as `latches` say. What is
 * queued is still sent unless sending is what failed. */
void close_connection(struct scheduler *scheduler, struct stream *stream, uint8_t latches);

/* The peer waits for what will not come, and only we know: it is told by a reset or, when the
 * socket stays after its end, by the end. The reading side ends here, which ends a receive. */
void close_break(struct stream *stream);

/* Closes the descriptor of a socket that has nothing to send and no operation in flight, without
 * ever waiting. False: later, the peer has yet to confirm what was sent without a copy. */
bool close_descriptor(struct stream *stream);

#endif
