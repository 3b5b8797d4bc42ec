/* SPDX-License-Identifier: MIT */
/* Calls of a process: it is a waiter here, whose stack is this one, and while it is suspended the
 * inboxes are emptied. */
#include "runtime/scheduler/waiter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

enum { HERE = 3, THERE = 4, NOWHERE = 5, DEAD = -EBADF };

static struct scheduler here = {.index = HERE};
static struct scheduler there = {.index = THERE};

/* What it is asked for, a letter each: to be suspended, resumed, to yield and to end. */
static char asked[600];
static void (*meanwhile)(void); /* while it is suspended */

static void note(char what)
{
    asked[strlen(asked)] = what;
}

static void expect_asked(const char *letters)
{
    cr_expect_str_eq(asked, letters);
    memset(asked, 0, sizeof(asked));
}

static void suspend(struct waiter *waiter)
{
    note('s');
    here.waiter = NULL;
    error_set_text("of another call");
    meanwhile();
    here.waiter = waiter;
}

static void resume(struct waiter *waiter)
{
    (void)waiter;
    note('r');
}

static void yield(struct waiter *waiter)
{
    (void)waiter;
    note('y');
    error_set_text("of another call");
}

static void end_it(struct waiter *waiter)
{
    (void)waiter;
    note('e');
}

static const struct waiter_row row = {suspend, resume, yield, end_it};
static struct waiter waiter;

static void begin(void)
{
    waiter = (struct waiter){.row = &row, .scheduler = &here};
    cr_assert(inbox_open(&here.inbox) == 0 && inbox_open(&there.inbox) == 0);
    timer_wheel_init(&here.timers, 0);
    timer_wheel_init(&there.timers, 0);
    registry_publish(HERE, &here);
    registry_publish(THERE, &there);
    scheduler_become(&here);
    here.waiter = &waiter;
}

static void end(void)
{
    cr_expect(registry_user_count(HERE) == 0 && registry_user_count(THERE) == 0);
    cr_expect(inbox_is_empty(&here.inbox) && inbox_is_empty(&there.inbox));
    cr_expect(here.outstanding == 0 && here.waiter == &waiter && waiter.call == NULL);
    cr_expect_not(waiter.interrupting);
    expect_asked("");
    scheduler_become(NULL);
    inbox_close(&here.inbox);
    inbox_close(&there.inbox);
}

static void expect_post(struct scheduler *scheduler)
{
    struct inbox_node *node = inbox_take(&scheduler->inbox);
    cr_assert(node && !node->next);
    error_set_text("of another call");
    scheduler_become(scheduler);
    node->run(scheduler, node);
    scheduler_become(&here);
}

static int gives;
static struct call *run_call;
static bool may_leave;

static int run(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    cr_expect(scheduler->waiter == NULL && slot == NULL && call->kind == CALL_SUSPENDING);
    run_call = call;
    if (may_leave)
        call_let_leave(scheduler, call);
    return gives < 0 ? error_say(gives, "it is so") : gives;
}

static void leave(struct scheduler *scheduler, struct call *call)
{
    cr_expect(scheduler == call->scheduler && call == run_call);
    note('l');
}

static void interrupt(struct scheduler *scheduler, struct call *call)
{
    cr_expect_str_eq(weir_last_error_text(), "");
    note('i');
    call_complete(scheduler, call, WEIR_KILLED);
}

static const struct call_operation operation = {
    .name = "probe", .run = run, .leave = leave, .dead_result = DEAD, .may_wait = true};
static const struct call_operation polite = {.name = "probe",
                                             .run = run,
                                             .leave = leave,
                                             .interrupt = interrupt,
                                             .dead_result = DEAD,
                                             .may_wait = true};

static int make(const struct call_operation *of, uint32_t index)
{
    struct call call = {0};
    error_clear_text();
    return call_make_on(of, index, &call);
}

Test(waiter, is_not_suspended_for_what_is_there)
{
    begin();
    gives = 7;
    cr_expect_eq(make(&operation, HERE), 7);
    gives = -EIO;
    cr_expect_eq(make(&operation, HERE), -EIO);
    cr_expect_str_eq(weir_last_error_text(), "it is so");
    cr_expect_eq(make(&operation, NOWHERE), DEAD);
    cr_expect_eq(registry_user_count(NOWHERE), 0u);
    cr_expect(call_may_wait());
    end();
}

static int completes_with;

static void complete_here(void)
{
    expect_asked("s");
    cr_expect(waiter.call == run_call && waiter.where == HERE);
    if (completes_with < 0)
        (void)error_say(completes_with, "it is over");
    call_complete(&here, run_call, completes_with);
}

