/* SPDX-License-Identifier: MIT */
/*
 * A connection that has been accepted with {proxy_protocol,true}, and whose header has not come:
 * the kind of slot that holds it until then, or until its time is up. Nobody has its handle. It has
 * its listener's owner and options, and a place where there are so many, which the connection will
 * have.
 *
 * It is its listener's until that is closed: by its owner, then it ends too; or at the end of a
 * drain of a service, then it goes on by itself, since the drain waits for it. A listener whose
 * connections are taken by calls waits for it then, as long as one of those does.
 */
#ifndef RUNTIME_LISTENER_INCOMING_H
#define RUNTIME_LISTENER_INCOMING_H

#include "runtime/scheduler/kind.h"
#include <weir/options.h>

struct listener;
struct listening;
struct scheduler;

extern const struct kind kind_incoming;

enum incoming_operation { INCOMING_READABLE = OPERATION_OF_KIND(KIND_INCOMING, 0) };

/* One that was accepted now, and has its place. */
void incoming_begin(struct scheduler *scheduler, struct listener *listener, int fd);

/* Sets options of a listener's on those that it has. */
void incoming_set(const struct listening *listening, const weir_option *options);

/* Its listener is closed: they go on, or they end. */
void incoming_let_go(struct listening *listening);
void incoming_end_all(struct listening *listening);

#endif
