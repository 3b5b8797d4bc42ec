/* SPDX-License-Identifier: MIT */
/* An echo server on epoll: edge-triggered, each socket registered once (see stream.h). */
#include "common/fail.h"
#include "common/process.h"
#include "common/switches.h"
#include "peers/listener.h"
#include "peers/stream.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENT_COUNT = 512 };

static struct {
    int epoll;
    int listener;
    bool accept_blocked; /* out of descriptors: accepts again after the next close */
} server;

static void watch(int fd, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLET, .data.fd = fd};
    if (epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        fail_errno(errno, "epoll_ctl");
}

static void accept_all(void)
{
    int fd;
    while ((fd = accept4(server.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    server.accept_blocked = errno == EMFILE || errno == ENFILE;
    if (!server.accept_blocked && errno != EAGAIN && errno != ECONNABORTED)
        fail_errno(errno, "accept");
}

static void handle(const struct epoll_event *event)
{
    int fd = event->data.fd;
    if (fd == server.listener) {
        accept_all();
        return;
    }
    bool ending = event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    if (stream_ready(fd, ending) != STREAM_ENDED)
        return;
    stream_forget(fd);
    close(fd);
    if (server.accept_blocked)
        accept_all();
}

int main(int argc, char **argv)
{
    (void)argc;
    long port = 0, core = PROCESS_NONE, buffer_bytes = 256 << 10;
    const struct switch_row rows[] = {
        {"port", SWITCH_NUMBER, &port, "to listen on, 0 = any"},
        {"cpu", SWITCH_NUMBER, &core, "core to stay on"},
        {"buffer-bytes", SWITCH_NUMBER, &buffer_bytes, "size of one read"},
        {0},
    };
    switches_parse(rows, argv);
    process_pin(core);
    stream_open(process_raise_descriptor_limit(), (size_t)buffer_bytes);
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server.epoll < 0)
        fail_errno(errno, "epoll_create1");
    server.listener = listener_open(port, SOCK_NONBLOCK);
    watch(server.listener, EPOLLIN);
    listener_announce(server.listener);
    struct epoll_event events[EVENT_COUNT];
    for (;;) {
        int count = epoll_wait(server.epoll, events, EVENT_COUNT, -1);
        if (count < 0 && errno != EINTR)
            fail_errno(errno, "epoll_wait");
        for (int index = 0; index < count; index++)
            handle(&events[index]);
    }
}
