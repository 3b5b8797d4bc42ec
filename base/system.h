/* SPDX-License-Identifier: MIT */
/*
 * The one door to the socket system calls that do not go through the ring. Results are the
 * call's, or -errno. A simulated kernel links another implementation.
 */
#ifndef BASE_SYSTEM_H
#define BASE_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Close-on-exec; `netns` is a path, or NULL for the caller's network namespace. */
int system_socket(int family, int type, const char *netns);
int system_bind(int fd, const struct sockaddr *address, socklen_t size);
int system_listen(int fd, int backlog);
int system_accept(int fd);       /* close-on-exec */
bool system_is_readable(int fd); /* now */
int system_shutdown(int fd, int how);
int system_close(int fd);
/* Of sockets that do not wait: -EINPROGRESS, -EAGAIN. */
int system_connect(int fd, const struct sockaddr *address, socklen_t size);
ssize_t system_receive(int fd, void *bytes, size_t size, int flags, struct sockaddr *from,
                       socklen_t *from_size);
ssize_t system_send(int fd, const struct iovec *pieces, int count);
/* As many of `count` datagrams as there are, or as there is room for, and at least one; neither
 * waits: -EAGAIN. What is wrong with a datagram that is not the first is told by the next call. */
int system_receive_messages(int fd, struct mmsghdr *messages, uint32_t count);
int system_send_messages(int fd, struct mmsghdr *messages, uint32_t count);
int system_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int system_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int system_getsockname(int fd, struct sockaddr *address, socklen_t *size);
int system_getpeername(int fd, struct sockaddr *address, socklen_t *size);

/* Removes the file that a local socket was bound to, when none of the type of `fd` has it open any
 * more. 0; -EADDRINUSE: somebody has; -ENOTSOCK: it is no socket's. */
int system_remove_stale(int fd, const struct sockaddr *address, socklen_t size);
/* The permissions that the file of a socket that is bound later has at most. */
int system_limit_file_mode(int fd, int mode);
int system_set_file_mode(const char *path, int mode);

/* Whether the first `size` bytes of a descriptor's file can be read, by offset: 0, -EBADF (not open
 * for reading), -EISDIR, -ESPIPE (pipes, sockets, terminals), -EINVAL (shorter, or O_DIRECT). */
int system_check_file(int fd, uint64_t size);
/* Another descriptor of the same file, close-on-exec. */
int system_duplicate(int fd);
int system_close_on_exec(int fd);
bool system_is_same_file(int fd, int other);
/* For every descriptor of the same file, by O_NONBLOCK. Whether it waited before, or an error. */
int system_set_waiting(int fd, bool waits);

/* A counter that wakes a sleeping scheduler, whose ring reads it back to nothing: raise adds one.
 */
int system_wake_open(void);
int system_wake_raise(int fd);

#endif
