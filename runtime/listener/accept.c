/* SPDX-License-Identifier: MIT */
#include "runtime/listener/accept.h"

#include <errno.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "runtime/listener/acceptors.h"
#include "runtime/listener/arming.h"
#include "runtime/listener/incoming.h"
#include "runtime/listener/listener.h"
#include "runtime/listener/listening.h"
#include "runtime/listener/taking.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/quota.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/stream/open.h"

static void take_rest(struct scheduler *scheduler, struct task *task);
static void give_up(struct scheduler *scheduler, struct task *task);
static void let_in(struct scheduler *scheduler, struct task *task);
static void look_again(struct scheduler *scheduler, struct task *task);

struct listening *listening_create(struct scheduler *scheduler, struct listener *listener)
{
    struct listening *listening = memory_allocate_zeroed(1, sizeof(*listening));
    if (!listening)
        return NULL;
    list_init(&listening->acceptors);
    list_init(&listening->incoming);
    list_init(&listening->kept);
    listening->in_hand = -1;
    listening->scheduler = scheduler;
    listening->listener = listener;
    arming_init(listening);
    task_init(&listening->take_rest, take_rest);
    task_init(&listening->give_up, give_up);
    task_init(&listening->let_in, let_in);
    task_init(&listening->look_again, look_again);
    return listening;
}

int accept_limit(struct scheduler *scheduler, struct listener *listener, struct quota *quota)
{
    weir_socket handle = slot_handle(scheduler, &listener->slot);
    struct quota_queuer *queuer = quota_queuer_create(quota, scheduler, handle);
    if (!queuer)
        return error_say(-ENOMEM, "no memory for a listener");
    queuer->node.run = taking_place_came;
    listener->listening->queuer = queuer;
    return 0;
}

void accept_serve(struct scheduler *scheduler, struct listener *listener, weir_owner owner)
{
    listener->listening->serving = true;
    owner_set(&listener->slot, owner);
    arming_update(scheduler, listener);
}

void accept_dismiss_dead(struct scheduler *scheduler, struct slot *slot)
{
    struct listener *listener = listener_of(slot);
    struct list living;
    struct call *call;
    if (slot->state != SOCKET_OPEN)
        return;
    list_init(&living);
    while ((call = acceptors_next(scheduler, listener->listening)))
        list_append(&living, &call->link);
    list_move_all(&listener->listening->acceptors, &living);
    arming_update(scheduler, listener);
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
    arming_pause(scheduler, listener, lacks_resources(error));
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

/* Who is still in the backlog when a listener ends gets a place, or none. */
static bool has_room(const struct listening *listening)
{
    return !listening->queuer || quota_has_room(listening->queuer->quota);
}

/* Somebody waits for what has come, and is not all there. A service's goes on by itself. */
static bool waits_for_headers(const struct listening *listening)
{
    return !listening->serving && !list_is_empty(&listening->acceptors) &&
           !list_is_empty(&listening->incoming);
}

static void close_at_last(struct scheduler *scheduler, struct listener *listener)
{
    struct listening *listening = listener->listening;
    if (waits_for_headers(listening)) {
        listening->accepting = ACCEPTING_HEADERS;
        return;
    }
    listening->accepting = ACCEPTING_NOT;
    if (listening->serving)
        incoming_let_go(listening);
    slot_end(scheduler, &listener->slot, END_CLOSED);
}

static void look_again(struct scheduler *scheduler, struct task *task)
{
    struct listening *listening = list_entry(task, struct listening, look_again);
    if (listening->accepting == ACCEPTING_HEADERS)
        close_at_last(scheduler, listening->listener);
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
    if (!is_wanted(listening) || !has_room(listening)) {
        close_at_last(scheduler, listener);
        return;
    }
    if (is_shared(listening)) {
        share_rest(scheduler, listener);
        return;
    }
    if (listening->rest_count == 0) {
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
    bool more = true;
    slot_hold(&listener->slot);
    for (int i = 0; i < AT_ONCE && more && listener->slot.state == SOCKET_OPEN; i++) {
        int fd = has_room(listener->listening) ? system_accept(listener->slot.fd) : -EAGAIN;
        more = fd >= 0;
        if (more)
            taking_connection(scheduler, listener, fd);
    }
    if (!more && listener->slot.state == SOCKET_OPEN)
        close_at_last(scheduler, listener);
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

/* The client in hand has been accepted, by nobody else's doing, and is served. */
static void let_in(struct scheduler *scheduler, struct task *task)
{
    struct listener *listener = list_entry(task, struct listening, let_in)->listener;
    slot_hold(&listener->slot);
    taking_let_in(scheduler, listener);
    if (listener->slot.state == SOCKET_OPEN && has_room(listener->listening))
        begin_rest(scheduler, listener);
    else if (listener->slot.state == SOCKET_OPEN)
        close_at_last(scheduler, listener);
    slot_unhold(scheduler, &listener->slot);
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
    bool is_last = completion->result >= 0 && !has_room(listening);
    if (completion->result == -EAGAIN)
        listening->rest_count = 0;
    if (is_last)
        close_at_last(scheduler, listener);
    else if (listening->accepting == ACCEPTING_ENDS)
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
    case ACCEPTING_FULL:
        listening->accepting = ACCEPTING_ENDS;
        task_add(&scheduler->tasks, TASK_SOON, &listening->let_in);
        break;
    case ACCEPTING_PAUSED:
    case ACCEPTING_NOT:
        arming_forget_pause(listening);
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
    case ACCEPTING_HEADERS:
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
        arming_update(scheduler, listener);
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
        taking_connection(scheduler, listener, completion->result);
    else if (!ends)
        accept_failed(scheduler, listener, completion->result);
    if (listener->slot.state == SOCKET_OPEN)
        go_on(scheduler, listener, completion);
}

void accept_close(struct scheduler *scheduler, struct listener *listener)
{
    struct listening *listening = listener->listening;
    incoming_end_all(listening);
    listener->listening = NULL;
    owner_set(&listener->slot, weir_owned_by_nobody()); /* `gone` is for connections */
    if (listening->accepting == ACCEPTING || listening->accepting == ACCEPTING_REST)
        cancel_start(scheduler, &listener->slot, LISTENER_ACCEPT);
    arming_forget_pause(listening);
    task_remove(&listening->take_rest);
    task_remove(&listening->give_up);
    task_remove(&listening->let_in);
    task_remove(&listening->look_again);
    if (listening->queuer)
        quota_queuer_free(listening->queuer);
    call_complete_all(scheduler, &listening->acceptors, WEIR_CLOSED);
    if (listening->in_hand >= 0)
        system_close(listening->in_hand);
    acceptors_discard_kept(listening);
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
    if (!list_is_empty(&listener->listening->kept)) {
        acceptors_give_kept(scheduler, listener);
        return CALL_WAITS;
    }
    call_set_timeout(scheduler, call);
    arming_update(scheduler, listener);
    return CALL_WAITS;
}

static void leave_accept(struct scheduler *scheduler, struct call *call)
{
    list_remove(&call->link);
    struct listener *listener = listener_find(scheduler, call->socket);
    if (listener)
        arming_update(scheduler, listener);
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
