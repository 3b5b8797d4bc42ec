/* SPDX-License-Identifier: MIT */
/* From when a socket is known until it is `gone`: that is told once, to the handler that owns it in
 * the end, and is the last that is heard of it. */
#ifndef SIM_LIFE_H
#define SIM_LIFE_H

#include <stdbool.h>
#include <stdint.h>
#include <weir/socket.h>

struct scheduler;

void life_open(uint32_t capacity);
void life_close(void);
void life_reset(void);

/* A connection is heard of for the first time, or has another owner. */
void life_owned(weir_socket socket, uint32_t owner);

/* Whether an owner is told; the others are handlers that do not ask for it, and mailboxes. */
bool life_is_told(uint32_t owner);

/* Something calls back that is about this socket. */
void life_check(weir_socket socket, const char *what);

void life_gone(weir_socket socket, uint32_t owner);
bool life_is_gone(weir_socket socket);

/* Its sockets have all gone, or should have. */
void life_scheduler_over(const struct scheduler *scheduler);

#endif
