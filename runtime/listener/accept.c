/* SPDX-License-Identifier: MIT */
#include "runtime/listener/accept.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/probe.h"
#include "base/system.h"
#include "runtime/listener/adopt.h"
#include "runtime/listener/late_options.h"
#include "runtime/listener/listener.h"
#include "runtime/owner/owner.h"
#include "runtime/ring/features.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/stream/open.h"

/* When no descriptor is to be had a retry comes with the next close, or after this. */
enum { RETRY_MS = 100 };

/* The kernel wakes who has waited longest. One by one that is another each time; a multishot would
 * stay the first, and have all connections. */
static void arm(struct scheduler *scheduler, struct listener *socket)
{
    struct listening *listener = socket->listening;
    bool multishot = listener->serving && !listener->has_rivals &&
                     (scheduler->profile.features & FEATURE_BIT(MULTISHOT_ACCEPT));
    listener->accepting = ACCEPTING;
    slot_hold(&socket->slot);
    ring_accept(scheduler->ring, slot_operation(&socket->slot, LISTENER_ACCEPT), socket->slot.fd,
                multishot);
}

static void update(struct scheduler *scheduler, struct listener *socket)
{
    struct listening *listener = socket->listening;
    bool wanted = listener->serving || !list_is_empty(&listener->acceptors);
    if (wanted && listener->accepting == ACCEPTING_NOT) {
        arm(scheduler, socket);
    } else if (!wanted && listener->accepting == ACCEPTING) {
        listener->accepting = ACCEPTING_CANCELLED;
        cancel_start(scheduler, &socket->slot, LISTENER_ACCEPT);
    }
}

static void resume(struct listening *listener)
{
    timer_disarm(&listener->scheduler->timers, &listener->retry);
    task_remove(&listener->try_again);
    listener->accepting = ACCEPTING_NOT;
    update(listener->scheduler, listener->socket);
}

static void retry(struct timer *timer)
{
    struct listening *listener = list_entry(timer, struct listening, retry);
    listener->has_paused = true;
    resume(listener);
}

static void try_again(struct scheduler *scheduler, struct task *task)
{
    (void)scheduler;
    resume(list_entry(task, struct listening, try_again));
}

static void take_rest(struct scheduler *scheduler, struct task *task);
static void give_up(struct scheduler *scheduler, struct task *task);

struct listening *listening_create(struct scheduler *scheduler, struct listener *socket)
{
    struct listening *listener = memory_allocate_zeroed(1, sizeof(*listener));
    if (!listener)
        return NULL;
    list_init(&listener->acceptors);
    listener->scheduler = scheduler;
    listener->socket = socket;
    listener->retry.fire = retry;
    task_init(&listener->try_again, try_again);
    task_init(&listener->take_rest, take_rest);
    task_init(&listener->give_up, give_up);
    return listener;
}

void accept_serve(struct scheduler *scheduler, struct listener *socket, weir_owner owner)
{
    socket->listening->serving = true;
    owner_set(&socket->slot, owner);
    update(scheduler, socket);
}

/* Those whose mailbox is gone get nothing. */
static struct call *take_acceptor(struct scheduler *scheduler, struct listening *listener)
{
    struct list *node;
    while ((node = list_take(&listener->acceptors))) {
        struct call *call = list_entry(node, struct call, link);
        int result = owner_check(open_call_of(call)->owner);
        if (result == 0)
            return call;
        call_complete(scheduler, call, result);
    }
    return NULL;
}

void accept_dismiss_dead(struct scheduler *scheduler, struct slot *slot)
{
    struct listener *socket = listener_of(slot);
    struct list living;
    struct call *call;
    if (slot->state != SOCKET_OPEN)
        return;
    list_init(&living);
    while ((call = take_acceptor(scheduler, socket->listening)))
        list_append(&living, &call->link);
    list_move_all(&socket->listening->acceptors, &living);
    update(scheduler, socket);
}

/* Without memory it is closed. */
static void keep_spare(struct listening *listener, int fd)
{
    size_t size = (listener->spare_count + 1) * sizeof(fd);
    int *fds = memory_resize(listener->spare_fds, size);
    if (!fds) {
        system_close(fd);
        return;
    }
    fds[listener->spare_count++] = fd;
    listener->spare_fds = fds;
}

static int take_spare(struct listening *listener)
{
    int fd = listener->spare_fds[0];
    listener->spare_count--;
    memmove(listener->spare_fds, listener->spare_fds + 1, listener->spare_count * sizeof(fd));
    return fd;
}

static void give_to_acceptor(struct scheduler *scheduler, struct listener *socket, int fd);

