/* SPDX-License-Identifier: MIT */
/* The steps of datagrams. */
#include "player_udp.h"

#include "base/check.h"
#include "message.h"

#include <stdlib.h>
#include <string.h>

enum { SEND_MAX = 70000, OPTIONS_SIZE = 4096 };

static void write_result(FILE *to, int result)
{
    fputs(result < 0 ? weir_error_name(result) : "ok", to);
}

/* `arguments` is a list that is not empty. */
void player_udp_open(struct player *player, char *arguments, FILE *to)
{
    char text[OPTIONS_SIZE];
    const uint8_t *ip = player->remote.address.bytes;
    weir_option *options;
    CHECK_LT(snprintf(text, sizeof(text), "[{ip,{%d,%d,%d,%d}},%s", ip[0], ip[1], ip[2], ip[3],
                      arguments + 1),
             OPTIONS_SIZE);
    CHECK_EQ(weir_options_parse(text, &options), 0);
    int result = weir_udp_open(player->runtime, 0, options, player->kind->opener(player->owners),
                               &player->socket);
    player->own_port = (uint16_t)weir_port(player->socket);
    weir_options_free(options);
    write_result(to, result);
}

static weir_address peer_of(const struct player *player)
{
    weir_address peer = player->remote.address;
    peer.port = player->remote.port;
    return peer;
}

void player_udp_connect(struct player *player, char *arguments, FILE *to)
{
    weir_address peer = peer_of(player);
    (void)arguments;
    write_result(to, weir_udp_connect(player->socket, &peer));
}

static void send_hex(const struct player *player, const weir_address *peer, const char *hex,
                     FILE *to)
{
    uint8_t bytes[SEND_MAX];
    size_t size = bytes_from_hex(hex, bytes, sizeof(bytes));
    write_result(to, weir_udp_send(player->socket, peer, bytes, size));
}

void player_udp_send(struct player *player, char *arguments, FILE *to)
{
    weir_address peer = peer_of(player);
    send_hex(player, &peer, arguments + 2, to);
}

void player_udp_send_on(struct player *player, char *arguments, FILE *to)
{
    send_hex(player, NULL, arguments + 2, to);
}

void player_udp_send_to_port(struct player *player, char *arguments, FILE *to)
{
    weir_address peer = peer_of(player);
    peer.port = (uint16_t)strtoul(arguments + 2, NULL, 10);
    send_hex(player, &peer, "07", to);
}

void player_udp_send_to_inet6(struct player *player, char *arguments, FILE *to)
{
    weir_address peer = {.family = WEIR_INET6, .bytes = {[15] = 1}};
    peer.port = (uint16_t)strtoul(arguments + 2, NULL, 10);
    send_hex(player, &peer, "07", to);
}

void player_udp_recv(struct player *player, char *arguments, FILE *to)
{
    weir_packet packet;
    int64_t timeout_ms = strtol(arguments + 2, NULL, 10);
    int result = weir_udp_recv(player->socket, timeout_ms, &packet);
    write_result(to, result);
    if (result < 0)
        return;
    fputs(packet.datagram->source.port == player->remote.port ? " right " : " wrong ", to);
    message_write_packet(to, &packet, player->modes);
    weir_packet_release(&packet);
}
