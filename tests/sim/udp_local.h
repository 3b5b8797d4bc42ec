/* SPDX-License-Identifier: MIT */
/*
 * Datagrams of the Unix domain: to and from peers that have paths, abstract names or none. Nothing
 * is lost on the way: a peer whose queue is full has no room until it reads, and who has gone
 * refuses.
 */
#ifndef SIM_UDP_LOCAL_H
#define SIM_UDP_LOCAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <weir/local.h>
#include <weir/udp.h>

struct udp_view;

void udp_local_reset(void);

weir_local_address udp_local_address(uint32_t peer);
/* A name as the kernel has it; how much of it that is. */
uint32_t udp_local_put_name(uint32_t peer, void *name);
/* Whose it is. */
uint32_t udp_local_peer_of(const struct sockaddr *address, socklen_t size);
bool udp_local_is_from(const weir_datagram *datagram, uint32_t peer);

/* What sending to a peer gives now: 0, -EAGAIN, -ECONNREFUSED. */
int udp_local_refusal(uint32_t peer);
/* It has another one to read. */
void udp_local_sent(uint32_t peer);

/* The program's acts. */
struct pending;
void udp_local_send(struct udp_view *view);
void udp_local_send_async(struct udp_view *view);
void udp_local_answer(struct udp_view *view, const weir_packet *packet);

#endif
