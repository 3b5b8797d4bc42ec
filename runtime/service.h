/* SPDX-License-Identifier: MIT */
/* A service: one listener, or UDP socket, per scheduler on the same port, behind the handle of the
 * first. */
#ifndef RUNTIME_SERVICE_H
#define RUNTIME_SERVICE_H

#include "runtime/runtime.h"
#include <weir/socket.h>

struct slot;

/* The others of the service whose first this is. How many; 0 for every other socket. */
uint32_t service_siblings(weir_socket handle, weir_socket siblings[RUNTIME_SCHEDULERS_MAX]);

/* Scheduler: how many there are, and which. */
uint32_t service_siblings_of(const struct slot *slot, const weir_socket **siblings);
/* Scheduler: how many. */
uint32_t service_sibling_count(const struct slot *slot);

/* Sets `noted` to a copy of so many, with one of id 0 behind them; none are NULL. 0, or -ENOMEM. */
int service_note_siblings(weir_socket **noted, const weir_socket *siblings, uint32_t count);

/* Whether setting something, by the call of that name, would have to wait for the service's other
 * schedulers: -EDEADLK, or 0. */
int service_may_wait(weir_socket handle, const char *call);

typedef int service_set(weir_socket sibling, void *what);

/* What was set on the first of a service is set on the others. 0, or the first error. */
int service_each_sibling(weir_socket handle, service_set *set, void *what);

#endif
