/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that the peers of a local socket have sent, in order, until they are taken.
 *
 * Whose they are: the queue's from the receive that has brought them, until passed_take. Those that
 * it has no room for, and those that are left when it is dropped, are closed. A socket has a queue
 * from its first receive that asks for descriptors until its handle dies.
 *
 * Invariant: while `lost`, nothing is added: so who takes is told of a loss where it was.
 */
#ifndef RUNTIME_SOCKET_PASSED_H
#define RUNTIME_SOCKET_PASSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "runtime/scheduler/slot.h"

struct scheduler;

enum {
    PASSED_MOST = 253, /* in one message: the kernel's SCM_MAX_FD */
    PASSED_WITHOUT_BYTES = CMSG_SPACE(3 * sizeof(int)), /* room for credentials, and for no more */
    PASSED_CONTROL_BYTES = PASSED_WITHOUT_BYTES + CMSG_SPACE(PASSED_MOST * sizeof(int)),
};

struct passed {
    uint32_t count;
    uint32_t capacity;
    bool lost;
    int descriptors[];
};

/* Whether the socket's owner wants descriptors. */
bool passed_is_wanted(const struct slot *slot);

/* The socket's queue, with the room that {descriptors,_} says. NULL: no memory. */
struct passed *passed_ready(struct scheduler *scheduler, const struct slot *slot);

/* Adds what a receive has brought: how many, or -1: some could not be had, and those that could are
 * closed. `passed` NULL: they are not wanted, and closed. */
int passed_read(struct passed *passed, const struct msghdr *message);

/* Closes the last `count` that have come, since nobody will hear of them. */
void passed_lose(struct scheduler *scheduler, const struct slot *slot, uint32_t count);

/* The socket's handle dies. */
void passed_drop(struct scheduler *scheduler, const struct slot *slot);

/* Moves up to `room` of them out: how many, or -ENOBUFS when the next have been lost, once. */
int passed_take(struct scheduler *scheduler, const struct slot *slot, int *descriptors,
                size_t room);

#endif
