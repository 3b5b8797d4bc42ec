/* SPDX-License-Identifier: MIT */
/*
 * Listening sockets that outlive a process: systemd has opened them, or a server that is to be
 * replaced, and hands them on. None of this is in the document.
 *
 * How a successor takes over without a refused connection: the old process gives it the descriptors
 * of weir_duplicate_fds, over a local socket, say. It serves on them by weir_tcp_serve_fds and says
 * so. The old one calls weir_leave for each service, and then weir_drain.
 */
#ifndef WEIR_INHERIT_H
#define WEIR_INHERIT_H

#include <stddef.h>
#include <weir/socket.h>

WEIR_BEGIN

enum { WEIR_FDS_MAX = 64 }; /* listening sockets of one service */

/*
 * Serves, as weir_tcp_serve does, on `count` sockets that are there, of TCP or local ones: bound,
 * and listening or made to. All are accepted from; where they are fewer than the schedulers, some
 * share one. When the call has succeeded they are the service's, which closes them; if it fails
 * they are still the caller's. They become blocking ones. Others may have them too: when such a
 * service ends it takes what is in the backlog then, and does nothing to the sockets.
 *
 * Errors as weir_tcp_serve; WEIR_BADARG also for none or more than WEIR_FDS_MAX, for one that is no
 * such socket, and for options that say where to bind. Thread; scheduler if it is the only one of
 * its runtime. {fd,_} given to weir_tcp_serve means the same, with one.
 */
WEIR_API int weir_tcp_serve_fds(weir_runtime *runtime, const int *fds, size_t count,
                                const weir_option *options, weir_owner owner,
                                weir_socket *listener) WEIR_CHECK_RESULT;

/*
 * Duplicates the sockets of a service, a listener or a UDP socket, each socket once, for somebody
 * who is to go on with them. How many they are; they are the caller's, close-on-exec, and
 * written to `fds`, which has room for WEIR_FDS_MAX. WEIR_CLOSED, -EOPNOTSUPP (a connection),
 * -EMFILE. Thread; scheduler if it is the only one of its runtime.
 */
WEIR_API int weir_duplicate_fds(weir_socket socket, int fds[WEIR_FDS_MAX]) WEIR_CHECK_RESULT;

/*
 * Ends a service or a listener that somebody else goes on with. Connections that it has accepted
 * are its owner's as ever; those in the backlog are taken by whoever is first. It has ended when
 * weir_drain returns, which waits for its connections too. 0, WEIR_CLOSED, -EOPNOTSUPP (no
 * listener). Thread; scheduler if it is the only one of its runtime.
 */
WEIR_API int weir_leave(weir_socket listener) WEIR_CHECK_RESULT;

/*
 * The descriptors that systemd has passed to this process by socket activation (LISTEN_FDS,
 * LISTEN_PID), those of that name (LISTEN_FDNAMES); NULL: all. How many they are, 0 when there are
 * none or they are another process's; at most WEIR_FDS_MAX are written to `fds`. They become
 * close-on-exec. Any thread, but not while another changes the environment.
 */
WEIR_API int weir_systemd_fds(const char *name, int fds[WEIR_FDS_MAX]);

WEIR_END

#endif
