/* SPDX-License-Identifier: MIT */
#ifndef DIFFERENTIAL_SOCKETS_PLAYER_UDP_H
#define DIFFERENTIAL_SOCKETS_PLAYER_UDP_H

#include "player.h"

#include <stdio.h>

void player_udp_open(struct player *player, char *arguments, FILE *to);
void player_udp_connect(struct player *player, char *arguments, FILE *to);
/* To the remote end; to whom it is connected; elsewhere. */
void player_udp_send(struct player *player, char *arguments, FILE *to);
void player_udp_send_on(struct player *player, char *arguments, FILE *to);
void player_udp_send_to_port(struct player *player, char *arguments, FILE *to);
void player_udp_send_to_inet6(struct player *player, char *arguments, FILE *to);
void player_udp_recv(struct player *player, char *arguments, FILE *to);

#endif
