/* SPDX-License-Identifier: MIT */
/* Processes of a scheduler that is turned by hand: whose turn it is, and how they end. */
#include "runtime/process/process.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/scheduler.h"

enum { A_TURN = 256 };

static weir_runtime *runtime;
static struct scheduler *scheduler;
static int trims;

void __wrap_memory_trim(void);
void __wrap_ring_turn(struct ring *ring, uint64_t timeout_ns);
void __real_ring_turn(struct ring *ring, uint64_t timeout_ns);

void __wrap_memory_trim(void)
{
    trims++;
}

static uint64_t slept_ns;

void __wrap_ring_turn(struct ring *ring, uint64_t timeout_ns)
{
    slept_ns = timeout_ns;
    __real_ring_turn(ring, 0);
}

static void begin(void)
{
    const weir_config config = {.schedulers = 1};
    cr_assert_eq(runtime_create(&runtime, &config), 0);
    scheduler = runtime->schedulers[0];
    cr_assert_eq(scheduler_open(scheduler), 0);
    scheduler_turn(scheduler);
}

static void end(void)
{
    for (int turns = 0; scheduler->slots.used_count > 0 && turns < 10; turns++)
        scheduler_turn(scheduler);
    cr_expect_eq(processes_of(scheduler)->count, 0u);
    scheduler_close(scheduler);
    runtime_free(runtime);
    cr_expect_eq(memory_live_count(), 0);
}

static int ran;
static int ended;
static int reason;
static weir_process ended_process;

static int run(void *data)
{
    cr_expect(data == &ran && scheduler->waiter);
    cr_expect_str_eq(weir_last_error_text(), "");
    error_set_text("of another process");
    ran++;
    return 7;
}

static void note_ended(weir_process process, int why, void *data)
{
    cr_expect(data == &ran && !process_find(scheduler, process));
    cr_expect_null(scheduler->waiter);
    ended_process = process;
    reason = why;
    ended++;
}

static struct process_plan plan = {.run = run, .data = &ran, .options.ended = note_ended};

static struct process *spawn(void)
{
    struct process *process;
    cr_assert_eq(process_spawn(scheduler, &plan, &process), 0);
    cr_expect_eq(process_find(scheduler, process->handle), process);
    return process;
}

Test(process, runs_from_the_turn_and_ends)
{
    begin();
    weir_process handle = spawn()->handle;
    cr_expect_eq(ran, 0);
    cr_expect(processes_of(scheduler)->count == 1 && processes_of(scheduler)->peak_count == 1);
    scheduler_turn(scheduler);
    cr_expect(ran == 1 && ended == 1 && reason == 7 && ended_process.id == handle.id);
    cr_expect_null(processes_of(scheduler)->running);
    plan.options.ended = NULL;
    (void)spawn();
    scheduler_turn(scheduler);
    cr_expect(ran == 2 && ended == 1);
    cr_expect_eq(processes_of(scheduler)->peak_count, 1u);
    end();
}

/* So many go on in one turn; those behind them in the next. */
Test(process, many_take_turns)
{
    enum { MANY = 2 * A_TURN + 10 };
    begin();
    for (int i = 0; i < MANY; i++)
        (void)spawn();
    scheduler_turn(scheduler);
    cr_expect(ran == A_TURN && slept_ns == 0, "%d", ran);
    scheduler_turn(scheduler);
    cr_expect(ran == 2 * A_TURN && slept_ns == 0, "%d", ran);
    scheduler_turn(scheduler);
    cr_expect(ran == MANY && slept_ns > 0, "%d", ran);
    for (int i = 0; i < A_TURN; i++)
        (void)spawn();
    scheduler_turn(scheduler);
    cr_expect_eq(ran, MANY + A_TURN, "each turn counts anew");
    end();
}

static int spawn_another(void *data)
{
    (void)data;
    if (++ran < A_TURN + 10)
        (void)spawn();
    return 0;
}

/* Who becomes ready in a turn goes on in it, up to so many. */
Test(process, one_leads_to_another)
{
    begin();
    plan.run = spawn_another;
    (void)spawn();
    int before = 0;
    for (int turns = 0; ran < A_TURN + 10; turns++) {
        cr_assert_lt(turns, A_TURN + 10);
        scheduler_turn(scheduler);
        cr_assert(ran > before && ran <= before + A_TURN);
        before = ran;
    }
    end();
}

static int spawn_one_more(void *data)
{
    (void)data;
    if (++ran <= A_TURN - 56)
        (void)spawn();
    return 0;
}

