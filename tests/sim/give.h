/* SPDX-License-Identifier: MIT */
/* Sockets are given to processes: by callbacks to those of their scheduler, by processes and
 * threads to all. */
#ifndef SIM_GIVE_H
#define SIM_GIVE_H

struct conn;
struct udp_view;

void give_connection(struct conn *conn);
void give_udp(struct udp_view *view);

#endif
