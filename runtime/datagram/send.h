/* SPDX-License-Identifier: MIT */
/*
 * Sending a datagram: what may be sent, and who has to wait.
 *
 * A call that waits is in one place: on the list of those who wait for a socket that is
 * busy, with nothing queued, or known to its parcel, which tells it what the kernel has said.
 */
#ifndef RUNTIME_DATAGRAM_SEND_H
#define RUNTIME_DATAGRAM_SEND_H

#include "runtime/datagram/letter.h"
#include "runtime/scheduler/call.h"

struct datagram;
struct scheduler;

/* A letter_call, which is answered with what the kernel says. */
extern const struct call_operation operation_send_letter;

/* The handler's form: never waits. 0, -EAGAIN while busy, or an error. */
int letter_send_now(struct scheduler *scheduler, struct datagram *socket,
                    const struct letter *letter);

#endif