/* The mailbox that it was for died while it was on its way. */
static void take_back(struct scheduler *scheduler, weir_socket handle, int fd)
{
    struct listener *socket = listener_find(scheduler, handle);
    if (!socket) {
        system_close(fd);
        return;
    }
    late_options_count_again(socket->listening);
    give_to_acceptor(scheduler, socket, fd);
    update(scheduler, socket);
}

static void give_to_acceptor(struct scheduler *scheduler, struct listener *socket, int fd)
{
    struct call *call = take_acceptor(scheduler, socket->listening);
    if (!call) {
        keep_spare(socket->listening, fd);
        return;
    }
    call_hold(scheduler, call);
    adopt_for_call(scheduler, socket, fd, call, take_back);
}

static void take_connection(struct scheduler *scheduler, struct listener *socket, int fd)
{
    scheduler->totals.accepts++;
    PROBE2(accept, scheduler->number, fd);
    socket->listening->failed = false;
    socket->listening->has_paused = false;
    socket->listening->told_unusable = false;
    if (socket->listening->serving)
        adopt_for_owner(scheduler, socket, fd, slot_owner(&socket->slot));
    else
        give_to_acceptor(scheduler, socket, fd);
}

/* Not armed again at once: the connection stays in the backlog, and asking for it over and over
 * would cost a whole core. */
static void pause_accepting(struct scheduler *scheduler, struct listener *socket,
                            bool until_descriptors)
{
    struct listening *listener = socket->listening;
    listener->accepting = ACCEPTING_PAUSED;
    scheduler->totals.accept_pauses++;
    if (until_descriptors)
        task_add(&scheduler->tasks, TASK_WITH_DESCRIPTORS, &listener->try_again);
    scheduler_arm(scheduler, &listener->retry, RETRY_MS);
}

static bool lacks_resources(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -ENOBUFS;
}

/* What is said of one connection, which has gone again, or of no attempt at all (accept(2)). */
static bool is_passing(int error)
{
    static const int passing[] = {EINTR,      EAGAIN, ECONNABORTED, EPROTO,   ENOPROTOOPT,
                                  EHOSTDOWN,  ENONET, EHOSTUNREACH, ENETDOWN, ENETUNREACH,
                                  EOPNOTSUPP, EPERM,  ETIMEDOUT};
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
        if (error == -passing[i])
            return true;
    return false;
}

/* The listener itself is of no use. Who waits is told, and so is a service's owner, once until a
 * connection comes again. */
static void tell_unusable(struct scheduler *scheduler, struct listener *socket, int error)
{
    struct listening *listener = socket->listening;
    bool told = listener->told_unusable;
    listener->told_unusable = true;
    call_complete_all(scheduler, &listener->acceptors, error);
    if (listener->serving && !told)
        owner_tell(scheduler, &socket->slot, WEIR_MESSAGE_ERROR, error);
}

/* When no descriptor came during a whole pause, those who wait hear so; the connection stays in the
 * backlog. A service goes on trying. One failure may be one connection's. What fails again is not
 * asked for again at once: it would fail for ever, and use up a core. */
static void accept_failed(struct scheduler *scheduler, struct listener *socket, int error)
{
    struct listening *listener = socket->listening;
    bool again = listener->failed;
    if (error == -ECANCELED)
        return;
    listener->failed = true;
    if (lacks_resources(error) && listener->has_paused && !listener->serving) {
        listener->has_paused = false;
        call_complete_all(scheduler, &listener->acceptors, error);
        return;
    }
    if (listener->accepting != ACCEPTING_NOT || (is_passing(error) && !again))
        return;
    pause_accepting(scheduler, socket, lacks_resources(error));
    if (!lacks_resources(error) && !is_passing(error))
        tell_unusable(scheduler, socket, error);
}

static void take_one(struct scheduler *scheduler, struct listener *socket)
{
    slot_hold(&socket->slot);
    ring_accept(scheduler->ring, slot_operation(&socket->slot, LISTENER_ACCEPT), socket->slot.fd,
                false);
}

static bool is_wanted(const struct listening *listener)
{
    return listener->serving || !list_is_empty(&listener->acceptors);
}

static void close_at_last(struct scheduler *scheduler, struct listener *socket)
{
    socket->listening->accepting = ACCEPTING_NOT;
    slot_end(scheduler, &socket->slot, END_CLOSED);
}

/*
 * Others have the socket too. The kernel wakes one of those that wait for a connection, which may
 * have been us before we were cancelled: then nobody else is woken, and what is there is ours to
 * take. One that another has taken meanwhile is not waited for: give_up.
 */
