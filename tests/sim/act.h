/* SPDX-License-Identifier: MIT */
/* What the program does to one of its sockets. */
#ifndef SIM_ACT_H
#define SIM_ACT_H

#include "sim/model.h"

enum { OWNER_COUNT = 4 };

weir_owner act_owner(uint32_t owner);

void act_send(struct conn *conn);
void act_send_packet(struct conn *conn, const weir_packet *packet);
void act_send_file(struct conn *conn);
/* Memory that weir has and has not given back. */
uint32_t act_lent_count(void);
void act_send_async(struct conn *conn);
void act_receive(struct conn *conn);
void act_set_options(struct conn *conn);
void act_set_active(struct conn *conn, int32_t active);
void act_shutdown(struct conn *conn);
void act_close(struct conn *conn);
void act_change_owner(struct conn *conn);
void act_ask(struct conn *conn);

/* One of them, by the style. */
void act_at_random(struct conn *conn);

#endif
