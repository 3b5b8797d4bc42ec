/* SPDX-License-Identifier: MIT */
/* Processes: how they begin, wait, hear of each other and end. */
#include "integration/in_process.h"

#include <signal.h>
#include <stdlib.h>

#include "base/memory.h"

static const weir_config two_schedulers = {.schedulers = 2};

static atomic_uint ends;

static int return_it(void *data)
{
    return *(int *)data;
}

static int exit_with_it(void *data)
{
    (void)weir_exit(*(int *)data);
    return -1;
}

Test(process, why_it_ended_is_what_it_returns_or_exits_with)
{
    struct loopback loopback = loopback_start(NULL);
    int reason = 17;
    cr_assert(run_process_on(&loopback, 0, return_it, &reason) == 17);
    cr_assert(run_process_on(&loopback, 0, exit_with_it, &reason) == 17);
    loopback_close(&loopback);
}

static int know_itself(void *data)
{
    weir_process *outside = data;
    EXPECT(weir_self().id != 0 && weir_self().id != outside->id);
    EXPECT(weir_current_scheduler() == 0);
    *outside = weir_self();
    return 0;
}

Test(process, knows_itself)
{
    struct loopback loopback = loopback_start(NULL);
    weir_process first = weir_self();
    cr_assert(first.id == 0);
    RUNS(&loopback, know_itself, &first);
    weir_process second = first;
    RUNS(&loopback, know_itself, &second);
    cr_assert(first.id != second.id && second.id != 0);
    cr_assert(weir_exit(0) == -EINVAL);
    weir_message message;
    cr_assert(weir_receive(0, &message) == -EINVAL);
    loopback_close(&loopback);
}

static int sleep_for_20(void *data)
{
    uint64_t began_ms = now_ms();
    (void)data;
    EXPECT(weir_sleep(20) == 0);
    EXPECT(now_ms() >= began_ms + 20);
    return 0;
}

Test(process, sleeps)
{
    struct loopback loopback = loopback_start(NULL);
    RUNS(&loopback, sleep_for_20, NULL);
    cr_assert(weir_sleep(1) == 0);
    loopback_close(&loopback);
}

static int receive_three(void *data)
{
    weir_message message;
    atomic_bool *has_waited = data;
    EXPECT(weir_receive(0, &message) == WEIR_TIMEOUT);
    EXPECT(strstr(weir_last_error_text(), "timed out"));
    EXPECT(weir_receive(10, &message) == WEIR_TIMEOUT);
    atomic_store(has_waited, true);
    for (uintptr_t i = 1; i <= 3; i++) {
        EXPECT(weir_receive(WAIT_MS, &message) == 0);
        EXPECT(message.kind == WEIR_MESSAGE_USER && message.data == (void *)i);
    }
    return 0;
}

Test(process, takes_messages_of_a_thread_in_order)
{
    struct loopback loopback = loopback_start(NULL);
    atomic_bool has_waited = false;
    weir_process process = spawn_on(&loopback, 0, receive_three, &has_waited);
    GIVES(weir_monitor(process, loopback.mailbox, NULL), 0);
    EVENTUALLY(atomic_load(&has_waited));
    for (uintptr_t i = 1; i <= 3; i++)
        GIVES(weir_post(process, (void *)i), 0);
    int reason = reason_of(&loopback, process);
    cr_assert(reason == 0, "line %d", reason);
    loopback_close(&loopback);
}

struct pair {
    weir_process other;
    int rounds;
};

/* Each answers the other's number with the next one. */
static int play(void *data)
{
    struct pair *pair = data;
    weir_message message;
    for (int i = 0; i < pair->rounds; i++) {
        EXPECT(weir_receive(WAIT_MS, &message) == 0);
        EXPECT(weir_post(pair->other, (char *)message.data + 1) == 0);
    }
    return 0;
}

