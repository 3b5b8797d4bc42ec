/* SPDX-License-Identifier: MIT */
/*
 * Datagrams to names: each that was accepted is handed to its socket once for every address that is
 * tried, which are the name's, in order, the next only when there was no way to the last; and its
 * call is answered with what came of the last one tried.
 */
#ifndef SIM_UDP_NAMED_H
#define SIM_UDP_NAMED_H

struct call;
struct pending;
struct udp_view;

/* From its scheduler, another one or a thread. */
void udp_named_send(struct udp_view *view);

/* A call of the runtime's own is complete, perhaps what sends to an address of a name. */
void udp_named_judge(struct pending *pending, const struct call *letter, int result);

#endif
