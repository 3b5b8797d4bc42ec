/* SPDX-License-Identifier: MIT */
/*
 * The runtime's limit of queued bytes, as far as this scheduler has got a part of it. Over it every
 * socket with something queued is busy; those of whom somebody waits are on the list `limited`
 * until it is an eighth below.
 */
#ifndef RUNTIME_STREAM_LIMIT_H
#define RUNTIME_STREAM_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

struct output;
struct scheduler;

bool limit_is_exceeded(struct scheduler *scheduler);

/* Whether it keeps a queue busy, which it lets go later than it got hold of it. */
bool limit_holds(struct scheduler *scheduler, const struct output *output);

/* Somebody waits for its end. */
void limit_wait(struct scheduler *scheduler, struct output *output);

/* So many bytes are not queued any more. */
void limit_count_off(struct scheduler *scheduler, size_t size);

/* Whether those on the list may go on; if not, they will be let know. */
bool limit_relieves(struct scheduler *scheduler);

/* What this scheduler has of the limit and does not need is the others'. */
void limit_give_back(struct scheduler *scheduler);

#endif
