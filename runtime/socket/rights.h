/* SPDX-License-Identifier: MIT */
/*
 * Descriptors on their way to the peer of a local socket: the control message of their send, as a
 * buffer. They are duplicates, made when the send is called and closed with the last reference: so
 * the caller's may be closed at once.
 */
#ifndef RUNTIME_SOCKET_RIGHTS_H
#define RUNTIME_SOCKET_RIGHTS_H

#include <stddef.h>
#include <sys/socket.h>

struct weir_buffer;

enum { RIGHTS_MOST = 253 }; /* the kernel's SCM_MAX_FD */

/* One reference, NULL for none of them. -EINVAL (too many), -EBADF, -EMFILE, -ENOMEM. */
int rights_make(const int *descriptors, size_t count, struct weir_buffer **rights);

/* They go with this message, which lives no longer than they do. NULL: none. */
void rights_attach(const struct weir_buffer *rights, struct msghdr *message);

#endif
