/* SPDX-License-Identifier: MIT */
/* What a peer is going to say. */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/link.h"

/* Memory of one run, given back all at once. NULL: it is used up. */
uint8_t *plan_take(uint32_t size);
void plan_reset(void);

/* Fills in the peer's stream and habits. */
void plan_peer(struct link *link);

/* Set for the run: the type that most peers speak, and how much. */
struct plan_style {
    uint8_t packet;
    uint32_t bytes_most;
    uint32_t large_per_mille; /* packets that are received straight into their memory */
    uint32_t garbage_per_mille;
    uint32_t at_once; /* of peers: they write all that they have, into a large window */
    bool by_hand;     /* peers are planned by who made them */
};
extern struct plan_style plan_style;

#endif