/* Not so many each time that somebody looks. */
Test(process, those_that_begin_amid_a_turn_count_too)
{
    begin();
    plan.run = spawn_one_more;
    for (int i = 0; i < A_TURN - 56; i++)
        (void)spawn();
    scheduler_turn(scheduler);
    cr_expect_eq(ran, A_TURN, "%d", ran);
    scheduler_turn(scheduler);
    cr_expect_eq(ran, 2 * (A_TURN - 56), "%d", ran);
    end();
}

static void spawn_many(struct timer *timer)
{
    (void)timer;
    for (int i = 0; i < A_TURN - 56; i++)
        (void)spawn();
}

Test(process, those_of_the_end_of_a_turn_count_too)
{
    struct timer timer = {.fire = spawn_many};
    begin();
    spawn_many(&timer);
    timer_arm(&scheduler->timers, &timer, 0);
    scheduler_turn(scheduler);
    cr_expect(ran == A_TURN && slept_ns == 0, "%d", ran);
    scheduler_turn(scheduler);
    cr_expect_eq(ran, 2 * (A_TURN - 56), "%d", ran);
    end();
}

static struct process *killed;

static void note_state(weir_process process, int why, void *data)
{
    note_ended(process, why, data);
    cr_expect_eq(killed->state, PROCESS_ENDED);
}

Test(process, that_is_killed_before_it_begins_never_does)
{
    begin();
    plan.options.ended = note_state;
    killed = spawn();
    process_kill(killed);
    scheduler_turn(scheduler);
    cr_expect(ran == 0 && ended == 1 && reason == WEIR_KILLED);
    end();
}

static int receive(void *data)
{
    weir_message message;
    (void)data;
    ran++;
    int result = weir_mailbox_receive(scheduler->waiter->mailbox, WEIR_INFINITY, &message);
    cr_expect_eq(result, WEIR_KILLED);
    ran++;
    return 5;
}

/* What it gives back when it has been told is not why it ended. */
Test(process, that_is_killed_ends_soon)
{
    begin();
    plan.run = receive;
    struct process *process = spawn();
    scheduler_turn(scheduler);
    cr_expect(ran == 1 && ended == 0 && process->state == PROCESS_WAITING);
    process_kill(process);
    process_kill(process);
    scheduler_turn(scheduler);
    scheduler_turn(scheduler);
    cr_expect(ran == 2 && ended == 1 && reason == WEIR_KILLED);
    end();
}

/* Its memory stays until it has come where it was called to. */
Test(process, that_ends_while_a_message_calls_it_is_freed_when_it_arrives)
{
    begin();
    plan.run = receive;
    struct process *process = spawn();
    weir_mailbox *mailbox = process->mailbox;
    scheduler_turn(scheduler);
    cr_assert(process->state == PROCESS_WAITING);
    scheduler_become(NULL); /* as another thread */
    cr_assert_eq(weir_mailbox_post(mailbox, NULL), 0);
    scheduler_become(scheduler);
    process_kill(process);
    scheduler_do_soon(scheduler);
    scheduler_do_soon(scheduler);
    cr_expect(ended == 1 && reason == WEIR_KILLED);
    cr_expect_eq(scheduler->slots.used_count, 1u);
    slot_end(scheduler, process->slot, END_STOP);
    cr_expect(task_queue_is_empty(&scheduler->tasks, TASK_SOON), "it has ended already");
    scheduler_turn(scheduler);
    cr_expect_eq(scheduler->slots.used_count, 0u);
    end();
}

/* Nobody owns it, and a drain lets it go on. */
Test(process, ends_with_its_runtime_only)
{
    static const struct {
        enum ending ending;
        bool kills;
    } rows[] = {{END_CLOSED, false},
                {END_OWNER_DIED, false},
                {END_DRAIN, false},
                {END_STOP, true},
                {END_ABORT, true}};
    begin();
    plan.run = receive;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct process *process = spawn();
        scheduler_turn(scheduler);
        ended = 0;
        slot_end(scheduler, process->slot, rows[i].ending);
        scheduler_turn(scheduler);
        scheduler_turn(scheduler);
        cr_expect_eq(ended, rows[i].kills, "row %zu", i);
        if (!ended)
            process_kill(process);
        scheduler_turn(scheduler);
    }
    end();
}

/* It ends before it could be told. */
static int kill_itself(void *data)
{
    (void)data;
    process_kill(process_of(slot_find(scheduler, (weir_socket){weir_self().id})));
    return 3;
}

