/* SPDX-License-Identifier: MIT */
/* The other end of a connection: writes its plan, reads what it is sent, in its own time. */
#ifndef SIM_PEER_H
#define SIM_PEER_H

#include <stdint.h>

/* Ports that nobody listens on behave in a way of their own. */
enum { PORT_ACCEPTS = 1, PORT_REFUSES, PORT_UNREACHABLE, PORT_SILENT, PORT_TIMES_OUT, PORT_COUNT };

/* A connect to a port has begun on a file. */
void peer_answer(uint32_t file, uint32_t serial, uint16_t port);

/* A peer connects to the listener of that file; it waits in the backlog. */
void peer_connect(uint32_t listener);

void peer_begin(uint32_t link);
void peer_may_write(uint32_t link);
void peer_may_read(uint32_t link);

/* Ends all stalls: the run winds down. */
void peer_relent(void);

#endif
