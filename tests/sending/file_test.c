/* SPDX-License-Identifier: MIT */
/* Files that are not what was promised, and files that nobody takes. */
#include "sending/filled.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 1000, PROMISED = 5000, LARGE = 4 << 20 };

static int file_of(size_t size)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    cr_assert(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    return fd;
}

/* Its size is what the call is told, its end what the reading finds. */
static void send_and_shrink(weir_socket socket)
{
    int fd = file_of(PROMISED);
    GIVES(weir_send_file(socket, fd, 0, PROMISED), 0);
    cr_assert(ftruncate(fd, SIZE) == 0);
    close(fd);
}

/* A file behind so much that it is not read before it has shrunk. */
static struct loopback open_with_shrinking(const char *options)
{
    uint64_t queue;
    struct loopback loopback = open_filled(options, &queue);
    send_and_shrink(loopback.socket);
    return loopback;
}

static void expect_broken(struct loopback *loopback)
{
    int64_t size = peer_drain(loopback->peer);
    cr_expect(size == -ECONNRESET, "%lld", (long long)size);
}

Test(file, an_active_owner_is_told_that_it_became_shorter)
{
    struct loopback loopback = open_with_shrinking("");
    GIVES(set(loopback.socket, "[{active,true}]"), 0);
    expect_broken(&loopback);
    expect_told(&loopback, WEIR_MESSAGE_ERROR, -EIO);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    loopback_close(&loopback);
}

Test(file, one_who_waits_in_recv_is_told_that_it_became_shorter)
{
    struct loopback loopback = open_with_shrinking("");
    struct background receiver = {.work = receive_in_background, .socket = loopback.socket};
    background_start(&receiver);
    settle(loopback.socket);
    expect_broken(&loopback);
    int result = background_join(&receiver);
    cr_expect(result == -EIO, "%s", result_text(result));
    loopback_close(&loopback);
}

Test(file, a_passive_owner_is_told_that_it_became_shorter_when_it_asks)
{
    struct loopback loopback = open_with_shrinking("");
    expect_broken(&loopback);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &(weir_packet){0}), -EIO);
    loopback_close(&loopback);
}

Test(file, the_peer_of_a_socket_that_stays_sees_the_end)
{
    struct loopback loopback = open_with_shrinking(",{exit_on_close,false}");
    GIVES(set(loopback.socket, "[{active,true}]"), 0);
    cr_expect(peer_drain(loopback.peer) == FILL_BYTES + SIZE);
    expect_told(&loopback, WEIR_MESSAGE_ERROR, -EIO);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    loopback_close(&loopback);
}

Test(file, what_is_sent_behind_a_closing_call_is_broken_off_too)
{
    struct loopback loopback = open_with_shrinking("");
    GIVES(weir_close(loopback.socket), 0);
    expect_broken(&loopback);
    loopback_close(&loopback);
}

static int opened(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    cr_assert(fd >= 0, "%s: %s", path, strerror(errno));
    return fd;
}

static void refuse(struct loopback *loopback, int fd, int expected)
{
    const weir_file_part part = {fd, 0, PROMISED};
    GIVES(weir_send_file(loopback->socket, fd, 0, PROMISED), expected);
    GIVES(weir_send_file_async(loopback->socket, &part, answer_sent, NULL), expected);
    cr_expect(strstr(weir_last_error_text(), "descriptor"), "%s", weir_last_error_text());
    close(fd);
}

Test(file, what_cannot_be_sent_is_refused_at_the_call)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    int ends[2];
    cr_assert(pipe2(ends, O_CLOEXEC) == 0);
    refuse(&loopback, file_of(SIZE), -EINVAL);
    refuse(&loopback, file_of(0), -EINVAL);
    refuse(&loopback, ends[0], -ESPIPE);
    refuse(&loopback, ends[1], -EBADF);
    refuse(&loopback, opened("/", O_RDONLY), -EISDIR);
    refuse(&loopback, opened("/dev/zero", O_RDONLY), -ESPIPE);
    refuse(&loopback, opened("/proc/self/comm", O_WRONLY), -EBADF);
    refuse(&loopback, opened("/proc/self/comm", O_RDONLY), -EINVAL);
    refuse(&loopback, opened("/proc/self/comm", O_PATH), -EBADF);
    refuse(&loopback, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), -ESPIPE);
    GIVES(weir_send_file(loopback.socket, 0, UINT64_MAX, 2), -EINVAL);
    GIVES(weir_send(loopback.socket, "on", 2), 0);
    peer_expect(loopback.peer, "on");
    loopback_close(&loopback);
}

/* It says that its size is 0. */
Test(file, a_file_that_is_made_as_it_is_read_is_sent)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    int fd = opened("/proc/version", O_RDONLY);
    GIVES(weir_send_file(loopback.socket, fd, 0, 5), 0);
    peer_expect(loopback.peer, "Linux");
    close(fd);
    loopback_close(&loopback);
}

Test(file, a_file_that_was_opened_not_to_wait_is_sent)
{
    char bytes[4096];
    struct loopback loopback = loopback_open("[{active,false}]");
    FILE *temporary = tmpfile();
    cr_assert(temporary);
    int fd = fileno(temporary);
    memset(bytes, 'x', sizeof(bytes));
    cr_assert(write(fd, bytes, sizeof(bytes)) == sizeof(bytes) && fsync(fd) == 0);
    cr_assert(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    GIVES(weir_send_file(loopback.socket, fd, 0, sizeof(bytes)), 0);
    peer_read(loopback.peer, bytes, sizeof(bytes));
    fclose(temporary);
    loopback_close(&loopback);
}

/* Another connection, and the file is on its way to it. */
static weir_socket ask(struct loopback *loopback, int *peer, int fd)
{
    weir_socket socket;
    *peer = peer_connect_with(weir_port(loopback->listener), PEER_BUFFER);
    GIVES(weir_tcp_accept(loopback->listener, weir_mailed_to(loopback->mailbox), WAIT_MS, &socket),
          0);
    GIVES(weir_send_file(socket, fd, 0, LARGE), 0);
    return socket;
}

static bool is_blocked(weir_socket socket)
{
    uint64_t before = queued(socket);
    settle(socket);
    return before < LARGE && queued(socket) == before;
}

Test(file, nobody_who_does_not_read_blocks_a_worker_or_the_others)
{
    enum { COUNT = 32 };
    int peers[COUNT];
    struct loopback loopback = loopback_open("[{active,false}," SMALL_BUFFERS "]");
    int fd = file_of(LARGE);
    for (int i = 0; i < COUNT; i++) {
        weir_socket socket = ask(&loopback, &peers[i], fd);
        EVENTUALLY(is_blocked(socket));
    }
    cr_expect(kernel_workers() < COUNT / 2, "%d", kernel_workers()); /* some may have read */
    GIVES(weir_send_file(loopback.socket, fd, 0, LARGE), 0);
    weir_close(loopback.socket);
    cr_expect(peer_drain(loopback.peer) == LARGE);
    for (int i = 0; i < COUNT; i++)
        peer_leave(&peers[i]);
    close(fd);
    loopback_close(&loopback);
}
