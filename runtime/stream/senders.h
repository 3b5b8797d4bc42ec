/* SPDX-License-Identifier: MIT */
/* Those who wait for what becomes of their bytes, and what they are told. */
#ifndef RUNTIME_STREAM_SENDERS_H
#define RUNTIME_STREAM_SENDERS_H

#include <stdbool.h>

struct call;
struct output;
struct scheduler;
struct stream;

/* The first of those with nothing queued, whose time does not run any more; or NULL. */
struct call *senders_take_suspended(struct scheduler *scheduler, struct output *output);
/* Completes all of them. */
void senders_dismiss_suspended(struct scheduler *scheduler, struct output *output, int result);

/* Those whose bytes the kernel has been offered: they have succeeded unless they failed. */
void senders_answer(struct scheduler *scheduler, struct stream *stream);
/* The bytes of those who wait with some queued will not go out. Whether there were any. */
bool senders_tell(struct scheduler *scheduler, struct stream *stream, int result);

/* Completes those who wait until they may send; nobody is told `unbusy` any more. */
void senders_dismiss(struct scheduler *scheduler, struct stream *stream, int result);
/* The same, and those who wait for what the kernel says. */
void senders_dismiss_all(struct scheduler *scheduler, struct stream *stream, int result);

/* Drops what is queued, and cancels what is in flight; who waits for an empty queue has one. */
void senders_give_up(struct scheduler *scheduler, struct stream *stream);

#endif
