/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/call.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/canary.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/slow.h"
#include "runtime/scheduler/waiter.h"

/* Of a call that is waited for. */
enum { NOT_DONE, DONE, NOT_DONE_AND_SLEEPS };

/* An answer that takes no longer than falling asleep and waking up is waited for awake. */
static bool is_done_soon(struct call *call)
{
    enum { LOOKS = 128 };
    for (int i = 0; i < LOOKS; i++) {
        if (atomic_load_explicit(&call->done, memory_order_acquire) == DONE)
            return true;
        clock_relax();
    }
    return false;
}

static void sleep_until_done(struct call *call)
{
    unsigned done = NOT_DONE;
    if (is_done_soon(call) ||
        !atomic_compare_exchange_strong_explicit(&call->done, &done, NOT_DONE_AND_SLEEPS,
                                                 memory_order_acquire, memory_order_acquire))
        return;
    while (atomic_load_explicit(&call->done, memory_order_acquire) != DONE)
        syscall(SYS_futex, &call->done, FUTEX_WAIT_PRIVATE, NOT_DONE_AND_SLEEPS, NULL, NULL, 0);
}

/* The call is its thread's again, and may be gone, from the moment that `done` is set. The futex
 * is woken by its address alone, which costs at worst a wake-up that somebody has to ignore. */