Test(waiter, is_resumed_when_its_call_is_complete)
{
    begin();
    gives = CALL_WAITS;
    meanwhile = complete_here;
    completes_with = 9;
    cr_expect_eq(make(&operation, HERE), 9);
    expect_asked("r");
    cr_expect_str_eq(weir_last_error_text(), "");
    completes_with = -EPIPE;
    cr_expect_eq(make(&operation, HERE), -EPIPE);
    expect_asked("r");
    cr_expect_str_eq(weir_last_error_text(), "it is over");
    end();
}

static void go_there_and_back(void)
{
    cr_expect(here.outstanding == 1 && waiter.where == THERE);
    expect_post(&there);
    cr_expect_eq(run_call->scheduler, &there);
    expect_asked("s");
    expect_post(&here);
}

Test(waiter, waits_for_another_scheduler)
{
    begin();
    meanwhile = go_there_and_back;
    gives = 5;
    cr_expect_eq(make(&operation, THERE), 5);
    expect_asked("r");
    gives = -EIO;
    cr_expect_eq(make(&operation, THERE), -EIO);
    expect_asked("r");
    cr_expect_str_eq(weir_last_error_text(), "it is so");
    end();
}

/* It was woken for something else. */
static int wakes;

static void wake_in_vain(void)
{
    if (++wakes < 3)
        return;
    memset(asked, 0, sizeof(asked));
    note('s');
    complete_here();
}

Test(waiter, waits_on_when_it_was_woken_in_vain)
{
    begin();
    gives = CALL_WAITS;
    completes_with = 1;
    meanwhile = wake_in_vain;
    cr_expect_eq(make(&operation, HERE), 1);
    cr_expect_eq(wakes, 3);
    expect_asked("r");
    end();
}

/* 256 calls that were complete at once: it lets others go on, and its call's text is its own. */
Test(waiter, lets_others_go_on_now_and_then)
{
    enum { MOST = 256 };
    begin();
    gives = -EIO;
    for (int round = 0; round < 2; round++) {
        for (int i = 1; i < MOST; i++)
            (void)make(&operation, HERE);
        expect_asked("");
        (void)make(&operation, HERE);
        expect_asked("y");
        cr_expect_str_eq(weir_last_error_text(), "it is so");
    }
    static const struct call_operation quick = {.name = "probe", .run = run};
    for (int i = 0; i < 2 * MOST; i++)
        (void)make(&quick, HERE);
    expect_asked("");
    for (int i = 1; i < MOST; i++)
        (void)make(&operation, HERE);
    gives = CALL_WAITS;
    meanwhile = complete_here;
    (void)make(&operation, HERE);
    expect_asked("r");
    cr_expect_eq(waiter.at_once, 0u, "it has waited");
    gives = 0;
    for (int i = 1; i < MOST; i++)
        (void)make(&operation, HERE);
    end();
}

/* Complete before it could be suspended: that counts too. */
static int run_and_complete(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    (void)slot;
    call_complete(scheduler, call, 3);
    return CALL_WAITS;
}

Test(waiter, is_not_suspended_when_its_call_was_completed_meanwhile)
{
    static const struct call_operation at_once = {.name = "probe", .run = run_and_complete};
    begin();
    cr_expect_eq(make(&at_once, HERE), 3);
    cr_expect_eq(waiter.at_once, 1u);
    end();
}

/* Somebody has it end: before it waits, or while it does. */
Test(waiter, that_is_to_end_leaves_what_it_would_wait_for)
{
    begin();
    gives = CALL_WAITS;
    may_leave = true;
    waiter.order = WAITER_IS_TO_END;
    call_begin();
    cr_expect_eq(make(&operation, HERE), WEIR_KILLED);
    expect_asked("lr");
    cr_expect_eq(waiter.order, WAITER_KNOWS);
    waiter.order = WAITER_IS_TO_END;
    cr_expect_eq(make(&polite, HERE), WEIR_KILLED);
    expect_asked("ir");
    cr_expect_eq(waiter.order, WAITER_KNOWS);
    call_begin();
    expect_asked("e");
    waiter.order = WAITER_IS_TO_END;
    gives = 4;
    cr_expect_eq(make(&operation, HERE), 4);
    cr_expect_eq(waiter.order, WAITER_IS_TO_END);
    gives = WEIR_KILLED;
    cr_expect_eq(make(&operation, HERE), WEIR_KILLED);
    cr_expect_eq(waiter.order, WAITER_KNOWS);
    end();
}

