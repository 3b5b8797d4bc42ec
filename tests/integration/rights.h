/* SPDX-License-Identifier: MIT */
/*
 * Descriptors for tests that pass them. A mark is a pipe whose writing end is passed: its reading
 * end is told when the last copy of that has been closed, wherever it was.
 */
#ifndef INTEGRATION_RIGHTS_H
#define INTEGRATION_RIGHTS_H

#include "integration/local_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct mark {
    int reader;
    int writer;
    ino_t file;
};

static inline struct mark mark_make(void)
{
    struct mark mark;
    struct stat status;
    int ends[2];
    cr_assert(pipe2(ends, O_CLOEXEC) == 0 && fstat(ends[1], &status) == 0);
    mark = (struct mark){ends[0], ends[1], status.st_ino};
    return mark;
}

static inline bool mark_is_open(const struct mark *mark, int timeout_ms)
{
    struct pollfd end = {mark->reader, 0, 0};
    return poll(&end, 1, timeout_ms) == 0;
}

/* Ours is closed; no copy is left anywhere. */
static inline void mark_expect_gone(const struct mark *mark)
{
    cr_assert(!mark_is_open(mark, WAIT_MS), "a copy is still open");
    close(mark->reader);
}

/* A passed copy: it is one of this mark's, is close-on-exec, and is closed. */
static inline void mark_expect_copy(const struct mark *mark, int descriptor)
{
    struct stat status;
    cr_assert(fstat(descriptor, &status) == 0, "%s", strerror(errno));
    cr_assert(status.st_ino == mark->file, "another file");
    cr_assert(fcntl(descriptor, F_GETFD) == FD_CLOEXEC);
    close(descriptor);
}

/* "unix:@..." of this process, different for each name. */
static inline const char *name_of(const char *name)
{
    static char text[8][64];
    static size_t next;
    char *place = text[next++ % 8];
    snprintf(place, sizeof(text[0]), "unix:@weir rights %d %s", (int)getpid(), name);
    return place;
}

enum { PLAIN_MOST = 253 };

union plain_control {
    struct cmsghdr header;
    char room[CMSG_SPACE(PLAIN_MOST * sizeof(int))];
};

/* Bytes and descriptors, by a plain socket that is connected. */
static inline void plain_send(int fd, const char *text, const int *descriptors, size_t count)
{
    union plain_control control = {
        .header = {CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct iovec piece = {(void *)text, strlen(text)};
    const struct msghdr message = {.msg_iov = &piece,
                                   .msg_iovlen = 1,
                                   .msg_control = control.room,
                                   .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
    cr_assert(sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)piece.iov_len, "%s", strerror(errno));
}

/* Some bytes, and how many descriptors came with them. */
static inline int plain_receive(int fd, char *bytes, size_t size, int *descriptors)
{
    union plain_control control;
    struct iovec piece = {bytes, size - 1};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof(control)};
    ssize_t result = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    cr_assert(result >= 0 && !(message.msg_flags & MSG_CTRUNC), "%s", strerror(errno));
    bytes[result] = '\0';
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    size_t count = header ? (header->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
    if (count > 0)
        memcpy(descriptors, CMSG_DATA(header), count * sizeof(int));
    return (int)count;
}

static inline int local_send(weir_socket socket, const char *text, const int *descriptors,
                             size_t count)
{
    const weir_local_message message = {text, strlen(text), descriptors, count, NULL};
    return weir_local_send(socket, &message);
}

#endif
