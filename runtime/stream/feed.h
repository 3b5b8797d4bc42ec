/* SPDX-License-Identifier: MIT */
/* Those that wait for a receive to be armed: READING_STARVED, or READING_RESTING (rest.h). */
#ifndef RUNTIME_STREAM_FEED_H
#define RUNTIME_STREAM_FEED_H

struct scheduler;
struct stream;

/* It is armed when the turn ends, if there is a buffer. */
void feed_line_up(struct scheduler *scheduler, struct stream *stream);
/* It has found no buffer. */
void feed_starve(struct scheduler *scheduler, struct stream *stream);

/* If it waits for a receive, it does no more. */
void feed_step_back(struct scheduler *scheduler, struct stream *stream);

#endif
