/* SPDX-License-Identifier: MIT */
/* Handing listening sockets on, and taking those of systemd. */
#include <weir/inherit.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address/number.h"
#include "base/error.h"
#include "base/system.h"
#include "runtime/listener/accept.h"
#include "runtime/listener/listener.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/slot.h"
#include "runtime/service.h"

struct duplicate_call {
    struct call call;
    int fd; /* the result */
};

static int run_duplicate(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    (void)scheduler;
    return list_entry(call, struct duplicate_call, call)->fd = system_duplicate(slot->fd);
}

static const struct call_operation operation_duplicate = {
    .name = "weir_duplicate_fds",
    .run = run_duplicate,
    .kinds = 1 << KIND_LISTENER | 1 << KIND_DATAGRAM,
    .other_result = -EOPNOTSUPP,
    .dead_result = WEIR_CLOSED,
};

struct descriptors {
    int *fds;
    uint32_t count;
};

/* Listeners that share a socket have a descriptor each. */
static bool is_known(const struct descriptors *descriptors, int fd)
{
    for (uint32_t i = 0; i < descriptors->count; i++)
        if (system_is_same_file(descriptors->fds[i], fd))
            return true;
    return false;
}

static int add_duplicate(weir_socket socket, void *what)
{
    struct descriptors *descriptors = what;
    struct duplicate_call duplicate = {.fd = -1};
    int result = call_make(&operation_duplicate, socket, &duplicate.call);
    if (result < 0)
        return result;
    if (is_known(descriptors, duplicate.fd))
        system_close(duplicate.fd);
    else
        descriptors->fds[descriptors->count++] = duplicate.fd;
    return 0;
}

int weir_duplicate_fds(weir_socket socket, int fds[WEIR_FDS_MAX])
{
    struct descriptors descriptors = {.fds = fds};
    int result = service_may_wait(socket, "weir_duplicate_fds");
    if (result >= 0)
        result = add_duplicate(socket, &descriptors);
    if (result >= 0)
        result = service_each_sibling(socket, add_duplicate, &descriptors);
    if (result >= 0)
        return (int)descriptors.count;
    for (uint32_t i = 0; i < descriptors.count; i++)
        system_close(fds[i]);
    return result;
}

static int run_leave(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    (void)call;
    accept_leave(scheduler, listener_of(slot));
    return 0;
}

static const struct call_operation operation_leave = {
    .name = "weir_leave",
    .run = run_leave,
    .kinds = 1 << KIND_LISTENER,
    .other_result = -EOPNOTSUPP,
    .dead_result = WEIR_CLOSED,
};

static int leave_one(weir_socket listener, void *unused)
{
    struct call call = {0};
    (void)unused;
    return call_make(&operation_leave, listener, &call);
}

/* The first has the siblings, so it is the last to go. */
int weir_leave(weir_socket listener)
{
    int result = service_may_wait(listener, "weir_leave");
    if (result >= 0)
        result = service_each_sibling(listener, leave_one, NULL);
    return result < 0 ? result : leave_one(listener, NULL);
}

enum { FIRST_FD = 3 }; /* of systemd's */

/* 0: it is not set, or no number. */
static uint32_t number_of(const char *variable)
{
    const char *text = getenv(variable);
    struct span span = span_of(text ? text : "");
    uint32_t number;
    return number_take(&span, 10, INT32_MAX, &number) && span_is_empty(&span) ? number : 0;
}

/* "a:b:c"; what is missing has no name. */
static bool is_named(const char *names, uint32_t index, const char *name)
{
    while (index > 0 && (names = strchr(names, ':'))) {
        names++;
        index--;
    }
    size_t size = names ? strcspn(names, ":") : 0;
    return names && size == strlen(name) && memcmp(names, name, size) == 0;
}

int weir_systemd_fds(const char *name, int fds[WEIR_FDS_MAX])
{
    const char *names = getenv("LISTEN_FDNAMES");
    uint32_t there = number_of("LISTEN_PID") == (uint32_t)getpid() ? number_of("LISTEN_FDS") : 0;
    int count = 0;
    for (uint32_t i = 0; i < there && count < WEIR_FDS_MAX; i++) {
        int fd = FIRST_FD + (int)i;
        if (name && !(names && is_named(names, i, name)))
            continue;
        if (system_close_on_exec(fd) >= 0)
            fds[count++] = fd;
    }
    return count;
}
