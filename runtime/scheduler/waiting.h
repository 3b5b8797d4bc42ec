/* SPDX-License-Identifier: MIT */
/*
 * Bytes of calls that wait, with nothing of theirs queued: for a busy socket, or for a name. They
 * count for the lease beside what is queued. Who begins ends, with as many, whatever comes of it.
 */
#ifndef RUNTIME_SCHEDULER_WAITING_H
#define RUNTIME_SCHEDULER_WAITING_H

#include <stddef.h>
#include <stdint.h>

struct call;
struct scheduler;

/* What counts for the lease. */
uint64_t waiting_and_queued(const struct scheduler *scheduler);

/* Nobody who calls without waiting is held up, so what such calls hold has the limit of what may be
 * queued: 0, or -ENOBUFS when that is reached. Others always may wait. */
int waiting_check(struct scheduler *scheduler, const struct call *call);

/* So many bytes wait from now on, or no more. */
void waiting_begin(struct scheduler *scheduler, size_t size);
void waiting_end(struct scheduler *scheduler, size_t size);

#endif