static int begin_to_play(void *data)
{
    struct pair *pair = data;
    struct pair back = {weir_self(), pair->rounds};
    weir_message message;
    EXPECT(weir_spawn((weir_runtime *)(uintptr_t)pair->other.id, pair->rounds % 2, play, &back,
                      NULL, &pair->other) == 0);
    EXPECT(weir_post(pair->other, NULL) == 0);
    for (int i = 0; i < pair->rounds; i++) {
        EXPECT(weir_receive(WAIT_MS, &message) == 0);
        EXPECT(message.data == (void *)(uintptr_t)(2 * i + 1));
        if (i + 1 < pair->rounds)
            EXPECT(weir_post(pair->other, (char *)message.data + 1) == 0);
    }
    return 0;
}

/* On one scheduler, and on two. */
Test(process, two_talk_to_each_other)
{
    struct loopback loopback = loopback_start(&two_schedulers);
    for (int rounds = 1000; rounds <= 1001; rounds++) {
        struct pair pair = {{(uintptr_t)loopback.runtime}, rounds};
        RUNS(&loopback, begin_to_play, &pair);
    }
    loopback_close(&loopback);
}

static int wait_for_ever(void *data)
{
    weir_message message;
    (void)data;
    return weir_receive(WEIR_INFINITY, &message);
}

static int sleep_for_ever(void *data)
{
    (void)data;
    return weir_sleep(WEIR_INFINITY);
}

/* To who has spawned it. */
static int post_and_end(void *data)
{
    weir_message message;
    EXPECT(weir_receive(WAIT_MS, &message) == 0);
    EXPECT(weir_post(*(weir_process *)data, data) == 0);
    return 0;
}

static void count_end(weir_process process, int reason, void *data)
{
    (void)process;
    (void)reason;
    (void)data;
    atomic_fetch_add(&ends, 1);
}

/* Takes nothing before the other has ended. */
static int wait_for_its_end(void *data)
{
    struct loopback *loopback = data;
    const weir_process_options options = {.ended = count_end};
    weir_process self = weir_self(), other;
    weir_message message;
    for (int where = 0; where < 2; where++) {
        unsigned before = atomic_load(&ends);
        EXPECT(weir_spawn(loopback->runtime, where, post_and_end, &self, &options, &other) == 0);
        EXPECT(weir_monitor(other, NULL, NULL) == 0);
        EXPECT(weir_post(other, NULL) == 0);
        while (where == 1 && atomic_load(&ends) == before)
            continue;
        EXPECT(weir_receive(WAIT_MS, &message) == 0 && message.kind == WEIR_MESSAGE_USER);
        EXPECT(weir_receive(WAIT_MS, &message) == 0 && message.kind == WEIR_MESSAGE_DOWN);
    }
    return 0;
}

/* What it has posted comes before its end. */
Test(process, is_told_of_an_end_behind_the_last_message)
{
    struct loopback loopback = loopback_start(&two_schedulers);
    RUNS(&loopback, wait_for_its_end, &loopback);
    loopback_close(&loopback);
}

/* Takes no notice of it. */
static int sleep_again_and_again(void *data)
{
    atomic_uint *count = data;
    while (atomic_load(count) < 1000) {
        atomic_fetch_add(count, 1);
        (void)!weir_sleep(WEIR_INFINITY);
    }
    return 0;
}

Test(process, a_kill_ends_its_wait)
{
    struct loopback loopback = loopback_start(NULL);
    weir_process_function *waits[] = {wait_for_ever, sleep_for_ever};
    for (size_t i = 0; i < 2; i++) {
        weir_process process = spawn_on(&loopback, 0, waits[i], NULL);
        GIVES(weir_monitor(process, loopback.mailbox, NULL), 0);
        GIVES(weir_kill(process), 0);
        cr_assert(reason_of(&loopback, process) == WEIR_KILLED);
        GIVES(weir_kill(process), 0);
    }
    loopback_close(&loopback);
}

