/* SPDX-License-Identifier: MIT */
/* What becomes of what was queued, as far as the whole connection is concerned. */
#ifndef RUNTIME_STREAM_OUTCOME_H
#define RUNTIME_STREAM_OUTCOME_H

struct scheduler;
struct stream;

/* What a sender is told of an error. */
int outcome_shown(const struct stream *stream, int error);
/* What ended the socket, unless its owner has been told of an end already. */
void outcome_note(struct stream *stream, int error);

/* The kernel would not send. */
void outcome_failed(struct scheduler *scheduler, struct stream *stream, int error);
/* What was promised cannot be sent, for a reason that is ours: the connection is broken off. */
void outcome_broken(struct scheduler *scheduler, struct stream *stream, int error);
/* The kernel has sent all that was queued. */
void outcome_emptied(struct scheduler *scheduler, struct stream *stream);

#endif