static void expect_nothing_due(weir_process process, int why, void *data)
{
    note_ended(process, why, data);
    cr_expect(task_queue_is_empty(&scheduler->tasks, TASK_SOON));
}

Test(process, that_ends_before_it_is_killed_is_not_told)
{
    begin();
    plan.run = kill_itself;
    plan.options.ended = expect_nothing_due;
    (void)spawn();
    scheduler_turn(scheduler);
    cr_expect(ended == 1 && reason == 3);
    end();
}

static int slow_count;

static int run_long(void *data)
{
    (void)data;
    for (uint64_t until_ns = clock_now_ns() + 2000; clock_now_ns() < until_ns;)
        continue;
    return 0;
}

static int serve_long(weir_socket socket, void *data)
{
    cr_expect_eq(socket.id, 99u);
    return run_long(data);
}

static void end_long(weir_process process, int why, void *data)
{
    (void)process;
    (void)why;
    (void)run_long(data);
}

static void tell_slow(const weir_slow_callback *slow)
{
    static void *const expected[] = {(void *)run_long, (void *)end_long, (void *)serve_long,
                                     (void *)end_long};
    cr_expect_eq((void *)slow->function, expected[slow_count++ % 4]);
}

Test(process, may_be_slow)
{
    begin();
    runtime->limits.slow_callback_ns = 1000;
    runtime->limits.slow_callback = tell_slow;
    plan.run = run_long;
    plan.options.ended = end_long;
    (void)spawn();
    scheduler_turn(scheduler);
    plan.serve = serve_long;
    plan.socket.id = 99;
    (void)spawn();
    scheduler_turn(scheduler);
    cr_expect_eq(slow_count, 4);
    end();
}

/* Without memory for what else it needs, so that nobody maps the largest. */
static const struct {
    size_t size;
    int result;
} sizes[] = {
    {STACK_BYTES_LEAST - 1, -EINVAL},
    {STACK_BYTES_LEAST, -ENOMEM},
    {STACK_BYTES_MOST, -ENOMEM},
    {STACK_BYTES_MOST + 1ull, -EINVAL},
};

Test(process, has_a_stack_and_a_name)
{
    struct process *process;
    begin();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        plan.options.stack_bytes = sizes[i].size;
        memory_fail_nth(2);
        cr_expect_eq(process_spawn(scheduler, &plan, &process), sizes[i].result, "row %zu", i);
        memory_fail_nth(0);
    }
    plan.options.stack_bytes = STACK_BYTES_LEAST;
    plan.options.name = "a name of more than 31 characters";
    cr_expect_str_eq(spawn()->name, "a name of more than 31 characte");
    plan.options.name = NULL;
    cr_expect_str_eq(spawn()->name, "");
    scheduler->state = SCHEDULER_STOPPING;
    cr_expect_eq(process_spawn(scheduler, &plan, &process), WEIR_CLOSED);
    scheduler->state = SCHEDULER_RUNNING;
    end();
}

Test(process, needs_memory)
{
    struct process *process;
    begin();
    (void)spawn(); /* what they have in common is there */
    scheduler_turn(scheduler);
    int64_t before = memory_live_count();
    int result = -ENOMEM;
    uint64_t nth = 1;
    for (; result == -ENOMEM; nth++) {
        cr_expect_eq(memory_live_count(), before, "nth %lu", nth);
        memory_fail_nth(nth);
        result = process_spawn(scheduler, &plan, &process);
        memory_fail_nth(0);
    }
    cr_expect(result == 0 && nth > 2);
    end();
}

/* An eighth of very many is left. */
Test(process, memory_is_returned_a_while_after_a_flood)
{
    static const struct {
        uint32_t peak;
        uint32_t left;
        bool returns;
    } floods[] = {{4096, 512, true}, {4096, 513, false}, {4095, 0, false}};
    for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
        begin();
        struct processes *processes = processes_of(scheduler);
        trims = 0;
        (void)spawn();
        processes->peak_count = floods[i].peak;
        processes->count = floods[i].left + 1;
        scheduler_turn(scheduler);
        cr_expect_eq(processes->return_memory.armed, floods[i].returns, "row %zu", i);
        timer_disarm(&scheduler->timers, &processes->return_memory);
        for (int round = 0; round < 2; round++) {
            processes->return_memory.fire(&processes->return_memory);
            cr_expect_eq(trims, floods[i].returns, "row %zu", i);
        }
        cr_expect_eq(processes->peak_count, floods[i].returns ? floods[i].left : floods[i].peak);
        processes->count = 0;
        end();
    }
}
