/* SPDX-License-Identifier: MIT */
/*
 * An echo server on libevent's events, which cost less than its bufferevents: persistent,
 * edge-triggered, each socket registered once (see stream.h).
 */
#include "base/memory.h"
#include "common/fail.h"
#include "common/process.h"
#include "common/switches.h"
#include "peers/listener.h"
#include "peers/stream.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
    struct event_base *base;
    struct event listener;
} server;

static void on_ready(int fd, short what, void *context)
{
    struct event *event = context;
    if (stream_ready(fd, what & EV_CLOSED) != STREAM_ENDED)
        return;
    event_del(event);
    memory_free(event);
    stream_forget(fd);
    close(fd);
}

static void on_accept(int listener, short what, void *context)
{
    (void)what;
    (void)context;
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct event *event = memory_allocate(sizeof(*event));
        if (!event)
            fail("out of memory");
        event_assign(event, server.base, fd, EV_READ | EV_WRITE | EV_CLOSED | EV_PERSIST | EV_ET,
                     on_ready, event);
        if (event_add(event, NULL) < 0)
            fail("event_add failed");
    }
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
    server.base = event_base_new();
    if (!server.base)
        fail("event_base_new failed");
    int fd = listener_open(port, SOCK_NONBLOCK);
    event_assign(&server.listener, server.base, fd, EV_READ | EV_PERSIST, on_accept, NULL);
    if (event_add(&server.listener, NULL) < 0)
        fail("event_add failed");
    listener_announce(fd);
    return event_base_dispatch(server.base);
}
