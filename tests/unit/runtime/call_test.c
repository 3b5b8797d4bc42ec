/* SPDX-License-Identifier: MIT */
/* Calls between two schedulers whose inboxes are emptied by hand: who is answered, where, and with
 * which text. */
#include "runtime/scheduler/call.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/waiter.h"

enum { HERE = 3, THERE = 4, NOWHERE = 5, DEAD = -EBADF, OTHER = -ENOTSUP };

static struct scheduler_limits limits;
static const struct kind socket_row;
static const struct kind process_row = {.is_inner = true};
static const struct kind *const rows[KIND_COUNT] = {
    [KIND_STREAM] = &socket_row, [KIND_WATCH] = &socket_row, [KIND_PROCESS] = &process_row};
static struct scheduler here = {.index = HERE, .limits = &limits, .kinds = rows};
static struct scheduler there = {.index = THERE, .limits = &limits, .kinds = rows};
static struct slot *slot; /* of the one that is there */
static weir_socket socket_;

static void open(struct scheduler *scheduler)
{
    cr_assert_eq(inbox_open(&scheduler->inbox), 0);
    task_queues_init(&scheduler->tasks);
    slot_table_init(&scheduler->slots, 1);
    timer_wheel_init(&scheduler->timers, clock_now_ns() / 1000000);
    registry_publish(scheduler->index, scheduler);
}

static void begin(void)
{
    open(&here);
    open(&there);
    slot = slot_create(&there, KIND_STREAM, -1, WEIR_INET);
    slot_move(slot, SOCKET_ESTABLISH);
    socket_ = slot_handle(&there, slot);
    scheduler_become(&here);
}

static void close_(struct scheduler *scheduler)
{
    cr_expect_eq(registry_user_count(scheduler->index), 0u);
    cr_expect(inbox_is_empty(&scheduler->inbox) && scheduler->outstanding == 0);
    cr_expect(task_queue_is_empty(&scheduler->tasks, TASK_SOON));
    cr_expect_eq(timer_next_ms(&scheduler->timers), UINT64_MAX);
    inbox_close(&scheduler->inbox);
}

static void end(void)
{
    cr_expect_eq(slot->pending, 0);
    slot_table_free(&there.slots, slot);
    slot_table_close(&there.slots);
    close_(&here);
    close_(&there);
    scheduler_become(NULL);
    cr_expect_eq(memory_live_count(), 0);
}

/* What was posted to a scheduler is run on it. */
static void expect_post(struct scheduler *scheduler)
{
    struct scheduler *before = scheduler_current();
    struct inbox_node *node = inbox_take(&scheduler->inbox);
    cr_assert(node && !node->next);
    error_set_text("of another call");
    scheduler_become(scheduler);
    node->run(scheduler, node);
    scheduler_become(before);
}

static void expect_no_post(void)
{
    cr_expect(inbox_is_empty(&here.inbox) && inbox_is_empty(&there.inbox));
}

/* An operation that gives what it is told to, and says so. */
static int gives;
static struct slot *run_slot;
static struct scheduler *run_scheduler;
static struct call *run_call;
static int left;

static int run(struct scheduler *scheduler, struct slot *of, struct call *call)
{
    cr_expect_str_eq(weir_last_error_text(), "");
    cr_expect(call->scheduler == scheduler && list_is_empty(&call->link));
    cr_expect_null(scheduler->waiter, "who is called meanwhile may not wait");
    cr_expect_eq(of ? of->pending : 1, 1);
    run_scheduler = scheduler;
    run_slot = of;
    run_call = call;
    return gives < 0 ? error_say(gives, "it is so") : gives;
}

static void leave(struct scheduler *scheduler, struct call *call)
{
    cr_expect(scheduler == run_scheduler && call == run_call);
    left = call->result;
}

static const struct call_operation operation = {
    .name = "probe", .run = run, .leave = leave, .dead_result = DEAD, .other_result = OTHER};
static const struct call_operation waiting = {
    .name = "probe", .run = run, .leave = leave, .dead_result = DEAD, .may_wait = true};

static int finished;
static int finished_with;
static char finished_text[ERROR_TEXT_SIZE];

static void finish(struct call *call)
{
    finished++;
    finished_with = call->result;
    snprintf(finished_text, sizeof(finished_text), "%s", weir_last_error_text());
    memory_free(call);
}

static struct call *call_of(void (*callback)(void))
{
    struct call *call = call_allocate(sizeof(*call));
    cr_assert_not_null(call);
    call->finish = finish;
    call->callback = callback;
    finished = finished_with = left = 0;
    run_call = NULL;
    return call;
}

