/* SPDX-License-Identifier: MIT */
/* The pieces of messages that are being sent, copied as the kernel does at submission. */
#ifndef SIM_PIECES_H
#define SIM_PIECES_H

#include <stdint.h>
#include <sys/socket.h>

struct piece;

void pieces_reset(void);

/* A number that is not 0. */
uint32_t pieces_copy(const struct msghdr *message);
void pieces_free(uint32_t number);
const struct piece *pieces_of_message(uint32_t number, uint32_t *count);

/* The descriptors that go along with it. */
const int *pieces_rights(uint32_t number, uint32_t *count);

#endif
