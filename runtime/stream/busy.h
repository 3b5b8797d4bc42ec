/* SPDX-License-Identifier: MIT */
/*
 * Watermarks. A socket is busy from the send that brings a queue that was not empty to the high
 * mark until what is queued has fallen to the low one; and over the runtime's limit (limit.h),
 * while anything is queued. `busy` is the memory of the first. The second is looked at when
 * somebody asks, and becomes `busy`, with a place on the limit's list, only when somebody is made
 * to wait: that is when its end has to be noticed. Where both hold, the later end counts; an empty
 * queue is never busy.
 */
#ifndef RUNTIME_STREAM_BUSY_H
#define RUNTIME_STREAM_BUSY_H

#include <stdbool.h>
#include <stddef.h>

struct scheduler;
struct stream;
struct call;
struct task;

/* Whether a send has to wait. Over the runtime's limit of queued bytes that is every socket with
 * something queued. */
bool busy_is(struct scheduler *scheduler, const struct stream *stream);

/* Whether a send of so many bytes may have to: it is busy, or they may cross the mark. */
bool busy_would_wait(struct scheduler *scheduler, const struct stream *stream, size_t size);

/* Something was queued behind what was there: whether the socket has become busy by it. */
bool busy_check_mark(struct scheduler *scheduler, struct stream *stream);

/* The handler's form of waiting: it is told when the socket is no longer busy. */
void busy_refuse(struct scheduler *scheduler, struct stream *stream);

/* Waits with its bytes queued: for the low mark, {send_timeout} at most. The call's result, or
 * CALL_WAITS. */
int busy_cross(struct scheduler *scheduler, struct stream *stream, struct call *call);

/* Waits with nothing queued until the socket is not busy, {send_timeout} at most. CALL_WAITS;
 * WEIR_TIMEOUT at once; or -ENOBUFS for an _async call, when too much waits already. */
int busy_suspend(struct scheduler *scheduler, struct stream *stream, struct call *call);

/* A call waits no more: it has for long enough, or whatever its `result` says. */
void busy_expire(struct scheduler *scheduler, struct call *call);

/* Something was sent: lets those go on who may. */
void busy_drained(struct scheduler *scheduler, struct stream *stream);

/* Lets those go on whom the runtime's limit has held up, if it does so no more. */
void busy_relieve(struct scheduler *scheduler, struct task *task);

#endif
