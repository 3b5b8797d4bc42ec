/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that are somebody else's, polled on the ring. Each poll is asked for anew after it
 * has been answered, so what is left undone is told again, as by poll(2).
 */
#ifndef RUNTIME_WATCH_WATCH_H
#define RUNTIME_WATCH_WATCH_H

#include <stddef.h>

#include "runtime/scheduler/kind.h"
#include "runtime/scheduler/slot.h"

struct scheduler;
struct watch;

/* What is ready, as poll(2) says it. It may close the watch. */
typedef void watch_ready(struct scheduler *scheduler, void *context, unsigned events);

/* NULL: no memory. */
struct watch *watch_open(struct scheduler *scheduler, int fd, watch_ready *ready, void *context);

/* What is waited for from now on: POLLIN, POLLOUT, both, or 0. */
void watch_want(struct scheduler *scheduler, struct watch *watch, unsigned events);

/* Nothing more is told; the descriptor may be closed now. */
void watch_close(struct scheduler *scheduler, struct watch *watch);

extern const struct kind kind_watch;

enum watch_operation { WATCH_POLL = OPERATION_OF_KIND(KIND_WATCH, 0) };

#endif
