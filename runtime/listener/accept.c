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
static void arm(struct scheduler *scheduler, struct listener *listener)
{
    struct listening *listening = listener->listening;
    bool multishot = listening->serving && !listening->has_rivals &&
                     (scheduler->profile.features & FEATURE_BIT(MULTISHOT_ACCEPT));
    listening->accepting = ACCEPTING;
    slot_hold(&listener->slot);
    ring_accept(scheduler->ring, slot_operation(&listener->slot, LISTENER_ACCEPT),
                listener->slot.fd, multishot);
}

static void update(struct scheduler *scheduler, struct listener *listener)
{
    struct listening *listening = listener->listening;
    bool wanted = listening->serving || !list_is_empty(&listening->acceptors);
    if (wanted && listening->accepting == ACCEPTING_NOT) {
        arm(scheduler, listener);
    } else if (!wanted && listening->accepting == ACCEPTING) {
        listening->accepting = ACCEPTING_CANCELLED;
        cancel_start(scheduler, &listener->slot, LISTENER_ACCEPT);
    }
}

static void resume(struct listening *listening)
{
    timer_disarm(&listening->scheduler->timers, &listening->retry);
    task_remove(&listening->try_again);
    listening->accepting = ACCEPTING_NOT;
    update(listening->scheduler, listening->listener);
}

static void retry(struct timer *timer)
{
    struct listening *listening = list_entry(timer, struct listening, retry);
    listening->has_paused = true;
    resume(listening);
}

static void try_again(struct scheduler *scheduler, struct task *task)
{
    (void)scheduler;
    resume(list_entry(task, struct listening, try_again));
}

static void take_rest(struct scheduler *scheduler, struct task *task);
static void give_up(struct scheduler *scheduler, struct task *task);

struct listening *listening_create(struct scheduler *scheduler, struct listener *listener)
{
    struct listening *listening = memory_allocate_zeroed(1, sizeof(*listening));
    if (!listening)
        return NULL;
    list_init(&listening->acceptors);
    listening->scheduler = scheduler;
    listening->listener = listener;
    listening->retry.fire = retry;
    task_init(&listening->try_again, try_again);
    task_init(&listening->take_rest, take_rest);
    task_init(&listening->give_up, give_up);
    return listening;
}

void accept_serve(struct scheduler *scheduler, struct listener *listener, weir_owner owner)
{
    listener->listening->serving = true;
    owner_set(&listener->slot, owner);
    update(scheduler, listener);
}

