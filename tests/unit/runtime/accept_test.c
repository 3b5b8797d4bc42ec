/* SPDX-License-Identifier: MIT */
/* What a listener asks its kernel for, and what becomes of the answers. */
#include "lone_listener.h"

#include <fcntl.h>
#include <netinet/in.h>

#include "base/memory.h"
#include "options/options.h"
#include "runtime/listener/late_options.h"
#include "runtime/listener/set_option.h"
#include "runtime/owner/owner.h"
#include "runtime/ring/features.h"

static const struct {
    int error;
    bool lacks; /* descriptors or memory */
    bool passes;
} failures[] = {
    {-EMFILE, true, false},       {-ENFILE, true, false},      {-ENOMEM, true, false},
    {-ENOBUFS, true, false},      {-EINTR, false, true},       {-EAGAIN, false, true},
    {-ECONNABORTED, false, true}, {-EPROTO, false, true},      {-ENOPROTOOPT, false, true},
    {-EHOSTDOWN, false, true},    {-ENONET, false, true},      {-EHOSTUNREACH, false, true},
    {-ENETDOWN, false, true},     {-ENETUNREACH, false, true}, {-EOPNOTSUPP, false, true},
    {-EPERM, false, true},        {-ETIMEDOUT, false, true},   {-EINVAL, false, false},
    {-EBADF, false, false},       {-EIO, false, false},
};

static void expect_pause(int error, bool until_descriptors)
{
    cr_expect(!is_in_flight, "%d", error);
    cr_expect_eq(listening->accepting, ACCEPTING_PAUSED, "%d: %d", error, listening->accepting);
    cr_expect(listening->retry.armed, "%d", error);
    cr_expect_eq(task_is_queued(&listening->try_again), until_descriptors, "%d", error);
}

/* One failure may be a connection's; what fails again waits. The owner is told once of what lasts,
 * until a connection comes. */
Test(accept, that_fails_is_asked_for_again)
{
    lone_listener_begin();
    accept_serve(scheduler, listener, weir_handled_by(&listener_handler, NULL));
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        int error = failures[i].error;
        bool lasts = !failures[i].lacks && !failures[i].passes;
        uint64_t pauses = scheduler->totals.accept_pauses;
        errors = asked = 0;
        lone_listener_complete(error, 0);
        if (failures[i].passes) {
            cr_expect(is_in_flight && asked == 1, "%d", error);
            cr_expect_eq(scheduler->totals.accept_pauses, pauses);
            lone_listener_complete(error, 0);
        }
        expect_pause(error, failures[i].lacks);
        cr_expect_eq(scheduler->totals.accept_pauses, pauses + 1);
        cr_expect_eq(errors, lasts, "%d", error);
        cr_expect(!lasts || last_error == error);
        listening->retry.fire(&listening->retry);
        cr_expect(is_in_flight && !listening->retry.armed && listening->has_paused);
        cr_expect(!task_is_queued(&listening->try_again));
        lone_listener_complete(error, 0);
        expect_pause(error, failures[i].lacks);
        cr_expect_eq(errors, lasts, "%d: once", error);
        cr_expect_eq(scheduler->totals.accept_pauses, pauses + 2);
        listening->try_again.run(scheduler, &listening->try_again);
        cr_expect(is_in_flight && !listening->retry.armed);
        accepted = 0;
        lone_listener_complete(socket(AF_INET, SOCK_STREAM, 0), 0);
        cr_expect(accepted == 1 && is_in_flight);
        cr_expect(!listening->failed && !listening->has_paused && !listening->told_unusable);
    }
    lone_listener_end();
}

/* One that was cancelled has not failed. */
Test(accept, that_is_cancelled_is_no_failure)
{
    lone_listener_begin();
    accept_serve(scheduler, listener, weir_handled_by(&listener_handler, NULL));
    lone_listener_complete(-ECANCELED, 0);
    cr_expect(is_in_flight && !listening->failed);
    cr_expect_eq(scheduler->totals.accept_pauses, 0);
    lone_listener_end();
}

Test(accept, pauses_for_a_while)
{
    lone_listener_begin();
    accept_serve(scheduler, listener, weir_handled_by(&listener_handler, NULL));
    lone_listener_complete(-EMFILE, 0);
    expect_pause(-EMFILE, true);
    uint64_t begun_ns = scheduler->now_ns;
    while (!is_in_flight)
        scheduler_turn(scheduler);
    cr_expect_geq(scheduler->now_ns - begun_ns, 90000000u);
    cr_expect(is_in_flight && listening->has_paused);
    lone_listener_end();
}

/* A multishot would have the connections of its rivals too, or those for which there is no place,
 * and that of a local socket would not hear of its end. */
static const struct {
    bool serving;
    bool rivals;
    bool limited;
    bool featured;
    enum weir_family family;
    bool multishot;
} shots[] = {
    {true, false, false, true, WEIR_INET, true},   {true, false, false, true, WEIR_INET6, true},
    {true, true, false, true, WEIR_INET, false},   {true, false, true, true, WEIR_INET, false},
    {true, false, false, false, WEIR_INET, false}, {true, false, false, true, WEIR_LOCAL, false},
};