static void share_rest(struct scheduler *scheduler, struct listener *socket)
{
    struct listening *listener = socket->listening;
    if (!is_wanted(listener) || !system_is_readable(socket->slot.fd)) {
        close_at_last(scheduler, socket);
        return;
    }
    listener->accepting = ACCEPTING_REST;
    take_one(scheduler, socket);
    task_add(&scheduler->tasks, TASK_SUBMITTED, &listener->give_up);
}

/* The kernel has been offered the accept. */
static void give_up(struct scheduler *scheduler, struct task *task)
{
    struct listening *listener = list_entry(task, struct listening, give_up);
    if (listener->accepting != ACCEPTING_REST)
        return;
    listener->accepting = ACCEPTING_ENDS;
    cancel_start(scheduler, &listener->socket->slot, LISTENER_ACCEPT);
}

static bool is_shared(const struct listening *listener)
{
    return listener->inherited || listener->leaves;
}

static void accept_rest(struct scheduler *scheduler, struct listener *socket)
{
    struct listening *listener = socket->listening;
    if (is_shared(listener)) {
        share_rest(scheduler, socket);
        return;
    }
    if (listener->rest_count == 0 || !is_wanted(listener)) {
        close_at_last(scheduler, socket);
        return;
    }
    listener->rest_count--;
    take_one(scheduler, socket);
}

/* Nobody but us has a service's listener, so it may be told not to wait: -EAGAIN is the end. Any
 * other is asked for what is known to be there. */
static uint32_t rest_count(const struct listener *socket)
{
    uint32_t count = listener_backlog_count(socket);
    if (socket->listening->serving)
        return system_set_waiting(socket->slot.fd, false) < 0 ? 0 : count;
    return count == UINT32_MAX ? 0 : count;
}

/* A local listener does not say how many there are: they are taken by calls that do not wait. */
static void take_rest(struct scheduler *scheduler, struct task *task)
{
    enum { AT_ONCE = 64 };
    struct listener *socket = list_entry(task, struct listening, take_rest)->socket;
    int fd = 0;
    slot_hold(&socket->slot);
    for (int i = 0; i < AT_ONCE && fd >= 0 && socket->slot.state == SOCKET_OPEN; i++) {
        fd = system_accept(socket->slot.fd);
        if (fd >= 0)
            take_connection(scheduler, socket, fd);
    }
    if (fd < 0)
        slot_end(scheduler, &socket->slot, END_CLOSED);
    else if (socket->slot.state == SOCKET_OPEN)
        task_add(&scheduler->tasks, TASK_SOON, task);
    slot_unhold(scheduler, &socket->slot);
}

static void begin_rest(struct scheduler *scheduler, struct listener *socket)
{
    struct listening *listener = socket->listening;
    listener->accepting = ACCEPTING_REST;
    if (is_shared(listener)) {
        share_rest(scheduler, socket);
        return;
    }
    if (listener->serving && socket->slot.family == WEIR_LOCAL &&
        system_set_waiting(socket->slot.fd, false) >= 0) {
        listener->accepting = ACCEPTING_TAKEN;
        task_add(&scheduler->tasks, TASK_SOON, &listener->take_rest);
        return;
    }
    listener->rest_count = rest_count(socket);
    accept_rest(scheduler, socket);
}

/* Whoever asks again is told the same, over and over. */
static bool is_lasting(int result)
{
    return result < 0 && result != -ECANCELED && !is_passing(result);
}

static void drain_on(struct scheduler *scheduler, struct listener *socket,
                     const struct ring_completion *completion)
{
    struct listening *listener = socket->listening;
    if (completion->flags & RING_MORE)
        return;
    if (completion->result == -EAGAIN)
        listener->rest_count = 0;
    if (listener->accepting == ACCEPTING_ENDS)
        begin_rest(scheduler, socket);
    else if (is_lasting(completion->result))
        close_at_last(scheduler, socket);
    else
        accept_rest(scheduler, socket);
}

void accept_drain(struct scheduler *scheduler, struct listener *socket)
{
    struct listening *listener = socket->listening;
    switch (listener->accepting) {
    case ACCEPTING:
        listener->accepting = ACCEPTING_ENDS;
        cancel_start(scheduler, &socket->slot, LISTENER_ACCEPT);
        break;
    case ACCEPTING_CANCELLED:
        listener->accepting = ACCEPTING_ENDS;
        break;
    case ACCEPTING_PAUSED:
    case ACCEPTING_NOT:
        task_remove(&listener->try_again);
        timer_disarm(&scheduler->timers, &listener->retry);
        begin_rest(scheduler, socket);
        break;
    case ACCEPTING_REST:
        if (listener_backlog_count(socket) == 0) { /* another process has taken it */
            listener->accepting = ACCEPTING_ENDS;
            cancel_start(scheduler, &socket->slot, LISTENER_ACCEPT);
        }
        break;
    case ACCEPTING_ENDS:
    case ACCEPTING_TAKEN:
        break;
    }
}