static void wake_caller(struct call *call)
{
    if (call->result < 0)
        error_copy_text(call->text);
    atomic_uint *done = &call->done;
    if (atomic_exchange_explicit(done, DONE, memory_order_acq_rel) == NOT_DONE_AND_SLEEPS)
        syscall(SYS_futex, done, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void *call_allocate(size_t size)
{
    void *call = memory_allocate_zeroed(1, size);
    if (!call)
        error_say(-ENOMEM, "no memory for a call");
    return call;
}

static void finish(struct scheduler *scheduler, struct task *task)
{
    struct call *call = list_entry(task, struct call, finish_task);
    if (call->origin)
        scheduler->outstanding--;
    (void)error_from(call->operation->name, call->result);
    slow_function *callback = call->callback;
    uint64_t began_ns = slow_begin(scheduler);
    call->finish(call);
    slow_end(scheduler, began_ns, callback);
}

/* An _async call is always finished from the turn, never under the function that made it. */
static void finish_soon(struct scheduler *scheduler, struct call *call)
{
    task_init(&call->finish_task, finish);
    task_add(&scheduler->tasks, TASK_SOON, &call->finish_task);
}

/* The process may not wait for it yet: then it finds it done. */
static void resume_caller(struct call *call)
{
    struct waiter *waiter = call->waiter;
    atomic_store_explicit(&call->done, DONE, memory_order_relaxed);
    if (waiter->call == call)
        waiter->row->resume(waiter);
}

static void finish_at_home(struct scheduler *scheduler, struct call *call)
{
    if (call->kind == CALL_SUSPENDING)
        resume_caller(call);
    else
        finish_soon(scheduler, call);
}

static void come_home(struct scheduler *scheduler, struct inbox_node *node)
{
    finish_at_home(scheduler, list_entry(node, struct call, node));
}

/* A scheduler that is known not to end before the node has arrived. */
static void post_to_living(struct scheduler *scheduler, struct inbox_node *node)
{
    uint32_t index = scheduler->index;
    registry_enter_living(index); /* it may see the node and end before its bell is rung */
    inbox_post(&scheduler->inbox, node);
    registry_leave(index);
}

/* The origin does not end while calls of its own are outstanding, nor while it is held. */
static void return_to_origin(struct scheduler *scheduler, struct call *call)
{
    struct scheduler *origin = call->origin;
    if (!origin || origin == scheduler) {
        finish_at_home(scheduler, call);
        return;
    }
    call->node.run = come_home;
    post_to_living(origin, &call->node);
}

void call_complete(struct scheduler *scheduler, struct call *call, int result)
{
    call_hold(scheduler, call);
    call->result = result;
    if (call->kind == CALL_SUSPENDING && result < 0)
        error_copy_text(call->text);
    if (call->kind == CALL_BLOCKING)
        wake_caller(call);
    else
        return_to_origin(scheduler, call);
}

void call_end(struct scheduler *scheduler, struct call *call, int result)
{
    call->result = result;
    call->operation->leave(scheduler, call);
    call_complete(scheduler, call, result);
}

static void expire(struct timer *timer)
{
    struct call *call = list_entry(timer, struct call, timer);
    error_clear_text();
    call_end(call->scheduler, call, WEIR_TIMEOUT);
}

void call_hold(struct scheduler *scheduler, struct call *call)
{
    if (call->may_leave) /* else it may be another scheduler's that looks at it */
        call->may_leave = false;
    timer_disarm(&scheduler->timers, &call->timer);
}

void call_let_leave(struct scheduler *scheduler, struct call *call)
{
    timer_disarm(&scheduler->timers, &call->timer);
    call->may_leave = true;
}

static void fetch_around(const void *memory, int lines_before, int lines_behind)
{
    enum { LINE_BYTES = 64 };
    for (int i = -lines_before; i < lines_behind; i++)
        __builtin_prefetch((const char *)memory + (ptrdiff_t)i * LINE_BYTES, 1);
}

/* Below it are the frames that it is suspended in, and what the next call needs. */
void call_fetch(const struct call *call)
{
    enum { LINES_BELOW = 9, LINES_ABOVE = 6 };
    fetch_around(call, LINES_BELOW, LINES_ABOVE);
}

void call_fetch_waiter(const struct call *call)
{
    enum { LINES_EACH_SIDE = 3 };
    if (call->kind == CALL_SUSPENDING)
        fetch_around(call->waiter, LINES_EACH_SIDE, LINES_EACH_SIDE);
}

void call_set_timeout(struct scheduler *scheduler, struct call *call)
{
    call->may_leave = true;
    if (call->timeout_ms < 0)
        return;
    call->timer.fire = expire;
    scheduler_arm(scheduler, &call->timer, (uint64_t)call->timeout_ms);
}

void call_complete_all(struct scheduler *scheduler, struct list *calls, int result)
{
    struct list *node;
    while ((node = list_take(calls)))
        call_complete(scheduler, list_entry(node, struct call, link), result);
}

int call_cancel(struct scheduler *scheduler, struct call *call, const void *data)
{
    if (!call || call->kind != CALL_ASYNC || call->data != data)
        return 0;
    call_end(scheduler, call, -ECANCELED);
    return 1;
}

struct slot *call_find_socket(struct scheduler *scheduler, const struct call_operation *operation,
                              weir_socket socket, int *result)
{
    struct slot *slot = slot_find(scheduler, socket);
    uint8_t kinds = operation->kinds;
    if (slot && kinds == 0 && scheduler->kinds[slot->kind]->is_inner)
        slot = NULL; /* a process's handle is no socket's */
    bool is_for = slot && (kinds == 0 || kinds & 1u << slot->kind);
    *result = slot ? operation->other_result : operation->dead_result;
    return is_for ? slot : NULL;
}

/* What the call needs of its socket is looked up where it runs: the handle may have died on the
 * way there. An operation of the scheduler itself has no socket. */
static int run_call(struct scheduler *scheduler, struct call *call)
{
    call->scheduler = scheduler;
    list_init(&call->link);
    if (call->socket.id == 0)
        return call->operation->run(scheduler, NULL, call);
    int result;
    struct slot *slot = call_find_socket(scheduler, call->operation, call->socket, &result);
    if (!slot)
        return result;
    slot_hold(slot);
    result = call->operation->run(scheduler, slot, call);
    slot_unhold(scheduler, slot);
    return result;
}

/* On the stack of a process, perhaps, which does not wait meanwhile. */
static int run_here(struct scheduler *scheduler, struct call *call)
{
    struct waiter *waiter = scheduler_set_waiter(scheduler, NULL);
    int result = run_call(scheduler, call);
    (void)scheduler_set_waiter(scheduler, waiter);
    return result;
}

static void run_posted(struct scheduler *scheduler, struct inbox_node *node)
{
    struct call *call = list_entry(node, struct call, node);
    error_clear_text();
    int result = run_call(scheduler, call);
    if (result != CALL_WAITS)
        call_complete(scheduler, call, result);
}

static void post(struct scheduler *scheduler, struct call *call)
{
    call->node.run = run_posted;
    inbox_post(&scheduler->inbox, &call->node);
}

static int wait_for(struct scheduler *scheduler, struct call *call)
{
    char text[ERROR_TEXT_SIZE] = "";
    call->kind = CALL_BLOCKING;
    call->text = text;
    post(scheduler, call);
    sleep_until_done(call);
    if (call->result < 0)
        error_set_text(text);
    return call->result;
}

/* A poll asks the kernel, which takes a turn. */
static int refuse_to_wait(const struct call_operation *operation)
{
    return error_say(
        -EDEADLK, "%s waits for a scheduler, which a scheduler must not: %s", operation->name,
        operation->may_wait ? "use its _async form" : "make it on the scheduler of the socket");
}

/* What nobody answers: the scheduler has ended, or is the parent process's. */
static int nobodys_result(const struct call_operation *operation, uint32_t index)
{
    int result = operation->dead_result;
    return registry_is_parents(index) ? registry_say_parents(result) : result;
}

/* Nobody waits for what is gone with its runtime. */
static int refuse_or_dead(const struct call_operation *operation, uint32_t index)
{
    if (!registry_enter(index))
        return nobodys_result(operation, index);
    registry_leave(index);
    return refuse_to_wait(operation);
}

static void interrupt(struct scheduler *scheduler, struct call *call)
{
    error_clear_text();
    if (call->operation->interrupt)
        call->operation->interrupt(scheduler, call);
    else
        call_end(scheduler, call, WEIR_KILLED);
}

static void interrupted(struct scheduler *scheduler, struct inbox_node *node)
{
    struct waiter *waiter = list_entry(node, struct waiter, interrupt);
    (void)scheduler;
    waiter->interrupting = false;
    waiter->row->resume(waiter);
}

/* Where the call runs, or ran: its process keeps it until the node is back. One that is complete
 * may not leave any more. */
static void interrupt_there(struct scheduler *there, struct inbox_node *node)
{
    struct waiter *waiter = list_entry(node, struct waiter, interrupt);
    struct call *call = waiter->call;
    if (call->may_leave)
        interrupt(there, call);
    node->run = interrupted;
    post_to_living(waiter->scheduler, node);
}

/* A scheduler that is stopping ends the call by itself. */
static void interrupt_elsewhere(struct waiter *waiter)
{
    struct scheduler *there = registry_enter(waiter->where);
    if (!there)
        return;
    waiter->interrupting = true;
    waiter->interrupt.run = interrupt_there;
    inbox_post(&there->inbox, &waiter->interrupt);
    registry_leave(waiter->where);
}

static bool is_home(struct call *call)
{
    return atomic_load_explicit(&call->done, memory_order_relaxed) == DONE;
}

static void interrupt_call(struct scheduler *here, struct waiter *waiter)
{
    struct call *call = waiter->call;
    if (waiter->interrupting)
        return;
    if (waiter->where != here->index)
        interrupt_elsewhere(waiter);
    else if (!is_home(call) && call->may_leave)
        interrupt(here, call);
}

void call_interrupt(struct scheduler *scheduler, struct waiter *waiter)
{
    if (waiter->call && !CANARY(UNHEARD_KILL))
        interrupt_call(scheduler, waiter);
}

/* Who never has to wait lets others go on all the same. */
static void count_at_once(struct waiter *waiter)
{
    enum { AT_ONCE_MOST = 256 };
    char text[ERROR_TEXT_SIZE];
    if (++waiter->at_once < AT_ONCE_MOST)
        return;
    waiter->at_once = 0;
    error_copy_text(text); /* what this call has said */
    waiter->row->yield(waiter);
    error_set_text(text);
}

static void suspend_until_home(struct scheduler *here, struct call *call, uint32_t index)
{
    struct waiter *waiter = call->waiter;
    bool at_once = is_home(call);
    waiter->call = call;
    waiter->where = index;
    if (waiter->order != WAITER_GOES_ON)
        interrupt_call(here, waiter);
    while (!is_home(call) || waiter->interrupting)
        waiter->row->suspend(waiter);
    waiter->call = NULL;
    if (at_once)
        count_at_once(waiter);
    else
        waiter->at_once = 0;
}

/* CALL_WAITS, or the result. */
static int begin_suspending(struct scheduler *here, uint32_t index, struct call *call)
{
    if (index == here->index)
        return run_here(here, call);
    struct scheduler *scheduler = registry_enter(index);
    if (!scheduler)
        return nobodys_result(call->operation, index);
    here->outstanding++;
    post(scheduler, call);
    registry_leave(index);
    return CALL_WAITS;
}

static int note_killed(struct waiter *waiter, int result)
{
    if (result == WEIR_KILLED)
        waiter->order = WAITER_KNOWS;
    return result;
}

/* A process's call. */
static int make_suspending(struct scheduler *here, uint32_t index, struct call *call)
{
    char text[ERROR_TEXT_SIZE];
    text[0] = '\0';
    call->kind = CALL_SUSPENDING;
    call->waiter = here->waiter;
    call->origin = here;
    call->text = text;
    int result = begin_suspending(here, index, call);
    if (result != CALL_WAITS) {
        if (call->operation->may_wait)
            count_at_once(here->waiter);
        return note_killed(here->waiter, result);
    }
    suspend_until_home(here, call, index);
    if (index != here->index)
        here->outstanding--;
    error_clear_text(); /* others have made calls meanwhile */
    if (call->result < 0)
        error_set_text(text);
    return note_killed(here->waiter, call->result);
}

bool call_may_wait(void)
{
    const struct scheduler *here = scheduler_current();
    return !here || here->waiter;
}

void call_begin(void)
{
    const struct scheduler *here = scheduler_current();
    if (here && here->waiter && here->waiter->order == WAITER_KNOWS)
        here->waiter->row->end(here->waiter);
}

static int make_on(const struct call_operation *operation, uint32_t index, struct call *call)
{
    struct scheduler *here = scheduler_current();
    call->operation = operation;
    if (here && here->waiter)
        return make_suspending(here, index, call);
    if (here && here->index == index) {
        call->kind = CALL_DIRECT;
        return operation->may_wait ? refuse_to_wait(operation) : run_call(here, call);
    }
    if (here)
        return refuse_or_dead(operation, index);
    struct scheduler *scheduler = registry_enter(index);
    if (!scheduler)
        return nobodys_result(operation, index);
    int result = wait_for(scheduler, call);
    registry_leave(index);
    return result;
}

int call_make_on(const struct call_operation *operation, uint32_t index, struct call *call)
{
    return error_from(operation->name, make_on(operation, index, call));
}

int call_make(const struct call_operation *operation, weir_socket socket, struct call *call)
{
    call->socket = socket;
    error_clear_text();
    if (socket.id == 0)
        return error_from(operation->name, operation->dead_result);
    return call_make_on(operation, slot_scheduler(socket), call);
}

int call_discard(struct call *call, int result)
{
    const char *name = call->operation->name;
    call->callback = NULL;
    call->result = result;
    call->finish(call);
    return error_from(name, result);
}

enum failing { FAILING_CALLS_BACK, FAILING_IS_REFUSED };

static int make_async_here(struct scheduler *here, struct call *call, enum failing failing)
{
    here->outstanding++;
    int result = run_here(here, call);
    if (result < 0 && failing == FAILING_IS_REFUSED) {
        here->outstanding--;
        return call_discard(call, result);
    }
    if (result != CALL_WAITS)
        call_complete(here, call, result);
    return 0;
}

static int make_async_on(uint32_t index, struct call *call, enum failing failing)
{
    struct scheduler *here = scheduler_current();
    call->kind = CALL_ASYNC;
    call->origin = here;
    if (here && here->index == index)
        return make_async_here(here, call, failing);
    struct scheduler *scheduler = registry_enter(index);
    if (!scheduler)
        return call_discard(call, nobodys_result(call->operation, index));
    if (here)
        here->outstanding++;
    post(scheduler, call);
    registry_leave(index);
    return 0;
}

int call_make_async_on(const struct call_operation *operation, uint32_t index, struct call *call)
{
    call->operation = operation;
    return make_async_on(index, call, FAILING_CALLS_BACK);
}

/* Who makes a call again whenever it calls back is to be told so when his scheduler stops: else the
 * stop would have no end. */
static enum failing failing_now(void)
{
    const struct scheduler *here = scheduler_current();
    return here && here->state == SCHEDULER_STOPPING ? FAILING_IS_REFUSED : FAILING_CALLS_BACK;
}

int call_make_async(const struct call_operation *operation, weir_socket socket, struct call *call)
{
    call->socket = socket;
    call->operation = operation;
    error_clear_text();
    if (socket.id == 0)
        return call_discard(call, operation->dead_result);
    return make_async_on(slot_scheduler(socket), call, failing_now());
}
