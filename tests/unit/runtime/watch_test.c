/* SPDX-License-Identifier: MIT */
/* Watched descriptors: what is told of them, how often, and when no more. */
#include "runtime/watch/watch.h"

#include "own_turns.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/scheduler/scheduler.h"

static struct scheduler *scheduler;
static struct watch *watch;
static int ends[2];

static int told;
static unsigned last;
static void (*act)(void);

static int cancels;

void __real_cancel_start(struct scheduler *there, struct slot *slot, uint32_t operation);
void __wrap_cancel_start(struct scheduler *there, struct slot *slot, uint32_t operation);

void __wrap_cancel_start(struct scheduler *there, struct slot *slot, uint32_t operation)
{
    cancels += operation == WATCH_POLL;
    __real_cancel_start(there, slot, operation);
}

static void ready(struct scheduler *there, void *context, unsigned events)
{
    cr_expect(there == scheduler && context == &told);
    told++;
    last = events;
    if (act)
        act();
}

static void begin(void)
{
    scheduler = own_turns_begin();
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    watch = watch_open(scheduler, ends[0], ready, &told);
    cr_assert_not_null(watch);
}

static void end(void)
{
    if (watch)
        watch_close(scheduler, watch);
    own_turns_end(scheduler);
    cr_expect_geq(fcntl(ends[0], F_GETFD), 0, "it is somebody else's");
    close(ends[0]);
    close(ends[1]);
}

static void turn_until_told(int count)
{
    while (told < count)
        scheduler_turn(scheduler);
    cr_expect_eq(told, count);
}

/* So many turns that what is under way has come. */
static void expect_quiet(void)
{
    int before = told;
    for (int i = 0; i < 5; i++)
        scheduler_turn(scheduler);
    cr_expect_eq(told, before);
}

static void say(void)
{
    cr_assert_eq(write(ends[1], "x", 1), 1);
}

static void take(void)
{
    char byte;
    cr_assert_eq(read(ends[0], &byte, 1), 1);
}

Test(watch, is_told_of_for_as_long_as_it_is_ready)
{
    begin();
    expect_quiet();
    watch_want(scheduler, watch, POLLIN);
    expect_quiet();
    say();
    turn_until_told(1);
    cr_expect_eq(last, POLLIN);
    turn_until_told(2);
    act = take;
    turn_until_told(3);
    expect_quiet();
    say();
    turn_until_told(4);
    end();
}

/* Of what is wanted by now, whatever was asked of the kernel before. */
Test(watch, wants_more_or_less)
{
    begin();
    watch_want(scheduler, watch, POLLIN);
    scheduler_turn(scheduler);
    watch_want(scheduler, watch, POLLIN | POLLOUT);
    turn_until_told(1);
    cr_expect_eq(last, POLLOUT);
    say();
    while (last != (POLLIN | POLLOUT))
        scheduler_turn(scheduler);
    watch_want(scheduler, watch, 0);
    scheduler_turn(scheduler); /* what was under way */
    expect_quiet();
    watch_want(scheduler, watch, POLLOUT);
    int before = told;
    turn_until_told(before + 1);
    cr_expect_eq(last, POLLOUT, "and not of what is there to read");
    end();
}

static void want_more(void)
{
    take();
    watch_want(scheduler, watch, POLLIN | POLLRDHUP);
}

/* A poll that waits for more is not cancelled for less, nor twice, nor one that is over. */
Test(watch, cancels_a_poll_that_will_not_do)
{
    begin();
    watch_want(scheduler, watch, POLLIN | POLLPRI);
    scheduler_turn(scheduler);
    watch_want(scheduler, watch, POLLIN);
    scheduler_turn(scheduler);
    cr_expect_eq(cancels, 0);
    watch_want(scheduler, watch, POLLIN | POLLRDHUP);
    watch_want(scheduler, watch, POLLIN | POLLRDHUP | POLLPRI);
    cr_expect_eq(cancels, 1);
    expect_quiet();
    watch_want(scheduler, watch, POLLIN);
    cancels = 0;
    say();
    act = want_more;
    turn_until_told(1);
    say();
    turn_until_told(2);
    cr_expect_eq(cancels, 0, "%d", cancels);
    end();
}

static void close_it(void)
{
    watch_close(scheduler, watch);
    watch = NULL;
}

Test(watch, is_told_of_no_more_when_it_is_closed)
{
    begin();
    watch_want(scheduler, watch, POLLIN);
    scheduler_turn(scheduler);
    say();
    close_it();
    expect_quiet();
    watch = watch_open(scheduler, ends[0], ready, &told);
    cr_assert_not_null(watch);
    close_it();
    cr_expect(!scheduler->descriptor_closed, "who lacks one is not to try");
    watch = watch_open(scheduler, ends[0], ready, &told);
    cr_assert_not_null(watch);
    watch_want(scheduler, watch, POLLIN);
    act = close_it;
    cancels = 0;
    turn_until_told(1);
    expect_quiet();
    cr_expect_eq(cancels, 0, "there is nothing to cancel");
    end();
}

/* A number that is no descriptor. */
Test(watch, of_what_cannot_be_polled_is_told_once)
{
    begin();
    int none_fd = dup(ends[0]);
    cr_assert_geq(none_fd, 0);
    close(none_fd);
    struct watch *none = watch_open(scheduler, none_fd, ready, &told);
    watch_want(scheduler, none, POLLIN);
    turn_until_told(1);
    cr_expect_eq(last, POLLERR);
    expect_quiet();
    watch_want(scheduler, none, POLLIN);
    turn_until_told(2);
    watch_close(scheduler, none);
    end();
}

/* While it is wanted a cancel that missed is not repeated. */
Test(watch, that_is_in_flight_may_be_wanted_no_more)
{
    begin();
    watch_want(scheduler, watch, POLLIN);
    const struct slot *slot = (struct slot *)watch; /* it begins with it */
    bool (*is_unwanted)(const struct slot *) =
        kind_watch.operations[OPERATION_IN_KIND(WATCH_POLL)].is_unwanted;
    cr_expect(!is_unwanted(slot));
    watch_close(scheduler, watch);
    cr_expect(is_unwanted(slot));
    watch = NULL;
    end();
}
