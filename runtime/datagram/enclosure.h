/* SPDX-License-Identifier: MIT */
/*
 * What comes with a local socket's datagram beside its bytes: descriptors, and who sent it. It is
 * asked for one datagram at a time, and only where somebody wants it.
 *
 * Whose the descriptors are: the socket's queue's (socket/passed.h) as soon as they are received.
 * Their datagram is the next that is handed out, or lost with them.
 */
#ifndef RUNTIME_DATAGRAM_ENCLOSURE_H
#define RUNTIME_DATAGRAM_ENCLOSURE_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/local.h>

struct datagram;
struct intake;
struct scheduler;
struct weir_buffer;

struct enclosure {
    int16_t descriptors; /* how many; -1: they were lost */
    weir_credentials credentials;
};

bool enclosure_is_wanted(const struct datagram *socket);

/* As intake_receive, of one datagram for which a buffer stands ready. */
int enclosure_receive(struct scheduler *scheduler, const struct datagram *socket,
                      struct intake *intake, struct enclosure *enclosure);

/* The buffer that it came with is to tell of it. */
void enclosure_note(const struct enclosure *enclosure, struct weir_buffer *buffer);

#endif