void accept_leave(struct scheduler *scheduler, struct listener *socket)
{
    socket->listening->leaves = true;
    accept_drain(scheduler, socket);
}

static bool drains(const struct listening *listener)
{
    return listener->accepting == ACCEPTING_ENDS || listener->accepting == ACCEPTING_REST;
}

static void go_on(struct scheduler *scheduler, struct listener *socket,
                  const struct ring_completion *completion)
{
    if (drains(socket->listening))
        drain_on(scheduler, socket, completion);
    else
        update(scheduler, socket);
}

void accept_completed(struct scheduler *scheduler, struct slot *slot,
                      const struct ring_completion *completion)
{
    struct listener *socket = listener_of(slot);
    if (socket->slot.state != SOCKET_OPEN) {
        accept_discard(scheduler, completion);
        return;
    }
    bool ends = drains(socket->listening);
    if (!ends && !(completion->flags & RING_MORE))
        socket->listening->accepting = ACCEPTING_NOT;
    if (completion->result >= 0)
        take_connection(scheduler, socket, completion->result);
    else if (!ends)
        accept_failed(scheduler, socket, completion->result);
    if (socket->slot.state == SOCKET_OPEN)
        go_on(scheduler, socket, completion);
}

void accept_close(struct scheduler *scheduler, struct listener *socket)
{
    struct listening *listener = socket->listening;
    socket->listening = NULL;
    owner_set(&socket->slot, weir_owned_by_nobody()); /* `gone` is for connections */
    if (listener->accepting == ACCEPTING || listener->accepting == ACCEPTING_REST)
        cancel_start(scheduler, &socket->slot, LISTENER_ACCEPT);
    task_remove(&listener->try_again);
    task_remove(&listener->take_rest);
    task_remove(&listener->give_up);
    timer_disarm(&scheduler->timers, &listener->retry);
    call_complete_all(scheduler, &listener->acceptors, WEIR_CLOSED);
    while (listener->spare_count > 0)
        system_close(take_spare(listener));
    memory_free(listener->spare_fds);
    memory_free(listener->late);
    memory_free(listener->siblings);
    memory_free(listener);
}

bool accept_is_cancelled(const struct slot *slot)
{
    const struct listener *socket = listener_of(slot);
    return socket->slot.state == SOCKET_CLOSED ||
           socket->listening->accepting == ACCEPTING_CANCELLED ||
           socket->listening->accepting == ACCEPTING_ENDS;
}

void accept_discard(struct scheduler *scheduler, const struct ring_completion *completion)
{
    (void)scheduler;
    if (completion->result >= 0)
        system_close(completion->result);
}

static int check_owner(const struct listener *socket, weir_owner owner)
{
    if (owner_is_nobody(owner) && listener_values(socket)->active != WEIR_ACTIVE_FALSE)
        return error_say(WEIR_BADARG, "an active socket needs an owner: give one, or "
                                      "{active,false}");
    return 0;
}

static int run_accept(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct listener *socket = listener_of(slot);
    if (socket->listening->serving)
        return -EINVAL;
    int result = check_owner(socket, open_call_of(call)->owner);
    if (result < 0)
        return result;
    list_append(&socket->listening->acceptors, &call->link);
    if (socket->listening->spare_count > 0) {
        give_to_acceptor(scheduler, socket, take_spare(socket->listening));
        return CALL_WAITS;
    }
    call_set_timeout(scheduler, call);
    update(scheduler, socket);
    return CALL_WAITS;
}

static void leave_accept(struct scheduler *scheduler, struct call *call)
{
    list_remove(&call->link);
    struct listener *socket = listener_find(scheduler, call->socket);
    if (socket)
        update(scheduler, socket);
}

int accept_cancel_calls(struct scheduler *scheduler, struct slot *slot, const void *data)
{
    struct list *acceptors = &listener_of(slot)->listening->acceptors;
    int count = 0;
    for (struct list *link = acceptors->next; link != acceptors;) {
        struct call *waiting = list_entry(link, struct call, link);
        link = link->next;
        count += call_cancel(scheduler, waiting, data);
    }
    return count;
}

const struct call_operation operation_accept = {
    .name = "weir_tcp_accept",
    .run = run_accept,
    .kinds = 1 << KIND_LISTENER,
    .other_result = -EINVAL,
    .leave = leave_accept,
    .dead_result = WEIR_CLOSED,
    .may_wait = true,
};
