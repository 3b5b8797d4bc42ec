/* SPDX-License-Identifier: MIT */
/* Connections that are held, and connections that come and go. */
#ifndef LOAD_IDLE_H
#define LOAD_IDLE_H

#include "load/frame.h"

#include <netinet/in.h>

/*
 * Opens the connections, exchanges one batch on each so that the server has surely accepted it,
 * says "idle COUNT", and holds them until standard input ends or SIGTERM comes.
 */
void idle_hold(const struct sockaddr_in *server, struct frame_batch *batch, unsigned count);

/* Connects, exchanges one batch and closes `total` times, `together` at a time. */
void idle_churn(const struct sockaddr_in *server, struct frame_batch *batch, unsigned total,
                unsigned together);

#endif
