/* SPDX-License-Identifier: MIT */
/*
 * Reach: from a handle to the scheduler, the data and the waiting calls of its socket, wherever
 * that lives. None of this is in the document, where a process finds its sockets by its own state.
 */
#ifndef WEIR_REACH_H
#define WEIR_REACH_H

#include <weir/socket.h>

WEIR_BEGIN

/*
 * `result` 0: the socket's `socket_data` is what its handler's callbacks are given (NULL if its
 * owner is no handler), and the socket stays until this returns, unless this closes it.
 * WEIR_CLOSED: the handle is dead, and `socket_data` NULL. That may be said after `gone`.
 */
typedef void weir_worked(weir_socket socket, int result, void *socket_data, void *data);

/*
 * Runs `work` on the scheduler of a socket, soon, from its turn: exactly once if it returned 0, and
 * not at all if it did not. What was asked for first is run first. 0, WEIR_CLOSED (its runtime
 * stops or has stopped, or it is no socket), -EINVAL (no function) or -ENOMEM. Any thread, any
 * scheduler: it waits for nobody.
 */
WEIR_API int weir_run_for(weir_socket socket, weir_worked *work, void *data) WEIR_CHECK_RESULT;

/*
 * The number, in its runtime, of the scheduler that the handle's socket lives or lived on: 0 and
 * up, as weir_run_on takes it. WEIR_CLOSED when that has stopped. Any thread, any scheduler: it
 * waits for nobody.
 */
WEIR_API int weir_scheduler_of(weir_socket socket);

/*
 * What the socket's callbacks are given: the last of weir_set_data, else its owner's. -EINVAL when
 * the socket is closed, or its owner is no handler. Thread; scheduler: its own sockets.
 */
WEIR_API int weir_get_data(weir_socket socket, void **data) WEIR_CHECK_RESULT;

/*
 * Whether a send would have to wait now: 1 or 0, as {high_watermark,_}, {low_watermark,_} and, of a
 * connection, the runtime's limit say. For who must know before it acts; a send that is refused
 * says the same. WEIR_CLOSED, -ENOTCONN (a listener, or its connection is lost). Thread; scheduler:
 * its own sockets.
 */
WEIR_API int weir_is_busy(weir_socket socket);

/*
 * Cancels those of the _async calls of recv and accept waiting on the socket that were made with
 * this `data`: each calls back with -ECANCELED, soon. How many they were. 0: none waits; one that
 * was made has called back or is about to, with what it has got. What a recv had begun to wait for
 * is there for the next. WEIR_CLOSED. Thread; scheduler: its own sockets.
 */
WEIR_API int weir_cancel(weir_socket socket, void *data);

/* What weir_each_socket calls. */
typedef void weir_visited(weir_socket socket, void *socket_data, void *data);

/*
 * Calls `visit` for each open socket of the caller's scheduler but listeners, before it returns;
 * those that come meanwhile may be left out. It may do everything, also close sockets. To visit all
 * of a runtime's, weir_run_on each of its schedulers. How many they were, or -EINVAL when the
 * caller is on no scheduler.
 */
WEIR_API int weir_each_socket(weir_visited *visit, void *data);

WEIR_END

#endif
