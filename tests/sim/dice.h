/* SPDX-License-Identifier: MIT */
/* All chance of a run comes from here, and so from its seed. */
#ifndef SIM_DICE_H
#define SIM_DICE_H

#include <stdbool.h>
#include <stdint.h>

extern uint64_t dice_state;

static inline void dice_seed(uint64_t seed)
{
    dice_state = seed * 0x9E3779B97F4A7C15u + 0x1234567u;
}

/* SplitMix64. */
static inline uint64_t dice_next(void)
{
    uint64_t z = (dice_state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* 0..bound-1 */
static inline uint32_t dice_below(uint32_t bound)
{
    return (uint32_t)((dice_next() >> 32) * bound >> 32);
}

/* least..most */
static inline uint32_t dice_between(uint32_t least, uint32_t most)
{
    return least + dice_below(most - least + 1);
}

static inline bool dice_chance(uint32_t per_mille)
{
    return per_mille > 0 && dice_below(1000) < per_mille;
}

/* 1..most, small ones as likely as large ones: the number of bits is even. */
static inline uint32_t dice_size(uint32_t most)
{
    uint32_t bits = 32 - (uint32_t)__builtin_clz(most);
    uint32_t size = 1 + dice_below(1u << dice_below(bits + 1));
    return size < most ? size : most;
}

#endif
