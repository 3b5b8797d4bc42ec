/* SPDX-License-Identifier: MIT */
/*
 * What a stream has while it has something to send: the queue, and who waits for what of it. Calls
 * wait in this order, and those that go well are answered in it: those whose bytes the kernel has
 * yet to be offered, those that crossed the high mark, those of whose bytes nothing is queued.
 */
#ifndef RUNTIME_STREAM_OUTPUT_H
#define RUNTIME_STREAM_OUTPUT_H

#include <stdbool.h>

#include "base/list.h"
#include "runtime/scheduler/task.h"
#include "runtime/send_queue/send_queue.h"

struct scheduler;
struct stream;
struct streams;

struct output {
    struct send_queue queue;
    struct stream *stream;
    struct task flush;
    struct task offer;       /* answers `offered`: TASK_SUBMITTED while there are any */
    struct list offered;     /* calls that are told what the kernel said to their bytes */
    struct list crossed;     /* calls that crossed the high mark and wait for the low one */
    struct list suspended;   /* calls that found the socket busy: nothing of theirs is queued */
    struct list drained;     /* calls of close that wait until the queue is empty */
    struct list limit_link;  /* on the list of those that the runtime's limit keeps busy */
    struct list rest_link;   /* on the list of those for which the kernel had no memory */
    struct list linger_link; /* on the list of closed sockets' */
    uint64_t progress_ns;    /* there: when something was last sent */
    bool busy;
    bool refused; /* a handler was told EAGAIN and is owed an unbusy */
    struct output *next_free;
};

/* The tasks are the caller's to be set. NULL: no memory. */
struct output *output_open(struct streams *streams, struct stream *stream);

/* What a stream has queued or in flight. */
size_t output_queued_bytes(const struct stream *stream);
/* Its zero-copy sends that the kernel has not given a notice of. */
uint32_t output_notices(const struct stream *stream);

/* Whether nobody needs it. */
bool output_is_idle(const struct output *output);

/* Gives up the queue of a stream, which has ended or does not need one. */
void output_free(struct scheduler *scheduler, struct stream *stream);
void output_free_if_idle(struct scheduler *scheduler, struct stream *stream);

/* Those that are kept for later. */
void output_free_all(struct streams *streams);

#endif