static void expect_finished(struct scheduler *where, int result)
{
    cr_expect_eq(finished, 0, "not under the function that made it");
    error_set_text("of another call");
    task_run(where, &where->tasks, TASK_SOON);
    cr_expect_eq(finished, 1);
    cr_expect_eq(finished_with, result);
    cr_expect_eq(strstr(finished_text, "probe") != NULL, result < 0, "%s", finished_text);
    cr_expect_null(strstr(finished_text, "another"));
}

Test(call, is_a_function_on_its_own_scheduler)
{
    struct call call = {0};
    begin();
    scheduler_become(&there);
    gives = 7;
    error_set_text("of another call");
    cr_expect_eq(call_make(&operation, socket_, &call), 7);
    cr_expect(run_slot == slot && call.kind == CALL_DIRECT);
    gives = -EIO;
    cr_expect_eq(call_make(&operation, socket_, &call), -EIO);
    cr_expect_str_eq(weir_last_error_text(), "it is so");
    call.socket.id = 0;
    gives = 1;
    error_clear_text();
    cr_expect_eq(call_make_on(&operation, THERE, &call), 1);
    cr_expect_null(run_slot, "the scheduler itself is meant");
    expect_no_post();
    end();
}

static void expect_refusal(const struct call_operation *of, uint32_t index, const char *words)
{
    struct call call = {.socket = socket_};
    run_call = NULL;
    error_clear_text();
    cr_expect_eq(call_make_on(of, index, &call), -EDEADLK);
    cr_expect_not_null(strstr(weir_last_error_text(), words), "%s", weir_last_error_text());
    cr_expect_null(run_call);
}

Test(call, does_not_wait_on_a_scheduler)
{
    begin();
    expect_refusal(&waiting, HERE, "probe waits for a scheduler");
    expect_refusal(&waiting, THERE, "use its _async form");
    expect_refusal(&operation, THERE, "make it on the scheduler of the socket");
    expect_no_post();
    cr_expect_not(call_may_wait());
    scheduler_become(NULL);
    cr_expect(call_may_wait());
    end();
}

/* No handle, none of this runtime's, and of one that has ended. */
Test(call, of_nobody_is_not_made)
{
    struct call call = {0};
    const weir_socket nobodys = {(uint64_t)NOWHERE << HANDLE_INDEX_SHIFT | 1};
    begin();
    for (int i = 0; i < 2; i++) {
        error_set_text("of another call");
        cr_expect_eq(call_make(&operation, (weir_socket){0}, &call), DEAD);
        cr_expect_null(strstr(weir_last_error_text(), "another"));
        cr_expect_eq(call_make(&operation, nobodys, &call), DEAD);
        error_set_text("of another call");
        cr_expect_eq(call_make_async(&operation, (weir_socket){0}, call_of(NULL)), DEAD);
        cr_expect(finished == 1 && finished_with == DEAD);
        cr_expect_null(strstr(weir_last_error_text(), "another"));
        cr_expect_eq(call_make_async(&operation, nobodys, call_of(NULL)), DEAD);
        cr_expect(finished == 1 && finished_with == DEAD);
        scheduler_become(NULL);
    }
    cr_expect_eq(registry_user_count(NOWHERE), 0u);
    end();
}

static struct call *discarded;

static void note_discarded(struct call *call)
{
    discarded = call;
    cr_expect_null((void *)call->callback, "nobody is called back");
}

Test(call, that_is_discarded_calls_nobody_back)
{
    struct call call = {.finish = note_discarded, .operation = &operation};
    begin();
    call.callback = begin;
    cr_expect_eq(call_discard(&call, -EINVAL), -EINVAL);
    cr_expect(discarded == &call && call.result == -EINVAL);
    cr_expect_not_null(strstr(weir_last_error_text(), "probe"));
    memory_fail_nth(1);
    error_clear_text();
    cr_expect_null(call_allocate(100));
    memory_fail_nth(0);
    cr_expect_str_eq(weir_last_error_text(), "no memory for a call");
    end();
}

static const int results[] = {0, 7, -EIO};

Test(call, is_called_back_from_the_turn)
{
    begin();
    scheduler_become(&there);
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        gives = results[i];
        error_set_text("of another call");
        cr_expect_eq(call_make_async(&operation, socket_, call_of(NULL)), 0);
        cr_expect(run_slot == slot && there.outstanding == 1);
        expect_finished(&there, results[i]);
        cr_expect_eq(there.outstanding, 0u);
    }
    gives = CALL_WAITS;
    error_clear_text();
    cr_expect_eq(call_make_async(&operation, socket_, call_of(NULL)), 0);
    cr_expect(task_queue_is_empty(&there.tasks, TASK_SOON) && there.outstanding == 1);
    call_complete(&there, run_call, 9);
    expect_finished(&there, 9);
    end();
}

