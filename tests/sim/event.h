/* SPDX-License-Identifier: MIT */
/* What is going to happen, by virtual time; at the same time, in an order that the dice choose. */
#ifndef SIM_EVENT_H
#define SIM_EVENT_H

#include <stdbool.h>
#include <stdint.h>

typedef void event_function(uint32_t object, uint32_t tag);

void event_reset(void);
void event_after(uint64_t delay_ns, event_function *run, uint32_t object, uint32_t tag);

/* When the next is due; UINT64_MAX: nothing is going to happen. */
uint64_t event_next_ns(void);

/* Runs what is due at `now_ns`. */
void event_run_due(uint64_t now_ns);
uint64_t event_count(void);
/* Whether what happens now is an event, and nobody's step. */
bool event_is_running(void);

#endif
