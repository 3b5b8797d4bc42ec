/* SPDX-License-Identifier: MIT */
/* Who sends to a busy UDP socket, and may wait for it or not. */
#ifndef SIM_UDP_WAIT_H
#define SIM_UDP_WAIT_H

#include <stdbool.h>

struct udp_sending;
struct udp_view;

bool udp_is_busy(const struct udp_view *view);

/* What a call that nobody waits for is to be answered with: udp_foresee_send, or -ENOBUFS where it
 * would wait and as much as queued_bytes_limit waits already. 0: the kernel says. */
int udp_foresee_call(struct udp_view *view, const struct udp_sending *sending);

#endif
