/* SPDX-License-Identifier: MIT */
/* A listener whose kernel is the test: it notes what it is asked for, and says what comes of that.
 */
#ifndef UNIT_LONE_LISTENER_H
#define UNIT_LONE_LISTENER_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "own_turns.h"
#include "runtime/listener/accept.h"
#include "runtime/listener/arming.h"
#include "runtime/listener/listener.h"
#include "runtime/listener/listening.h"
#include "runtime/scheduler/scheduler.h"

extern struct scheduler *scheduler;
extern struct listener *listener; /* NULL: it is gone, and the test knows it */
extern struct listening *listening;

extern int asked; /* how often for a connection */
extern bool for_more;
extern bool is_in_flight;
extern int cancels;
extern int backlog; /* connections that a call finds */

/* What its owner was told. Each connection is closed at once. */
extern const weir_handler listener_handler;
extern int accepted;
extern int errors;
extern int last_error;

void lone_listener_begin(void);
void lone_listener_open(void);
void lone_listener_shut(void);
void lone_listener_end(void);

/* What the kernel says, and that it says no more. */
void lone_listener_complete(int result, unsigned flags);

#endif
