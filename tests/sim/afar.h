/* SPDX-License-Identifier: MIT */
/* What the program does to a socket from elsewhere: from another scheduler, or from a thread. */
#ifndef SIM_AFAR_H
#define SIM_AFAR_H

#include "sim/model.h"

/* On a scheduler, or on a thread, as the caller is. */
void afar_at_random(struct conn *conn);

/* On a scheduler: a packet that has just come goes on to a socket of another one. */
void afar_forward(struct conn *conn, const weir_packet *packet);

/* Hand-overs to other owners that threads wait for. */
uint32_t afar_handover_count(void);
void afar_hand_over(int more);
void afar_reset(void);

#endif