Test(process, who_is_killed_and_waits_again_does_not_come_back)
{
    struct loopback loopback = loopback_start(NULL);
    atomic_uint count = 0;
    weir_process process = spawn_on(&loopback, 0, sleep_again_and_again, &count);
    GIVES(weir_monitor(process, loopback.mailbox, NULL), 0);
    EVENTUALLY(atomic_load(&count) == 1);
    GIVES(weir_kill(process), 0);
    cr_assert(reason_of(&loopback, process) == WEIR_KILLED);
    cr_assert(atomic_load(&count) == 2);
    loopback_close(&loopback);
}

struct told {
    atomic_uint count;
    int reason;
    weir_process process;
};

static void note_end(weir_process process, int reason, void *data)
{
    struct told *told = data;
    told->reason = reason;
    told->process = process;
    atomic_fetch_add(&told->count, 1);
}

static int spawn_and_kill(void *data)
{
    struct told *told = data;
    const weir_process_options options = {.ended = note_end, .name = "never begun"};
    weir_process process;
    EXPECT(weir_spawn((weir_runtime *)(uintptr_t)told->process.id, WEIR_ANY_SCHEDULER,
                      sleep_again_and_again, told, &options, &process) == 0);
    EXPECT(weir_kill(process) == 0);
    while (atomic_load(&told->count) == 0)
        EXPECT(weir_sleep(0) == 0);
    EXPECT(told->process.id == process.id && told->reason == WEIR_KILLED);
    return 0;
}

Test(process, one_that_is_killed_before_it_began_never_does)
{
    struct loopback loopback = loopback_start(NULL);
    struct told told = {.process = {(uintptr_t)loopback.runtime}};
    RUNS(&loopback, spawn_and_kill, &told);
    cr_assert(atomic_load(&told.count) == 1);
    loopback_close(&loopback);
}

Test(process, a_stop_ends_those_that_wait_and_those_that_are_ready)
{
    enum { COUNT = 1000 };
    struct loopback loopback = loopback_start(&two_schedulers);
    struct told told = {.count = 0};
    const weir_process_options options = {.ended = note_end};
    for (int i = 0; i < COUNT; i++)
        GIVES(weir_spawn(loopback.runtime, i % 2, i % 3 ? wait_for_ever : sleep_for_ever, &told,
                         &options, NULL),
              0);
    loopback_close(&loopback);
    cr_assert(atomic_load(&told.count) == COUNT);
}

Test(process, an_ended_one_is_noproc_and_takes_nothing)
{
    struct loopback loopback = loopback_start(NULL);
    int reason = 5;
    weir_process process = spawn_on(&loopback, 0, return_it, &reason);
    GIVES(weir_monitor(process, loopback.mailbox, &reason), 0);
    (void)reason_of(&loopback, process);
    GIVES(weir_monitor(process, loopback.mailbox, &reason), 0);
    weir_message message = next_message(loopback.mailbox);
    cr_assert(message.kind == WEIR_MESSAGE_DOWN && message.error == WEIR_NOPROC);
    cr_assert(message.process.id == process.id && message.data == &reason);
    weir_process nobody = {0};
    cr_assert(weir_post(nobody, NULL) == WEIR_CLOSED);
    loopback_close(&loopback);
}

Test(process, a_monitor_can_be_taken_back)
{
    struct loopback loopback = loopback_start(NULL);
    weir_process process = spawn_on(&loopback, 0, wait_for_ever, NULL);
    int first, second;
    GIVES(weir_monitor(process, loopback.mailbox, &first), 0);
    GIVES(weir_monitor(process, loopback.mailbox, &second), 0);
    GIVES(weir_demonitor(process, loopback.mailbox, &first), 0);
    GIVES(weir_kill(process), 0);
    weir_message message = next_message(loopback.mailbox);
    cr_assert(message.data == &second && message.error == WEIR_KILLED);
    cr_assert(weir_mailbox_receive(loopback.mailbox, 0, &message) == WEIR_TIMEOUT);
    GIVES(weir_monitor(process, loopback.mailbox, &first), 0);
    cr_assert(weir_mailbox_count(loopback.mailbox) == 1);
    GIVES(weir_demonitor(process, loopback.mailbox, &first), 0);
    cr_assert(weir_mailbox_count(loopback.mailbox) == 0);
    cr_assert(weir_monitor(process, NULL, NULL) == -EINVAL);
    loopback_close(&loopback);
}