/* What fails there is refused at once; what does not is called back as ever. */
Test(call, of_a_scheduler_that_stops_is_refused_or_done)
{
    begin();
    scheduler_become(&there);
    there.state = SCHEDULER_STOPPING;
    gives = 0;
    cr_expect_eq(call_make_async(&operation, socket_, call_of(NULL)), 0);
    expect_finished(&there, 0);
    gives = -EIO;
    cr_expect_eq(call_make_async(&operation, socket_, call_of(NULL)), -EIO);
    cr_expect_eq(finished, 1, "its memory is freed");
    cr_expect(task_queue_is_empty(&there.tasks, TASK_SOON) && there.outstanding == 0);
    there.state = SCHEDULER_RUNNING;
    end();
}

Test(call, comes_home_to_the_scheduler_that_made_it)
{
    begin();
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        gives = results[i];
        cr_expect_eq(call_make_async(&operation, socket_, call_of(NULL)), 0);
        cr_expect(!run_call && here.outstanding == 1);
        expect_post(&there);
        cr_expect(run_slot == slot && run_scheduler == &there);
        expect_post(&here);
        expect_finished(&here, results[i]);
        cr_expect_eq(here.outstanding, 0u);
    }
    end();
}

Test(call, of_a_thread_is_finished_where_it_ran)
{
    begin();
    scheduler_become(NULL);
    gives = 3;
    cr_expect_eq(call_make_async(&operation, socket_, call_of(NULL)), 0);
    expect_post(&there);
    expect_finished(&there, 3);
    gives = CALL_WAITS;
    cr_expect_eq(call_make_async(&operation, socket_, call_of(NULL)), 0);
    expect_post(&there);
    expect_no_post();
    call_complete(&there, run_call, 4);
    expect_finished(&there, 4);
    end();
}

static int slow_count;

static void take_long(void)
{
}

static void finish_slowly(struct call *call)
{
    for (uint64_t until_ns = clock_now_ns() + 1000; clock_now_ns() < until_ns;)
        continue;
    finish(call);
}

static void tell_slow(const weir_slow_callback *slow)
{
    cr_expect_eq((void *)slow->function, (void *)take_long);
    slow_count++;
}

Test(call, may_be_slow_to_call_back)
{
    begin();
    limits = (struct scheduler_limits){.slow_callback_ns = 1000, .slow_callback = tell_slow};
    scheduler_become(&there);
    struct call *call = call_of(take_long);
    call->finish = finish_slowly;
    gives = 0;
    error_clear_text();
    cr_expect_eq(call_make_async(&operation, socket_, call), 0);
    expect_finished(&there, 0);
    cr_expect_eq(slow_count, 1);
    end();
}

/* A thread waits on its own; somebody runs what it has posted once it sleeps, or at once. */
struct answerer {
    bool waits_for_sleep;
    pthread_t thread;
};

static void *answer(void *data)
{
    const struct answerer *answerer = data;
    struct inbox_node *node;
    enum { SLEEPS = 2 };
    while (!(node = inbox_take(&there.inbox)))
        continue;
    struct call *call = list_entry(node, struct call, node);
    while (answerer->waits_for_sleep &&
           atomic_load_explicit(&call->done, memory_order_acquire) != SLEEPS)
        continue;
    error_set_text("of another call");
    node->run(&there, node);
    return NULL;
}

static void expect_answer(bool waits_for_sleep, int result)
{
    struct answerer answerer = {.waits_for_sleep = waits_for_sleep};
    struct call call = {.kind = CALL_ASYNC}; /* as it was used before */
    gives = result;
    cr_assert_eq(pthread_create(&answerer.thread, NULL, answer, &answerer), 0);
    cr_expect_eq(call_make(&operation, socket_, &call), result);
    cr_expect_str_eq(weir_last_error_text(), result < 0 ? "it is so" : "");
    pthread_join(answerer.thread, NULL);
}

Test(call, wakes_the_thread_that_waits, .timeout = 60)
{
    begin();
    scheduler_become(NULL);
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        expect_answer(true, results[i]);
        expect_answer(false, results[i]);
    }
    end();
}

