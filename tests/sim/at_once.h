/* SPDX-License-Identifier: MIT */
/* What calls that do not wait receive of a connection. */
#ifndef SIM_AT_ONCE_H
#define SIM_AT_ONCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "sim/kernel.h"

/* Whether there is something to read, or an end. */
bool at_once_readable(const struct file *file);

/* As recv(2) with MSG_DONTWAIT, and MSG_PEEK or not. */
ssize_t at_once_receive(uint32_t file, void *bytes, size_t size, int flags);

/* As recvmmsg(2) of one message, with what goes along with the bytes. */
int at_once_receive_message(uint32_t file, struct mmsghdr *message);

#endif