static int watch_and_leave(void *data)
{
    return weir_monitor(*(weir_process *)data, NULL, NULL);
}

/* Those who watch one that lives on are forgotten when they end. */
Test(process, who_watches_and_ends_leaves_nothing_behind)
{
    struct loopback loopback = loopback_start(NULL);
    weir_process process = spawn_on(&loopback, 0, wait_for_ever, NULL);
    int64_t most = memory_live_count() + 100;
    for (int i = 0; i < 1000; i++)
        RUNS(&loopback, watch_and_leave, &process);
    cr_assert(memory_live_count() < most, "%ld blocks", (long)memory_live_count());
    loopback_close(&loopback);
}

static int take_of_shared(void *data)
{
    weir_mailbox *mailbox = data;
    weir_message message;
    return weir_mailbox_receive(mailbox, WAIT_MS, &message);
}

/* Processes and a thread that wait for one mailbox: each message is one's. */
Test(process, shares_a_mailbox_with_threads)
{
    enum { COUNT = 8 };
    struct loopback loopback = loopback_start(&two_schedulers);
    weir_process processes[COUNT];
    weir_mailbox *shared;
    GIVES(weir_mailbox_create(&shared), 0);
    for (int i = 0; i < COUNT; i++) {
        processes[i] = spawn_on(&loopback, i % 2, take_of_shared, shared);
        GIVES(weir_monitor(processes[i], loopback.mailbox, NULL), 0);
    }
    for (int i = 0; i < COUNT; i++)
        GIVES(weir_mailbox_post(shared, NULL), 0);
    for (int i = 0; i < COUNT; i++)
        cr_assert(next_message(loopback.mailbox).error == 0);
    weir_mailbox_destroy(shared);
    loopback_close(&loopback);
}

/* One of two that wait is killed when it has been called: the other takes the message. */
Test(process, a_message_for_one_that_is_killed_is_anothers)
{
    struct loopback loopback = loopback_start(NULL);
    weir_mailbox *shared;
    GIVES(weir_mailbox_create(&shared), 0);
    for (int i = 0; i < 200; i++) {
        weir_process first = spawn_on(&loopback, 0, take_of_shared, shared);
        weir_process second = spawn_on(&loopback, 0, take_of_shared, shared);
        GIVES(weir_monitor(first, loopback.mailbox, NULL), 0);
        GIVES(weir_monitor(second, loopback.mailbox, NULL), 0);
        GIVES(weir_kill(first), 0);
        GIVES(weir_mailbox_post(shared, NULL), 0);
        GIVES(weir_mailbox_post(shared, NULL), 0);
        for (int end = 0; end < 2; end++) {
            weir_message message = next_message(loopback.mailbox);
            cr_assert(message.error == 0 || message.process.id == first.id);
        }
        weir_message message;
        while (weir_mailbox_receive(shared, 0, &message) == 0)
            continue;
    }
    weir_mailbox_destroy(shared);
    loopback_close(&loopback);
}

static int post_to_itself(void *data)
{
    atomic_uint *stop = data;
    weir_message message;
    while (atomic_load(stop) == 0) {
        EXPECT(weir_post(weir_self(), NULL) == 0);
        EXPECT(weir_receive(WEIR_INFINITY, &message) == 0);
    }
    return 0;
}