/* Those whose mailbox is gone get nothing. */
static struct call *take_acceptor(struct scheduler *scheduler, struct listening *listening)
{
    struct list *node;
    while ((node = list_take(&listening->acceptors))) {
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
    struct listener *listener = listener_of(slot);
    struct list living;
    struct call *call;
    if (slot->state != SOCKET_OPEN)
        return;
    list_init(&living);
    while ((call = take_acceptor(scheduler, listener->listening)))
        list_append(&living, &call->link);
    list_move_all(&listener->listening->acceptors, &living);
    update(scheduler, listener);
}

/* Without memory it is closed. */
static void keep_spare(struct listening *listening, int fd)
{
    size_t size = (listening->spare_count + 1) * sizeof(fd);
    int *fds = memory_resize(listening->spare_fds, size);
    if (!fds) {
        system_close(fd);
        return;
    }
    fds[listening->spare_count++] = fd;
    listening->spare_fds = fds;
}

static int take_spare(struct listening *listening)
{
    int fd = listening->spare_fds[0];
    listening->spare_count--;
    memmove(listening->spare_fds, listening->spare_fds + 1, listening->spare_count * sizeof(fd));
    return fd;
}

static void give_to_acceptor(struct scheduler *scheduler, struct listener *listener, int fd);

/* The mailbox that it was for died while it was on its way. */
static void take_back(struct scheduler *scheduler, weir_socket handle, int fd)
{
    struct listener *listener = listener_find(scheduler, handle);
    if (!listener) {
        system_close(fd);
        return;
    }
    late_options_count_again(listener->listening);
    give_to_acceptor(scheduler, listener, fd);
    update(scheduler, listener);
}

static void give_to_acceptor(struct scheduler *scheduler, struct listener *listener, int fd)
{
    struct call *call = take_acceptor(scheduler, listener->listening);
    if (!call) {
        keep_spare(listener->listening, fd);
        return;
    }
    call_hold(scheduler, call);
    adopt_for_call(scheduler, listener, fd, call, take_back);
}

static void take_connection(struct scheduler *scheduler, struct listener *listener, int fd)
{
    scheduler->totals.accepts++;
    PROBE2(accept, scheduler->number, fd);
    listener->listening->failed = false;
    listener->listening->has_paused = false;
    listener->listening->told_unusable = false;
    if (listener->listening->serving)
        adopt_for_owner(scheduler, listener, fd, slot_owner(&listener->slot));
    else
        give_to_acceptor(scheduler, listener, fd);
}

/* Not armed again at once: the connection stays in the backlog, and asking for it over and over
 * would cost a whole core. */
static void pause_accepting(struct scheduler *scheduler, struct listener *listener,
                            bool until_descriptors)
{
    struct listening *listening = listener->listening;
    listening->accepting = ACCEPTING_PAUSED;
    scheduler->totals.accept_pauses++;
    if (until_descriptors)
        task_add(&scheduler->tasks, TASK_WITH_DESCRIPTORS, &listening->try_again);
    scheduler_arm(scheduler, &listening->retry, RETRY_MS);
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
static void tell_unusable(struct scheduler *scheduler, struct listener *listener, int error)
{
    struct listening *listening = listener->listening;
    bool told = listening->told_unusable;
    listening->told_unusable = true;
    call_complete_all(scheduler, &listening->acceptors, error);
    if (listening->serving && !told)
        owner_tell(scheduler, &listener->slot, WEIR_MESSAGE_ERROR, error);
}

/* When no descriptor came during a whole pause, those who wait hear so; the connection stays in the
 * backlog. A service goes on trying. One failure may be one connection's. What fails again is not
 * asked for again at once: it would fail for ever, and use up a core. */
static void accept_failed(struct scheduler *scheduler, struct listener *listener, int error)
{
    struct listening *listening = listener->listening;
    bool again = listening->failed;
    if (error == -ECANCELED)
        return;
    listening->failed = true;
    if (lacks_resources(error) && listening->has_paused && !listening->serving) {
        listening->has_paused = false;
        call_complete_all(scheduler, &listening->acceptors, error);
        return;
    }
    if (listening->accepting != ACCEPTING_NOT || (is_passing(error) && !again))
        return;
    pause_accepting(scheduler, listener, lacks_resources(error));
    if (!lacks_resources(error) && !is_passing(error))
        tell_unusable(scheduler, listener, error);
}

static void take_one(struct scheduler *scheduler, struct listener *listener)
{
    slot_hold(&listener->slot);
    ring_accept(scheduler->ring, slot_operation(&listener->slot, LISTENER_ACCEPT),
                listener->slot.fd, false);
}

static bool is_wanted(const struct listening *listening)
{
    return listening->serving || !list_is_empty(&listening->acceptors);
}

static void close_at_last(struct scheduler *scheduler, struct listener *listener)
{
    listener->listening->accepting = ACCEPTING_NOT;
    slot_end(scheduler, &listener->slot, END_CLOSED);
}

/*
 * Others have the socket too. The kernel wakes one of those that wait for a connection, which may
 * have been us before we were cancelled: then nobody else is woken, and what is there is ours to
 * take. One that another has taken meanwhile is not waited for: give_up.
 */
static void share_rest(struct scheduler *scheduler, struct listener *listener)
{
    struct listening *listening = listener->listening;
    if (!is_wanted(listening) || !system_is_readable(listener->slot.fd)) {
        close_at_last(scheduler, listener);
        return;
    }
    listening->accepting = ACCEPTING_REST;
    take_one(scheduler, listener);
    task_add(&scheduler->tasks, TASK_SUBMITTED, &listening->give_up);
}

/* The kernel has been offered the accept. */
static void give_up(struct scheduler *scheduler, struct task *task)
{
    struct listening *listening = list_entry(task, struct listening, give_up);
    if (listening->accepting != ACCEPTING_REST)
        return;
    listening->accepting = ACCEPTING_ENDS;
    cancel_start(scheduler, &listening->listener->slot, LISTENER_ACCEPT);
}

static bool is_shared(const struct listening *listening)
{
    return listening->inherited || listening->leaves;
}

static void accept_rest(struct scheduler *scheduler, struct listener *listener)
{
    struct listening *listening = listener->listening;
    if (is_shared(listening)) {
        share_rest(scheduler, listener);
        return;
    }
    if (listening->rest_count == 0 || !is_wanted(listening)) {
        close_at_last(scheduler, listener);
        return;
    }
    listening->rest_count--;
    take_one(scheduler, listener);
}

/* Nobody but us has a service's listener, so it may be told not to wait: -EAGAIN is the end. Any
 * other is asked for what is known to be there. */
static uint32_t rest_count(const struct listener *listener)
{
    uint32_t count = listener_backlog_count(listener);
    if (listener->listening->serving)
        return system_set_waiting(listener->slot.fd, false) < 0 ? 0 : count;
    return count == UINT32_MAX ? 0 : count;
}

/* A local listener does not say how many there are: they are taken by calls that do not wait. */
static void take_rest(struct scheduler *scheduler, struct task *task)
{
    enum { AT_ONCE = 64 };
    struct listener *listener = list_entry(task, struct listening, take_rest)->listener;
    int fd = 0;
    slot_hold(&listener->slot);
    for (int i = 0; i < AT_ONCE && fd >= 0 && listener->slot.state == SOCKET_OPEN; i++) {
        fd = system_accept(listener->slot.fd);
        if (fd >= 0)
            take_connection(scheduler, listener, fd);
    }
    if (fd < 0)
        slot_end(scheduler, &listener->slot, END_CLOSED);
    else if (listener->slot.state == SOCKET_OPEN)
        task_add(&scheduler->tasks, TASK_SOON, task);
    slot_unhold(scheduler, &listener->slot);
}

static void begin_rest(struct scheduler *scheduler, struct listener *listener)
{
    struct listening *listening = listener->listening;
    listening->accepting = ACCEPTING_REST;
    if (is_shared(listening)) {
        share_rest(scheduler, listener);
        return;
    }
    if (listening->serving && listener->slot.family == WEIR_LOCAL &&
        system_set_waiting(listener->slot.fd, false) >= 0) {
        listening->accepting = ACCEPTING_TAKEN;
        task_add(&scheduler->tasks, TASK_SOON, &listening->take_rest);
        return;
    }
    listening->rest_count = rest_count(listener);
    accept_rest(scheduler, listener);
}

/* Whoever asks again is told the same, over and over. */
static bool is_lasting(int result)
{
    return result < 0 && result != -ECANCELED && !is_passing(result);
}

static void drain_on(struct scheduler *scheduler, struct listener *listener,
                     const struct ring_completion *completion)
{
    struct listening *listening = listener->listening;
    if (completion->flags & RING_MORE)
        return;
    if (completion->result == -EAGAIN)
        listening->rest_count = 0;
    if (listening->accepting == ACCEPTING_ENDS)
        begin_rest(scheduler, listener);
    else if (is_lasting(completion->result))
        close_at_last(scheduler, listener);
    else
        accept_rest(scheduler, listener);
}

void accept_drain(struct scheduler *scheduler, struct listener *listener)
{
    struct listening *listening = listener->listening;
    switch (listening->accepting) {
    case ACCEPTING:
        listening->accepting = ACCEPTING_ENDS;
        cancel_start(scheduler, &listener->slot, LISTENER_ACCEPT);
        break;
    case ACCEPTING_CANCELLED:
        listening->accepting = ACCEPTING_ENDS;
        break;
    case ACCEPTING_PAUSED:
    case ACCEPTING_NOT:
        task_remove(&listening->try_again);
        timer_disarm(&scheduler->timers, &listening->retry);
        begin_rest(scheduler, listener);
        break;
    case ACCEPTING_REST:
        if (listener_backlog_count(listener) == 0) { /* another process has taken it */
            listening->accepting = ACCEPTING_ENDS;
            cancel_start(scheduler, &listener->slot, LISTENER_ACCEPT);
        }
        break;
    case ACCEPTING_ENDS:
    case ACCEPTING_TAKEN:
        break;
    }
}

void accept_leave(struct scheduler *scheduler, struct listener *listener)
{
    listener->listening->leaves = true;
    accept_drain(scheduler, listener);
}

static bool drains(const struct listening *listening)
{
    return listening->accepting == ACCEPTING_ENDS || listening->accepting == ACCEPTING_REST;
}

static void go_on(struct scheduler *scheduler, struct listener *listener,
                  const struct ring_completion *completion)
{
    if (drains(listener->listening))
        drain_on(scheduler, listener, completion);
    else
        update(scheduler, listener);
}

void accept_completed(struct scheduler *scheduler, struct slot *slot,
                      const struct ring_completion *completion)
{
    struct listener *listener = listener_of(slot);
    if (listener->slot.state != SOCKET_OPEN) {
        accept_discard(scheduler, completion);
        return;
    }
    bool ends = drains(listener->listening);
    if (!ends && !(completion->flags & RING_MORE))
        listener->listening->accepting = ACCEPTING_NOT;
    if (completion->result >= 0)
        take_connection(scheduler, listener, completion->result);
    else if (!ends)
        accept_failed(scheduler, listener, completion->result);
    if (listener->slot.state == SOCKET_OPEN)
        go_on(scheduler, listener, completion);
}

void accept_close(struct scheduler *scheduler, struct listener *listener)
{
    struct listening *listening = listener->listening;
    listener->listening = NULL;
    owner_set(&listener->slot, weir_owned_by_nobody()); /* `gone` is for connections */
    if (listening->accepting == ACCEPTING || listening->accepting == ACCEPTING_REST)
        cancel_start(scheduler, &listener->slot, LISTENER_ACCEPT);
    task_remove(&listening->try_again);
    task_remove(&listening->take_rest);
    task_remove(&listening->give_up);
    timer_disarm(&scheduler->timers, &listening->retry);
    call_complete_all(scheduler, &listening->acceptors, WEIR_CLOSED);
    while (listening->spare_count > 0)
        system_close(take_spare(listening));
    memory_free(listening->spare_fds);
    memory_free(listening->late);
    memory_free(listening->siblings);
    memory_free(listening);
}

bool accept_is_cancelled(const struct slot *slot)
{
    const struct listener *listener = listener_of(slot);
    return listener->slot.state == SOCKET_CLOSED ||
           listener->listening->accepting == ACCEPTING_CANCELLED ||
           listener->listening->accepting == ACCEPTING_ENDS;
}

void accept_discard(struct scheduler *scheduler, const struct ring_completion *completion)
{
    (void)scheduler;
    if (completion->result >= 0)
        system_close(completion->result);
}

static int check_owner(const struct listener *listener, weir_owner owner)
{
    if (owner_is_nobody(owner) && listener_values(listener)->active != WEIR_ACTIVE_FALSE)
        return error_say(WEIR_BADARG, "an active socket needs an owner: give one, or "
                                      "{active,false}");
    return 0;
}

static int run_accept(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct listener *listener = listener_of(slot);
    if (listener->listening->serving)
        return -EINVAL;
    int result = check_owner(listener, open_call_of(call)->owner);
    if (result < 0)
        return result;
    list_append(&listener->listening->acceptors, &call->link);
    if (listener->listening->spare_count > 0) {
        give_to_acceptor(scheduler, listener, take_spare(listener->listening));
        return CALL_WAITS;
    }
    call_set_timeout(scheduler, call);
    update(scheduler, listener);
    return CALL_WAITS;
}

static void leave_accept(struct scheduler *scheduler, struct call *call)
{
    list_remove(&call->link);
    struct listener *listener = listener_find(scheduler, call->socket);
    if (listener)
        update(scheduler, listener);
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
