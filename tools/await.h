/* SPDX-License-Identifier: MIT */
/* What `weir serve` waits for: a signal, somebody who takes over, or a time. */
#ifndef TOOLS_AWAIT_H
#define TOOLS_AWAIT_H

#include <signal.h>
#include <stdint.h>

enum awaited { AWAITED_TIME, AWAITED_SIGNAL, AWAITED_SUCCESSOR };

struct await {
    int signals;   /* a descriptor of them */
    int successor; /* who takes over connects to it; -1: nobody */
};

/* Signals that are blocked. 0, or -errno. */
int await_open(struct await *await, const sigset_t *signals, int successor);

/* `timeout_ms` -1: for ever. A stop and a continue of the process end no wait. */
enum awaited await_next(const struct await *await, int64_t timeout_ms);

void await_close(const struct await *await);

#endif
