/* SPDX-License-Identifier: MIT */
/*
 * The program connects UDP sockets, local ones too: on their scheduler, from others and from
 * threads. The kernel is asked once for each call, for the peer that it names, and the caller is
 * told what the kernel said. What was queued before stays its peer's.
 */
#ifndef SIM_UDP_CONNECT_H
#define SIM_UDP_CONNECT_H

#include <stdint.h>

struct udp_view;

/* From wherever this is. */
void udp_connect_act(struct udp_view *view);

/* From the kernel, before it is done: what comes of it. */
void udp_connect_asked(uint32_t index, uint32_t peer, int result);

#endif
