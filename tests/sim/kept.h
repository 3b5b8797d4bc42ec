/* SPDX-License-Identifier: MIT */
/* Packets that the program keeps for a while. */
#ifndef SIM_KEPT_H
#define SIM_KEPT_H

#include <stdbool.h>
#include <weir/packet.h>

void kept_reset(void);

/* One that is lent. */
void kept_add(const weir_packet *packet);
/* Takes over one: keeps it, or lets it go. */
void kept_take(weir_packet *packet);

bool kept_any(void);
void kept_release_all(void);

#endif
