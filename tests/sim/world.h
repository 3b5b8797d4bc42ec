/* SPDX-License-Identifier: MIT */
/* One run: a runtime, a program, peers and a kernel, all from one seed. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdint.h>

struct world_result {
    uint64_t events; /* of the kernel, completions, turns */
    uint64_t turns;
    uint32_t ticks; /* things that the program did between callbacks */
};

enum { WORLD_TICKS_ALL = 1 << 30 };

void world_open(void);
void world_close(void);

/* Fails by sim_fail, CHECK or a sanitizer. The program is stopped after `ticks_most` ticks. */
void world_run(uint64_t seed, uint32_t ticks_most, struct world_result *result);

/* One of the configurations of names that runs have, by the dice. */
const char *world_inet_terms(void);

#endif