Test(accept, asks_for_one_or_for_all)
{
    lone_listener_begin();
    uint32_t features = scheduler->profile.features;
    for (size_t i = 0; i < sizeof(shots) / sizeof(shots[0]); i++) {
        struct quota_queuer queuer = {0};
        if (i > 0) {
            lone_listener_shut();
            lone_listener_open();
        }
        listener->slot.family = shots[i].family;
        listening->has_rivals = shots[i].rivals;
        listening->queuer = shots[i].limited ? &queuer : NULL;
        scheduler->profile.features = shots[i].featured ? features | FEATURE_BIT(MULTISHOT_ACCEPT)
                                                        : features & ~FEATURE_BIT(MULTISHOT_ACCEPT);
        accept_serve(scheduler, listener, weir_handled_by(&listener_handler, NULL));
        cr_expect_eq(for_more, shots[i].multishot, "row %zu", i);
        listening->queuer = NULL;
    }
    scheduler->profile.features = features;
    lone_listener_end();
}

/* While there is more, it is not asked for again, and after an end without one it is. */
Test(accept, goes_on_by_itself)
{
    lone_listener_begin();
    accept_serve(scheduler, listener, weir_handled_by(&listener_handler, NULL));
    cr_expect_eq(asked, 1);
    lone_listener_complete(socket(AF_INET, SOCK_STREAM, 0), RING_MORE);
    lone_listener_complete(socket(AF_INET, SOCK_STREAM, 0), RING_MORE);
    cr_expect(asked == 1 && accepted == 2 && listening->accepting == ACCEPTING);
    cr_expect_eq(scheduler->totals.accepts, 2);
    lone_listener_complete(socket(AF_INET, SOCK_STREAM, 0), 0);
    cr_expect(asked == 2 && accepted == 3);
    lone_listener_complete(-EINVAL, RING_MORE);
    cr_expect(asked == 2 && listening->accepting == ACCEPTING && listening->failed);
    cr_expect_eq(errors, 0, "it goes on");
    lone_listener_end();
}

/* The slot is held until what is in flight has come; a connection that comes then is closed. */
Test(accept, is_cancelled_when_it_is_closed)
{
    lone_listener_begin();
    accept_serve(scheduler, listener, weir_handled_by(&listener_handler, NULL));
    slot_end(scheduler, &listener->slot, END_CLOSED);
    cr_expect(cancels == 1 && accept_is_cancelled(&listener->slot));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    lone_listener_complete(fd, 0);
    cr_expect(accepted == 0 && !is_in_flight);
    cr_expect_lt(fcntl(fd, F_GETFD), 0, "it was closed");
    lone_listener_open();
    accept_serve(scheduler, listener, weir_handled_by(&listener_handler, NULL));
    lone_listener_complete(-EMFILE, 0);
    struct task *task = &listening->try_again;
    struct timer *retry = &listening->retry;
    cr_assert(task_is_queued(task) && retry->armed);
    arming_forget_pause(listening);
    cr_expect(!task_is_queued(task) && !retry->armed);
    arming_pause(scheduler, listener, true);
    lone_listener_end();
}

static const struct {
    enum accepting accepting;
    bool cancelled;
} states[] = {
    {ACCEPTING_NOT, false},  {ACCEPTING, false},        {ACCEPTING_CANCELLED, true},
    {ACCEPTING_FULL, false}, {ACCEPTING_PAUSED, false}, {ACCEPTING_ENDS, true},
    {ACCEPTING_REST, false}, {ACCEPTING_TAKEN, false},  {ACCEPTING_HEADERS, false},
};

Test(accept, that_is_in_flight_may_be_wanted_no_more)
{
    lone_listener_begin();
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        listening->accepting = states[i].accepting;
        cr_expect_eq(accept_is_cancelled(&listener->slot), states[i].cancelled, "row %zu", i);
    }
    listening->accepting = ACCEPTING_NOT;
    lone_listener_end();
}

/* For whoever waits: cancelled when nobody does, once, and asked for again when that has come. */
Test(accept, is_for_who_waits)
{
    struct list who;
    lone_listener_begin();
    arming_update(scheduler, listener);
    cr_expect_eq(asked, 0);
    list_init(&who);
    list_append(&listening->acceptors, &who);
    arming_update(scheduler, listener);
    cr_expect(asked == 1 && !for_more && listening->accepting == ACCEPTING);
    arming_update(scheduler, listener);
    cr_expect_eq(cancels, 0);
    list_remove(&who);
    arming_update(scheduler, listener);
    arming_update(scheduler, listener);
    cr_expect(cancels == 1 && listening->accepting == ACCEPTING_CANCELLED);
    lone_listener_complete(-ECANCELED, 0);
    cr_expect(asked == 1 && listening->accepting == ACCEPTING_NOT);
    lone_listener_end();
}

static void take_rest(int count)
{
    backlog = count;
    accepted = 0;
    listening->serving = true;
    listening->accepting = ACCEPTING_TAKEN;
    owner_set(&listener->slot, weir_handled_by(&listener_handler, NULL));
    listening->take_rest.run(scheduler, &listening->take_rest);
}

