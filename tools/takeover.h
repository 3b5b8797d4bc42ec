/* SPDX-License-Identifier: MIT */
/*
 * Replacing a server by another one: over a local socket, which only its user may use, the
 * successor gets the listening sockets of its predecessor, and this socket itself; when it serves
 * it says so, and the other one leaves. One that fails before has no effect.
 */
#ifndef TOOLS_TAKEOVER_H
#define TOOLS_TAKEOVER_H

#include "place.h"

#include <stddef.h>

struct takeover {
    const char *path;  /* NULL: nobody is to take over */
    int listening;     /* for a successor; -1: none yet */
    int predecessor;   /* -1: there is none */
    struct place file; /* what to remove in the end */
};

/* Asks who serves there, if anybody does, for its sockets, which become `inherited` ones of those
 * places whose text they have; what no place wants is closed. 0, also when it ends meanwhile, or an
 * error with its text. */
int takeover_ask(struct takeover *takeover, struct places *places);

/* Everything is served: a successor may come, and the predecessor is told to leave. An error: it
 * has waited too long, and goes on. One that was killed meanwhile is none. */
int takeover_ready(struct takeover *takeover);

/* A successor has come. True: it serves now, and this process is to leave. */
bool takeover_answer(const struct takeover *takeover, const struct places *places);

/* Nobody takes over any more. */
void takeover_end(const struct takeover *takeover, bool left);

#endif