/* One that runs where nothing else does, and waits. */
static struct call *wait_with(int64_t timeout_ms)
{
    struct call *call = call_of(NULL);
    scheduler_become(&there);
    gives = CALL_WAITS;
    error_clear_text();
    call->timeout_ms = timeout_ms;
    cr_assert_eq(call_make_async(&operation, socket_, call), 0);
    return call;
}

Test(call, waits_for_so_long)
{
    begin();
    struct call *call = wait_with(20);
    uint64_t began_ms = clock_now_ns() / 1000000;
    call_set_timeout(&there, call);
    cr_expect(call->may_leave && call->timer.armed && call->timer.expiry_ms > began_ms + 20);
    error_set_text("of another call");
    timer_advance(&there.timers, call->timer.expiry_ms);
    cr_expect_eq(left, WEIR_TIMEOUT);
    expect_finished(&there, WEIR_TIMEOUT);
    call = wait_with(-1);
    call_set_timeout(&there, call);
    cr_expect(call->may_leave && !call->timer.armed);
    call_end(&there, call, -EPIPE);
    cr_expect_eq(left, -EPIPE);
    expect_finished(&there, -EPIPE);
    call = wait_with(0);
    call_set_timeout(&there, call);
    cr_expect(call->timer.armed);
    call_complete(&there, call, 5);
    cr_expect(!call->may_leave && !call->timer.armed);
    cr_expect_eq(left, 0, "it did not leave");
    expect_finished(&there, 5);
    end();
}

Test(call, may_be_held_and_let_go)
{
    begin();
    struct call *call = wait_with(1000);
    call_set_timeout(&there, call);
    call_hold(&there, call);
    cr_expect(!call->may_leave && !call->timer.armed);
    call_set_timeout(&there, call);
    call_let_leave(&there, call);
    cr_expect(call->may_leave && !call->timer.armed);
    call_hold(&there, call);
    cr_expect_not(call->may_leave);
    call_complete(&there, call, 0);
    expect_finished(&there, 0);
    end();
}

Test(call, all_of_a_list_are_completed)
{
    struct list calls;
    begin();
    list_init(&calls);
    for (int i = 0; i < 3; i++)
        list_append(&calls, &wait_with(-1)->link);
    call_complete_all(&there, &calls, -ENOTCONN);
    cr_expect(list_is_empty(&calls));
    task_run(&there, &there.tasks, TASK_SOON);
    cr_expect(finished == 3 && finished_with == -ENOTCONN);
    end();
}

/* weir_cancel: those with that data, which nobody sleeps for. */
Test(call, is_cancelled_by_its_data)
{
    int data;
    begin();
    cr_expect_eq(call_cancel(&there, NULL, &data), 0);
    struct call *call = wait_with(-1);
    call->data = &data;
    cr_expect_eq(call_cancel(&there, call, NULL), 0);
    call->kind = CALL_BLOCKING;
    cr_expect_eq(call_cancel(&there, call, &data), 0);
    call->kind = CALL_ASYNC;
    cr_expect_eq(call_cancel(&there, call, &data), 1);
    cr_expect_eq(left, -ECANCELED);
    expect_finished(&there, -ECANCELED);
    end();
}

static const struct {
    uint8_t kinds;
    enum kind_number kind;
    bool is_for;
    int result;
} kinds[] = {
    {0, KIND_STREAM, true, OTHER},
    {0, KIND_PROCESS, false, DEAD},
    {1 << KIND_PROCESS, KIND_PROCESS, true, OTHER},
    {1 << KIND_STREAM, KIND_STREAM, true, OTHER},
    {1 << KIND_STREAM | 1 << KIND_WATCH, KIND_WATCH, true, OTHER},
    {1 << KIND_STREAM, KIND_WATCH, false, OTHER},
    {1 << KIND_STREAM, KIND_PROCESS, false, OTHER},
};

Test(call, is_for_some_kinds)
{
    begin();
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct call_operation row = operation;
        int result = 0;
        row.kinds = kinds[i].kinds;
        slot->kind = (uint8_t)kinds[i].kind & 15;
        cr_expect_eq(call_find_socket(&there, &row, socket_, &result),
                     kinds[i].is_for ? slot : NULL, "row %zu", i);
        cr_expect_eq(result, kinds[i].result, "row %zu", i);
        cr_expect_null(call_find_socket(&there, &row, (weir_socket){socket_.id + 1}, &result));
        cr_expect_eq(result, DEAD);
    }
    scheduler_become(&there);
    slot->kind = KIND_WATCH;
    struct call_operation streams = operation;
    streams.kinds = 1 << KIND_STREAM;
    cr_expect_eq(call_make(&streams, socket_, &(struct call){0}), OTHER);
    end();
}
