/* SPDX-License-Identifier: MIT */
/* The simulated rings, as seen by the simulated kernel. */
#ifndef SIM_RING_SIM_H
#define SIM_RING_SIM_H

#include <stdbool.h>
#include <stdint.h>

/* Which of them all that follows is about: the one of the operation that is dealt with. */
void ring_sim_choose(uint32_t ring);

/* Posts a completion. False: it went to the overflow list, which ends a multishot; it was then
 * posted without RING_MORE. */
bool ring_sim_post(uint64_t user_data, int32_t result, uint32_t flags);

/* Whether the next post would overflow. */
bool ring_sim_is_full(void);

/* A registered buffer, or -1; its memory and size. */
int ring_sim_take_buffer(void);
uint8_t *ring_sim_buffer(int buffer);
uint32_t ring_sim_buffer_size(void);
uint32_t ring_sim_available(void);
uint32_t ring_sim_buffer_count(void);
bool ring_sim_has_completions(void);
uint32_t ring_sim_overflow_count(void);

#endif
