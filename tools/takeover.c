/* SPDX-License-Identifier: MIT */
#include "takeover.h"

#include "address/address.h"
#include "base/error.h"
#include "base/system.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/*
 * Messages of a SOCK_SEQPACKET socket: one for each place, its text with its sockets; one for the
 * socket itself; then the successor says that it serves, and its predecessor closes. One that goes
 * on instead says so at any time: who only closes has left, or was killed.
 */
static const char own_socket[] = "takeover";
static const char serving[] = "serving";
static const char staying[] = "staying";

enum { MESSAGE_BYTES = 512, ANSWER_SECONDS = 60 };

struct message {
    char text[MESSAGE_BYTES];
    int fds[WEIR_FDS_MAX];
    int count;
};

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int) * WEIR_FDS_MAX)];
};

static int send_message(int fd, const struct message *message)
{
    union control control = {.room = {0}};
    struct iovec piece = {(void *)message->text, strlen(message->text)};
    struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1};
    size_t size = sizeof(int) * (size_t)message->count;
    if (message->count > 0) {
        header.msg_control = control.room;
        header.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *first = CMSG_FIRSTHDR(&header);
        first->cmsg_level = SOL_SOCKET;
        first->cmsg_type = SCM_RIGHTS;
        first->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(first), message->fds, size);
    }
    return sendmsg(fd, &header, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void close_fds(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        close(fds[i]);
}

/* 1, 0 at the end, or an error. */
static int receive_message(int fd, struct message *message)
{
    union control control;
    struct iovec piece = {message->text, sizeof(message->text) - 1};
    struct msghdr header = {.msg_iov = &piece,
                            .msg_iovlen = 1,
                            .msg_control = control.room,
                            .msg_controllen = sizeof(control.room)};
    ssize_t size = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
    message->count = 0;
    if (size <= 0)
        return size < 0 ? -errno : 0;
    message->text[size] = '\0';
    const struct cmsghdr *first = CMSG_FIRSTHDR(&header);
    if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS) {
        message->count = (int)((first->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(message->fds, CMSG_DATA(first), sizeof(int) * (size_t)message->count);
    }
    return 1;
}

static int say(const struct takeover *takeover, int error)
{
    return error_say(error, "--takeover %s: %s", takeover->path, weir_error_text(error));
}

/* Neither side waits for the other for ever. */
static int open_socket(void)
{
    const struct timeval wait = {ANSWER_SECONDS, 0};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0) {
        close(fd);
        return -EINVAL;
    }
    return fd;
}

/* The descriptor, or 0 when nobody is there. */
static int find_predecessor(const struct takeover *takeover)
{
    struct sockaddr_storage storage;
    int fd = open_socket();
    if (fd < 0)
        return say(takeover, fd);
    socklen_t size = local_address_to_sockaddr(&takeover->file.local, &storage);
    if (connect(fd, (struct sockaddr *)&storage, size) == 0)
        return fd;
    int error = errno;
    close(fd);
    return error == ENOENT || error == ECONNREFUSED ? 0 : say(takeover, -error);
}

/* 1, or an error: it does not let itself be replaced. */
static int take(struct takeover *takeover, struct places *places, const struct message *message)
{
    bool is_own = strcmp(message->text, own_socket) == 0 && message->count == 1;
    if (is_own)
        takeover->listening = message->fds[0];
    else if (!places_inherit(places, message->text, message->fds, message->count))
        close_fds(message->fds, message->count);
    return strcmp(message->text, staying) == 0 ? -ECONNREFUSED : 1;
}

int takeover_ask(struct takeover *takeover, struct places *places)
{
    struct message message;
    int result = 1;
    if (!takeover->path)
        return 0;
    int fd = find_predecessor(takeover);
    if (fd <= 0)
        return fd;
    while (takeover->listening < 0 && result > 0) {
        result = receive_message(fd, &message);
        if (result > 0)
            result = take(takeover, places, &message);
    }
    if (result == 0 || result == -ECONNRESET) { /* it has ended meanwhile */
        close(fd);
        return 0;
    }
    takeover->predecessor = fd;
    return result < 0 ? say(takeover, result) : 0;
}

static int bind_socket(struct takeover *takeover, int fd)
{
    struct sockaddr_storage storage;
    const struct sockaddr *address = (struct sockaddr *)&storage;
    socklen_t size = local_address_to_sockaddr(&takeover->file.local, &storage);
    int result = system_limit_file_mode(fd, 0600);
    if (result >= 0)
        result = system_bind(fd, address, size);
    if (result == -EADDRINUSE && system_remove_stale(fd, address, size) == 0)
        result = system_bind(fd, address, size);
    return result < 0 ? result : system_listen(fd, 1);
}

static int listen_for_successor(struct takeover *takeover)
{
    int fd = open_socket();
    if (fd < 0)
        return say(takeover, fd);
    int result = bind_socket(takeover, fd);
    if (result < 0) {
        close(fd);
        return say(takeover, result);
    }
    takeover->listening = fd;
    return 0;
}

/* What it has not read is an error first; what it has said comes behind that. */
static int tell_predecessor(struct takeover *takeover)
{
    struct message message = {.count = 0};
    snprintf(message.text, sizeof(message.text), "%s", serving);
    int result = send_message(takeover->predecessor, &message);
    if (result < 0 && result != -EPIPE && result != -ECONNRESET)
        return say(takeover, result);
    do
        result = receive_message(takeover->predecessor, &message);
    while (result == -ECONNRESET);
    close_fds(message.fds, message.count);
    if (result > 0 && strcmp(message.text, staying) == 0)
        return say(takeover, -ETIMEDOUT);
    close(takeover->predecessor);
    takeover->predecessor = -1;
    return 0;
}

int takeover_ready(struct takeover *takeover)
{
    if (!takeover->path)
        return 0;
    int result = takeover->listening < 0 ? listen_for_successor(takeover) : 0;
    if (result < 0)
        return result;
    place_note_file(&takeover->file);
    return takeover->predecessor < 0 ? 0 : tell_predecessor(takeover);
}

static int add_fds(struct message *message, const int *fds, int count)
{
    if (message->count + count > WEIR_FDS_MAX) {
        close_fds(fds, count);
        return -EMFILE;
    }
    memcpy(message->fds + message->count, fds, sizeof(*fds) * (size_t)count);
    message->count += count;
    return 0;
}

static int send_place(int fd, const struct place *place)
{
    struct message message = {.count = 0};
    int fds[WEIR_FDS_MAX];
    int result = 0;
    snprintf(message.text, sizeof(message.text), "%s", place->text);
    for (size_t i = 0; i < place->socket_count && result >= 0; i++) {
        result = weir_duplicate_fds(place->sockets[i], fds);
        if (result > 0)
            result = add_fds(&message, fds, result);
    }
    if (result >= 0)
        result = send_message(fd, &message);
    close_fds(message.fds, message.count);
    return result;
}

static int send_all(const struct takeover *takeover, int fd, const struct places *places)
{
    struct message own = {.fds = {takeover->listening}, .count = 1};
    int result = 0;
    for (size_t i = 0; i < places->count && result >= 0; i++)
        result = send_place(fd, &places->at[i]);
    snprintf(own.text, sizeof(own.text), "%s", own_socket);
    return result < 0 ? result : send_message(fd, &own);
}

/* Who may stop us may replace us. */
static bool is_allowed(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

bool takeover_answer(const struct takeover *takeover, const struct places *places)
{
    struct message message = {.count = 0};
    const struct timeval wait = {ANSWER_SECONDS, 0};
    int fd = accept4(takeover->listening, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return false;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    bool serves = is_allowed(fd) && send_all(takeover, fd, places) >= 0 &&
                  receive_message(fd, &message) > 0 && strcmp(message.text, serving) == 0;
    close_fds(message.fds, message.count);
    snprintf(message.text, sizeof(message.text), "%s", staying);
    message.count = 0;
    if (!serves)
        (void)send_message(fd, &message);
    close(fd);
    return serves;
}

void takeover_end(const struct takeover *takeover, bool left)
{
    if (!takeover->path)
        return;
    if (!left)
        place_remove_file(&takeover->file);
    if (takeover->listening >= 0)
        close(takeover->listening);
    if (takeover->predecessor >= 0)
        close(takeover->predecessor);
}