/* It never has to wait, and its scheduler goes on all the same. */
Test(process, one_that_never_waits_lets_others_go_on)
{
    struct loopback loopback = loopback_start(NULL);
    atomic_uint stop = 0;
    weir_process process = spawn_on(&loopback, 0, post_to_itself, &stop);
    GIVES(weir_monitor(process, loopback.mailbox, NULL), 0);
    weir_socket listener = listen_with(loopback.runtime, "[]");
    cr_assert(weir_port(listener) > 0);
    int reason = 3;
    cr_assert(run_process_on(&loopback, 0, return_it, &reason) == 3);
    atomic_store(&stop, 1);
    cr_assert(reason_of(&loopback, process) == 0);
    loopback_close(&loopback);
}

Test(process, what_cannot_be_spawned)
{
    struct loopback loopback = loopback_start(NULL);
    weir_runtime *runtime = loopback.runtime;
    weir_process_options small = {.stack_bytes = 100};
    weir_process_options large = {.stack_bytes = (size_t)2 << 30};
    weir_process_options later = {.reserved = {1}};
    cr_assert(weir_spawn(runtime, 1, return_it, NULL, NULL, NULL) == -EINVAL);
    cr_assert(weir_spawn(runtime, -2, return_it, NULL, NULL, NULL) == -EINVAL);
    cr_assert(weir_spawn(runtime, 0, NULL, NULL, NULL, NULL) == -EINVAL);
    cr_assert(weir_spawn(runtime, 0, return_it, NULL, &small, NULL) == -EINVAL);
    cr_assert(strstr(weir_last_error_text(), "stack of 100 bytes"));
    cr_assert(weir_spawn(runtime, 0, return_it, NULL, &large, NULL) == -EINVAL);
    cr_assert(weir_spawn(runtime, 0, return_it, NULL, &later, NULL) == -EINVAL);
    loopback_close(&loopback);
    cr_assert(weir_spawn(runtime, 0, return_it, NULL, NULL, NULL) == WEIR_CLOSED);
}

static void wait_in_callback(void *data)
{
    int *results = data;
    weir_message message;
    results[0] = weir_sleep(1);
    results[1] = weir_receive(1, &message);
    results[2] = (int)weir_self().id;
}

Test(process, a_callback_is_none_and_does_not_wait)
{
    struct loopback loopback = loopback_start(NULL);
    int results[3];
    run_there(loopback.runtime, 0, wait_in_callback, results);
    cr_assert(results[0] == -EDEADLK && results[1] == -EINVAL && results[2] == 0);
    loopback_close(&loopback);
}

static struct sigaction of_faults(void)
{
    struct sigaction action;
    cr_assert(sigaction(SIGSEGV, NULL, &action) == 0);
    return action;
}

static void expect_the_programs_own(void (*begin)(void), struct sigaction expected)
{
    int reason = 0;
    struct loopback first = loopback_start(NULL);
    cr_assert(run_process_on(&first, 0, return_it, &reason) == 0);
    struct loopback second = {.mailbox = first.mailbox};
    GIVES(weir_start(&second.runtime, &(weir_config){.schedulers = 1}), 0);
    cr_assert(run_process_on(&second, 0, return_it, &reason) == 0);
    struct sigaction ours = of_faults();
    cr_assert(ours.sa_sigaction != expected.sa_sigaction);
    GIVES(weir_stop(second.runtime), 0);
    cr_expect(of_faults().sa_sigaction == ours.sa_sigaction, "another's end takes it away");
    begin();
    loopback_close(&first);
    cr_expect(of_faults().sa_sigaction == expected.sa_sigaction);
}

static void leave_it(void)
{
}

static void fault(int number)
{
    _Exit(number);
}

static void take_it(void)
{
    (void)signal(SIGSEGV, fault);
}

/* What a program does about its faults is the program's again, unless it has changed meanwhile. */
Test(process, faults_are_the_programs_when_the_last_scheduler_ends)
{
    struct sigaction before = of_faults();
    expect_the_programs_own(leave_it, before);
    expect_the_programs_own(take_it, (struct sigaction){.sa_handler = fault});
    sigaction(SIGSEGV, &before, NULL);
}