/* So many at a time: others have their turn too. Then it closes. */
Test(accept, takes_the_rest_by_calls)
{
    enum { AT_ONCE = 64 };
    lone_listener_begin();
    take_rest(AT_ONCE + 1);
    cr_expect(accepted == AT_ONCE && task_is_queued(&listening->take_rest));
    slot_hold(&listener->slot);
    scheduler_turn(scheduler);
    cr_expect(accepted == AT_ONCE + 1 && !listener->listening);
    slot_unhold(scheduler, &listener->slot);
    listener = NULL;
    lone_listener_end();
}

/* Where the standard input is closed, that number is free. */
Test(accept, may_have_the_first_number)
{
    lone_listener_begin();
    close(STDIN_FILENO);
    slot_hold(&listener->slot);
    take_rest(1);
    cr_expect(accepted == 1 && !listener->listening);
    slot_unhold(scheduler, &listener->slot);
    listener = NULL;
    lone_listener_end();
}

/* Its memory may be somebody else's by then. */
Test(accept, leaves_nothing_to_do_when_it_is_closed)
{
    lone_listener_begin();
    struct task *tasks[] = {&listening->take_rest, &listening->give_up, &listening->let_in,
                            &listening->look_again, &listening->try_again};
    for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
        task_add(&scheduler->tasks, TASK_SOON, tasks[i]);
    scheduler_arm(scheduler, &listening->retry, 1);
    slot_hold(&listener->slot);
    slot_end(scheduler, &listener->slot, END_CLOSED);
    cr_expect_null(listener->listening);
    for (int i = 0; i < 5; i++)
        scheduler_turn(scheduler);
    cr_expect_eq(asked, 0);
    slot_unhold(scheduler, &listener->slot);
    listener = NULL;
    lone_listener_end();
}

static int number_of(int fd, int name)
{
    int number = -1;
    socklen_t size = sizeof(number);
    cr_assert_eq(getsockopt(fd, SOL_SOCKET, name, &number, &size), 0);
    return number;
}

/* Of whoever came before they were set: at once where it is in hand, else when it is accepted. What
 * the kernel never gives stays. */
Test(accept, has_the_options_that_came_late)
{
    struct sockaddr_in name;
    socklen_t size = sizeof(name);
    lone_listener_begin();
    listening->in_hand = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(late_options_note(scheduler, listener, WEIR_OPTIONS(WEIR_KEEPALIVE(true))), 0);
    cr_expect_eq(number_of(listening->in_hand, SO_KEEPALIVE), 1);
    cr_expect_null(listening->late, "nobody has come");
    int client = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(getsockname(listener->slot.fd, (struct sockaddr *)&name, &size), 0);
    cr_assert_eq(connect(client, (struct sockaddr *)&name, size), 0);
    cr_assert_eq(late_options_note(scheduler, listener,
                                   WEIR_OPTIONS(WEIR_KEEPALIVE(true), WEIR_PRIORITY(3))),
                 0);
    cr_expect(listening->late_count == 1 && options_length(listening->late) == 2);
    close(accept(listener->slot.fd, NULL, NULL));
    cr_assert_eq(late_options_note(scheduler, listener, WEIR_OPTIONS(WEIR_NODELAY(true))), 0);
    cr_expect(listening->late_count == 0 && options_length(listening->late) == 1);
    cr_expect_eq(listening->late[0].id, WEIR_OPTION_PRIORITY);
    close(client);
    lone_listener_end();
}

/* Those that wait, where the kernel says it: of a local listener there may be any number. */
Test(accept, says_how_many_have_come)
{
    struct sockaddr_in name;
    socklen_t size = sizeof(name);
    lone_listener_begin();
    cr_expect_eq(listener_backlog_count(listener), 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(getsockname(listener->slot.fd, (struct sockaddr *)&name, &size), 0);
    cr_assert_eq(connect(client, (struct sockaddr *)&name, size), 0);
    cr_expect_eq(listener_backlog_count(listener), 1);
    int fd = listener->slot.fd;
    listener->slot.fd = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_expect_eq(listener_backlog_count(listener), UINT32_MAX);
    close(listener->slot.fd);
    listener->slot.fd = fd;
    close(client);
    lone_listener_end();
}

/* Those of a service have theirs in common until one is set. */
Test(accept, needs_memory_for_options_of_its_own)
{
    const weir_option options[] = {WEIR_ACTIVE(false), WEIR_LOW_WATERMARK(5)};
    for (size_t i = 0; i < 2; i++) {
        lone_listener_begin();
        struct option_block *shared = option_block_share(listener->slot.options);
        memory_fail_nth(1);
        cr_expect_eq(listener_set_option(scheduler, &listener->slot, &options[i]), -ENOMEM);
        memory_fail_nth(0);
        cr_expect_eq(listener_set_option(scheduler, &listener->slot, &options[i]), 0);
        cr_expect(listener->slot.options != shared);
        option_block_drop(shared);
        lone_listener_end();
    }
}
