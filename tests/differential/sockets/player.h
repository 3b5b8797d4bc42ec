/* SPDX-License-Identifier: MIT */
/*
 * Plays a program on weir: what each step gave, one line a step. play.erl has the same for gen_tcp.
 */
#ifndef DIFFERENTIAL_SOCKETS_PLAYER_H
#define DIFFERENTIAL_SOCKETS_PLAYER_H

#include "owners.h"
#include "remote.h"

#include <stdbool.h>
#include <weir/weir.h>

enum { BACKGROUND_COUNT = 4 };

struct player;

/* A step that was started and is joined later. */
struct background {
    weir_mailbox *ended; /* is told once; NULL: none was started */
    bool joined;
    struct player *player;
    char *step;
    char *line; /* what it gave */
    size_t size;
};

struct player {
    weir_runtime *runtime;
    int quiet_ms;
    bool modes; /* packets are printed with their mode */
    const struct owners_kind *kind;
    struct owners *owners;
    weir_socket listener;
    weir_socket socket;
    uint16_t own_port;
    struct remote remote;
    struct background background[BACKGROUND_COUNT];
};

/* In whom the kind begins, who is to be `a`. */
void player_start(struct player *player, weir_runtime *runtime, uint8_t address_byte);
void player_step(struct player *player, char *step, FILE *to);
void player_finish(struct player *player);

#endif