static void kill_here(void)
{
    expect_asked("s");
    waiter.order = WAITER_IS_TO_END;
    call_interrupt(&here, &waiter);
    call_interrupt(&here, &waiter);
}

static void kill_and_complete(void)
{
    kill_here();
    expect_asked("");
    call_complete(&here, run_call, 6);
}

Test(waiter, that_waits_leaves_when_it_may)
{
    begin();
    call_interrupt(&here, &waiter);
    gives = CALL_WAITS;
    meanwhile = kill_here;
    may_leave = true;
    cr_expect_eq(make(&operation, HERE), WEIR_KILLED);
    expect_asked("lr");
    waiter.order = WAITER_GOES_ON;
    may_leave = false;
    meanwhile = kill_and_complete;
    cr_expect_eq(make(&operation, HERE), 6);
    expect_asked("r");
    cr_expect_eq(waiter.order, WAITER_IS_TO_END);
    end();
}

/* Its call waits elsewhere, and is told there; the waiter stays until that is over. */
static void kill_elsewhere(void)
{
    expect_asked("s");
    expect_post(&there);
    waiter.order = WAITER_IS_TO_END;
    call_interrupt(&here, &waiter);
    call_interrupt(&here, &waiter);
    cr_expect(waiter.interrupting && registry_user_count(THERE) == 0);
    expect_post(&there);
    if (may_leave)
        expect_asked("l");
    else
        call_complete(&there, run_call, 8);
    struct inbox_node *node = inbox_take(&here.inbox);
    cr_assert(node && node->next && !node->next->next, "its call, and who interrupted it");
    for (struct inbox_node *next; node; node = next) {
        next = node->next;
        node->run(&here, node);
    }
}

Test(waiter, that_waits_elsewhere_leaves_too)
{
    begin();
    gives = CALL_WAITS;
    meanwhile = kill_elsewhere;
    may_leave = true;
    cr_expect_eq(make(&operation, THERE), WEIR_KILLED);
    cr_expect_null(strstr(weir_last_error_text(), "another"), "%s", weir_last_error_text());
    expect_asked("rr");
    waiter.order = WAITER_GOES_ON;
    may_leave = false;
    cr_expect_eq(make(&operation, THERE), 8);
    expect_asked("rr");
    end();
}

/* Too late: it is on its way home. Then the node comes back behind it, and it waits for that. */
static int steps;

static void kill_too_late(void)
{
    if (steps++ == 0) {
        expect_post(&there);
        waiter.order = WAITER_IS_TO_END;
        call_interrupt(&here, &waiter);
        expect_post(&here);
        return;
    }
    expect_post(&there);
    expect_post(&here);
}

Test(waiter, stays_until_who_interrupts_it_is_back)
{
    begin();
    gives = 2;
    may_leave = false;
    meanwhile = kill_too_late;
    cr_expect_eq(make(&operation, THERE), 2);
    cr_expect_eq(steps, 2);
    expect_asked("srsr");
    end();
}

/* The scheduler that it waits for stops, and ends its call by itself. */
static void kill_stopping(void)
{
    expect_post(&there);
    registry_withdraw(THERE);
    call_interrupt(&here, &waiter);
    cr_expect(!waiter.interrupting && inbox_is_empty(&there.inbox));
    call_complete(&there, run_call, WEIR_CLOSED);
    expect_post(&here);
}

Test(waiter, of_one_that_stops_waits_for_it)
{
    begin();
    gives = CALL_WAITS;
    may_leave = true;
    meanwhile = kill_stopping;
    cr_expect_eq(make(&operation, THERE), WEIR_CLOSED);
    expect_asked("sr");
    end();
}

/* What it says is its own text, whatever has been said on its scheduler. */
static int run_for_a_while(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    (void)slot;
    run_call = call;
    call->timeout_ms = 10;
    call_set_timeout(scheduler, call);
    return CALL_WAITS;
}

static void time_goes_by(void)
{
    timer_advance(&here.timers, run_call->timer.expiry_ms);
    expect_asked("slr");
}

Test(waiter, is_told_of_its_time_out)
{
    static const struct call_operation patient = {
        .name = "probe", .run = run_for_a_while, .leave = leave, .may_wait = true};
    begin();
    meanwhile = time_goes_by;
    cr_expect_eq(make(&patient, HERE), WEIR_TIMEOUT);
    cr_expect_null(strstr(weir_last_error_text(), "another"), "%s", weir_last_error_text());
    cr_expect_not_null(strstr(weir_last_error_text(), "probe"), "%s", weir_last_error_text());
    end();
}
