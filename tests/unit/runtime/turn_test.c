/* SPDX-License-Identifier: MIT */
/* One turn, by hand and by a clock that stands still: what comes before what, how long it sleeps,
 * and what it gives back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "runtime/kinds.h"
#include "runtime/ring/features.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

enum { OPERATION = OPERATION_OF_KIND(KIND_WATCH, 0), MS = 1000000 };

static weir_runtime *runtime;
static struct scheduler *scheduler;
static char log_[64];
static int trims;

void __wrap_memory_trim(void);
uint64_t __wrap_clock_now_ns(void);
void __wrap_ring_turn(struct ring *ring, uint64_t timeout_ns);
void __real_ring_turn(struct ring *ring, uint64_t timeout_ns);

void __wrap_memory_trim(void)
{
    trims++;
}

static uint64_t now_ns = 1000ull * 1000 * MS;
static uint64_t step_ns;         /* between two looks at the clock */
static int looks;                /* so many, and then */
static void (*in_between)(void); /* this happens */

uint64_t __wrap_clock_now_ns(void)
{
    if (in_between && --looks == 0)
        in_between();
    now_ns += step_ns;
    return now_ns;
}

/* How long the kernel was to wait; it does not. */
static uint64_t slept_ns;
static bool was_asleep;
static uint32_t pending;

void __wrap_ring_turn(struct ring *ring, uint64_t timeout_ns)
{
    slept_ns = timeout_ns;
    was_asleep = atomic_load(&scheduler->inbox.sleeping);
    pending = ring_pending(ring);
    __real_ring_turn(ring, 0);
}

static uint64_t overflows;
struct ring_counters __wrap_ring_get_counters(const struct ring *ring);
struct ring_counters __real_ring_get_counters(const struct ring *ring);

struct ring_counters __wrap_ring_get_counters(const struct ring *ring)
{
    struct ring_counters counters = __real_ring_get_counters(ring);
    counters.overflows += overflows;
    return counters;
}

static void note(char what)
{
    log_[strlen(log_)] = what;
}

static void expect_log(const char *letters)
{
    cr_expect_str_eq(log_, letters);
    memset(log_, 0, sizeof(log_));
}

struct letter {
    struct task task;
    struct inbox_node node;
    struct timer timer;
    char what;
    struct letter *adds; /* to be done soon */
};

static void note_task(struct scheduler *where, struct task *task)
{
    struct letter *letter = list_entry(task, struct letter, task);
    note(letter->what);
    if (letter->adds)
        task_add(&where->tasks, TASK_SOON, &letter->adds->task);
}

static void note_node(struct scheduler *where, struct inbox_node *node)
{
    note('i');
    note_task(where, &list_entry(node, struct letter, node)->task);
}

static void note_timer(struct timer *timer)
{
    note_task(scheduler, &list_entry(timer, struct letter, timer)->task);
}

static struct letter letter_of(char what)
{
    struct letter letter = {.node.run = note_node, .timer.fire = note_timer, .what = what};
    return letter;
}

static void queue(struct letter *letter, enum task_queue where)
{
    task_init(&letter->task, note_task);
    task_add(&scheduler->tasks, where, &letter->task);
}

static struct letter *added_by_completion;

static void completed(struct scheduler *where, struct slot *slot,
                      const struct ring_completion *completion)
{
    (void)slot;
    cr_expect_eq(completion->result, -ENOENT);
    cr_expect_str_eq(weir_last_error_text(), "");
    note('c');
    if (added_by_completion)
        task_add(&where->tasks, TASK_SOON, &added_by_completion->task);
}

static void fetch(const struct slot *slot, enum fetch what)
{
    (void)slot;
    (void)what;
    note('f');
}

static enum ending ended;
static int end_count;

static void end_it(struct scheduler *where, struct slot *slot, enum ending ending)
{
    (void)where;
    (void)slot;
    ended = ending;
    end_count++;
}

static const struct kind row = {.operations[0] = {.completed = completed, .fetch = fetch},
                                .end = end_it};
static const struct kind *const rows[KIND_COUNT] = {[KIND_WATCH] = &row};
static struct slot *slot;

static void begin_with(uint32_t budget)
{
    const weir_config config = {.schedulers = 1, .completion_budget = budget};
    cr_assert_eq(runtime_create(&runtime, &config), 0);
    scheduler = runtime->schedulers[0];
    cr_assert_eq(scheduler_open(scheduler), 0);
    scheduler->kinds = rows;
    slot = slot_create(scheduler, KIND_WATCH, -1, WEIR_INET);
    slot_move(slot, SOCKET_ESTABLISH);
    scheduler_turn(scheduler);
}

static void begin(void)
{
    begin_with(0);
}

static void close_(void)
{
    cr_expect_eq(scheduler->totals.stale_completions, 0u);
    slot_move(slot, SOCKET_CLOSE);
    slot->pending = 0;
    slot_settle(scheduler, slot);
    scheduler->kinds = runtime_kinds;
    scheduler_close(scheduler);
}

static void end(void)
{
    close_();
    runtime_free(runtime);
}

/* Operations that are over as soon as they are submitted. */
static void operate(int count)
{
    for (int i = 0; i < count; i++) {
        slot_hold(slot);
        ring_cancel(scheduler->ring, slot_operation(slot, OPERATION), 1);
    }
}

Test(turn, has_its_order)
{
    struct letter letters[] = {letter_of('0'), letter_of('1'), letter_of('2'),
                               letter_of('3'), letter_of('4'), letter_of('5'),
                               letter_of('6'), letter_of('7'), letter_of('8')};
    begin();
    operate(2);
    queue(&letters[0], TASK_SUBMITTED);
    scheduler_turn(scheduler);
    expect_log("");
    letters[1].adds = &letters[2];
    task_init(&letters[2].task, note_task);
    inbox_post(&scheduler->inbox, &letters[1].node);
    added_by_completion = &letters[3];
    task_init(&letters[3].task, note_task);
    letters[4].adds = &letters[5];
    letters[5].adds = &letters[6];
    task_init(&letters[5].task, note_task);
    task_init(&letters[6].task, note_task);
    timer_arm(&scheduler->timers, &letters[4].timer, 0);
    queue(&letters[7], TASK_LAST);
    queue(&letters[8], TASK_WITH_BUFFERS);
    scheduler_turn(scheduler);
    expect_log("i12c3c304"
               "5678");
    end();
}

/* No more than the budget, and the others in the next turn. */
Test(turn, has_a_budget)
{
    enum { BUDGET = 3 };
    begin_with(BUDGET);
    uint64_t before = scheduler->totals.completions;
    operate(BUDGET + 1);
    scheduler_turn(scheduler);
    scheduler_turn(scheduler);
    expect_log("fccc");
    cr_expect(scheduler->turn_clock.has_left_some && scheduler->last_count == BUDGET);
    scheduler_turn(scheduler);
    expect_log("c");
    cr_expect(!scheduler->turn_clock.has_left_some && scheduler->last_count == 1);
    cr_expect_eq(scheduler->totals.completions, before + BUDGET + 1);
    operate(BUDGET);
    scheduler_turn(scheduler);
    scheduler_turn(scheduler);
    expect_log("fccc");
    cr_expect(!scheduler->turn_clock.has_left_some, "just so many");
    scheduler_turn(scheduler);
    cr_expect_eq(scheduler->last_count, 0);
    end();
}

Test(turn, is_counted)
{
    begin();
    uint64_t turns = scheduler->totals.turns;
    uint64_t calls = ring_get_counters(scheduler->ring).system_calls;
    uint64_t clocked = scheduler->turn_clock.times.turns.count;
    overflows = 3;
    operate(1);
    scheduler_turn(scheduler);
    scheduler_turn(scheduler);
    cr_expect_eq(scheduler->published.completion_overflows, 3u);
    cr_expect_eq(scheduler->published.turns, turns + 2);
    cr_expect_eq(scheduler->published.system_calls, calls + 1);
    cr_expect_eq(scheduler->turn_clock.times.turns.count, clocked + 2);
    uint64_t waits = scheduler->turn_clock.times.waits.count;
    cr_expect_geq(waits, 1u);
    scheduler_turn(scheduler);
    cr_expect_eq(scheduler->turn_clock.times.waits.count, waits, "nothing has come");
    end();
}

/* What had come before it looked has waited since it looked before; else nothing has. */
Test(turn, knows_since_when_completions_may_wait)
{
    begin();
    scheduler_turn(scheduler);
    cr_expect_eq(scheduler->turn_clock.waiting_from_ns, 0u);
    operate(1);
    scheduler_submit(scheduler);
    cr_assert(ring_has_work(scheduler->ring));
    scheduler_turn(scheduler);
    cr_expect_eq(scheduler->turn_clock.waiting_from_ns, 0u, "it was taken in this turn");
    added_by_completion = NULL;
    operate(2);
    scheduler_submit(scheduler);
    runtime->limits.completion_budget = 1;
    scheduler_turn(scheduler);
    cr_expect_eq(scheduler->turn_clock.waiting_from_ns, scheduler->now_ns);
    end();
}

/* Each of these keeps it awake. */
Test(turn, does_not_sleep_while_something_is_due)
{
    static const enum task_queue queues[] = {TASK_SOON, TASK_LAST, TASK_SUBMITTED};
    struct letter letter = letter_of('x');
    begin();
    scheduler_turn(scheduler);
    cr_expect_eq(slept_ns, UINT64_MAX);
    cr_expect(was_asleep && !atomic_load(&scheduler->inbox.sleeping));
    cr_expect(!scheduler_has_due_tasks(scheduler));
    for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
        queue(&letter, queues[i]);
        cr_expect(scheduler_has_due_tasks(scheduler), "queue %d", (int)queues[i]);
        task_remove(&letter.task);
    }
    queue(&letter, TASK_SUBMITTED);
    scheduler_turn(scheduler);
    cr_expect(slept_ns == 0 && !was_asleep);
    scheduler_turn(scheduler);
    expect_log("x");
    end();
}

Test(turn, serves_who_waits_for_buffers_when_there_are_some)
{
    struct letter letter = letter_of('b');
    begin();
    struct buffer_pool *pool = scheduler->buffers;
    uint32_t away = pool->away;
    buffer_pool_miss(pool);
    uint32_t crowded_turns = pool->crowded_turns;
    pool->away = pool->count;
    queue(&letter, TASK_WITH_BUFFERS);
    cr_expect(!scheduler_has_due_tasks(scheduler));
    scheduler_turn(scheduler);
    expect_log("");
    cr_expect_eq(slept_ns, UINT64_MAX);
    cr_expect_eq(pool->crowded_turns, crowded_turns - 1, "the kernel has been supplied");
    pool->away = away;
    cr_expect(scheduler_has_due_tasks(scheduler));
    scheduler_turn(scheduler);
    expect_log("b");
    end();
}

Test(turn, serves_who_waits_for_a_descriptor_when_one_was_closed)
{
    struct letter letter = letter_of('d');
    begin();
    queue(&letter, TASK_WITH_DESCRIPTORS);
    cr_expect(!scheduler_has_due_tasks(scheduler));
    scheduler_turn(scheduler);
    expect_log("");
    cr_expect_eq(slept_ns, UINT64_MAX);
    scheduler_descriptor_closed(scheduler);
    cr_expect(scheduler_has_due_tasks(scheduler));
    scheduler_turn(scheduler);
    expect_log("d");
    cr_expect(!scheduler->descriptor_closed);
    scheduler_descriptor_closed(scheduler);
    cr_expect(!scheduler_has_due_tasks(scheduler), "nobody waits for one");
    end();
}

static struct letter late;

static void post_late(void)
{
    inbox_post(&scheduler->inbox, &late.node);
}

static void post_from_task(struct scheduler *where, struct task *task)
{
    (void)where;
    (void)task;
    post_late();
}

static struct weir_buffer *lent;

static void return_buffer(void)
{
    struct scheduler *here = scheduler;
    scheduler_become(NULL); /* as another thread */
    buffer_release(lent);
    scheduler_become(here);
}

/* What comes before it sleeps, and what comes when it has looked whether anything has. */
Test(turn, does_not_sleep_on_what_has_come)
{
    enum { BEFORE_IT_SLEEPS = 3 };
    struct letter timer = letter_of('t');
    struct task task;
    begin();
    late = letter_of('l');
    task_init(&task, post_from_task);
    task_add(&scheduler->tasks, TASK_LAST, &task);
    scheduler_turn(scheduler);
    cr_expect(slept_ns == 0 && !was_asleep);
    scheduler_arm(scheduler, &timer.timer, 40);
    in_between = post_late;
    looks = BEFORE_IT_SLEEPS;
    scheduler_turn(scheduler);
    expect_log("il");
    cr_expect(slept_ns == 0 && !was_asleep);
    scheduler_turn(scheduler);
    expect_log("il");
    lent = buffer_pool_take(scheduler->buffers);
    buffer_keep(lent);
    buffer_dispatched(lent);
    in_between = return_buffer;
    looks = BEFORE_IT_SLEEPS;
    scheduler_turn(scheduler);
    cr_expect_eq(slept_ns, 0u);
    cr_expect_eq(scheduler->buffers->lent, 1);
    scheduler_turn(scheduler);
    cr_expect(slept_ns == 41 * MS && scheduler->buffers->lent == 0);
    timer_disarm(&scheduler->timers, &timer.timer);
    end();
}

Test(turn, sleeps_until_a_timer_is_due)
{
    struct letter letter = letter_of('t');
    begin();
    now_ns += MS - 1;
    scheduler_arm(scheduler, &letter.timer, 40);
    cr_expect_eq(letter.timer.expiry_ms, now_ns / MS + 41);
    scheduler_turn(scheduler);
    cr_expect_eq(slept_ns, 40 * MS + 1);
    scheduler->state = SCHEDULER_STOPPING;
    scheduler_turn(scheduler);
    cr_expect_eq(slept_ns, MS, "who stops looks again soon");
    now_ns += 40 * MS;
    scheduler_turn(scheduler);
    cr_expect_eq(slept_ns, 1u);
    scheduler->state = SCHEDULER_RUNNING;
    now_ns -= 2;
    step_ns = 1; /* it becomes due while the turn goes on */
    scheduler_turn(scheduler);
    cr_expect_eq(slept_ns, 0u);
    step_ns = 0;
    expect_log("");
    scheduler_turn(scheduler);
    expect_log("t");
    cr_expect_eq(slept_ns, UINT64_MAX);
    end();
}

static void note_released(void *data)
{
    (void)data;
    note('m');
}

/* Memory that callers gave to be sent: they are told of it from the turn. */
Test(turn, tells_of_memory_that_is_not_needed)
{
    begin();
    buffer_release(buffer_adopt("", 0, note_released, NULL));
    expect_log("");
    cr_expect(scheduler_has_due_tasks(scheduler));
    scheduler_turn(scheduler);
    expect_log("m");
    end();
}

/* From so many entries on what is queued is submitted amid the turn. */
Test(turn, submits_when_much_is_queued)
{
    begin();
    runtime->limits.eager_submit = 3;
    scheduler->vectors.message_count = 7;
    uint64_t calls = ring_get_counters(scheduler->ring).system_calls;
    scheduler_submit(scheduler);
    cr_expect_eq(ring_get_counters(scheduler->ring).system_calls, calls, "there is nothing");
    cr_expect_eq(scheduler->vectors.message_count, 0);
    operate(2);
    scheduler->vectors.message_count = 7;
    scheduler_do_soon(scheduler);
    cr_expect_eq(ring_pending(scheduler->ring), 2);
    cr_expect_eq(scheduler->vectors.message_count, 7);
    operate(1);
    scheduler_do_soon(scheduler);
    cr_expect_eq(ring_pending(scheduler->ring), 0);
    cr_expect_eq(scheduler->vectors.message_count, 0);
    operate(1);
    scheduler->vectors.message_count = 7;
    scheduler_turn(scheduler);
    cr_expect_eq(scheduler->vectors.message_count, 0);
    end();
}

/* Only when it is idle: with few completions, for as long as it was told to. */
Test(turn, may_look_before_it_sleeps)
{
    struct letter letter = letter_of('s');
    begin();
    runtime->limits.busy_wait_ns = 2 * MS;
    step_ns = MS / 10;
    operate(1);
    scheduler_turn(scheduler);
    cr_expect(pending == 0 && slept_ns == 0 && !was_asleep, "there is something");
    scheduler_turn(scheduler);
    expect_log("c");
    cr_expect(slept_ns == UINT64_MAX && was_asleep);
    uint64_t until_ns = scheduler->spin_until_ns;
    cr_expect_eq(now_ns, until_ns);
    scheduler_turn(scheduler);
    cr_expect_eq(scheduler->spin_until_ns, until_ns, "nothing has come since");
    operate(3);
    scheduler_submit(scheduler);
    scheduler_turn(scheduler);
    expect_log("fccc");
    cr_expect(scheduler->spin_until_ns == until_ns && slept_ns == UINT64_MAX, "it is busy");
    operate(2);
    scheduler_submit(scheduler);
    scheduler_turn(scheduler);
    expect_log("cc");
    cr_expect_gt(scheduler->spin_until_ns, until_ns);
    queue(&letter, TASK_SUBMITTED);
    scheduler_turn(scheduler);
    cr_expect(slept_ns == 0 && scheduler->spin_until_ns == 0, "it is at work");
    late = letter_of('l');
    in_between = post_late;
    looks = 6;
    scheduler_turn(scheduler);
    expect_log("s");
    cr_expect(slept_ns == 0 && looks == 0);
    scheduler_turn(scheduler);
    expect_log("il");
    end();
}

/* Much was queued, and an eighth at most is. */
Test(turn, returns_memory_a_while_after_a_flood)
{
    enum { WORTH = 32 << 20 };
    static const struct {
        uint64_t peak;
        uint64_t left;
        bool returns;
    } floods[] = {
        {WORTH, WORTH / 8, true},
        {WORTH, WORTH / 8 + 1, false},
        {WORTH - 1, 0, false},
        {2ull * WORTH, 0, true},
    };
    for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
        begin();
        trims = 0;
        scheduler->totals.queued_bytes = floods[i].peak;
        scheduler_turn(scheduler);
        cr_expect_eq(scheduler->queued_bytes_peak, floods[i].peak);
        cr_expect(!scheduler->return_memory.armed);
        scheduler->totals.queued_bytes = floods[i].left;
        for (int turn = 0; turn < 2; turn++) {
            scheduler_turn(scheduler);
            cr_expect_eq(scheduler->return_memory.armed, floods[i].returns, "row %zu", i);
        }
        cr_expect_eq(scheduler->queued_bytes_peak, floods[i].peak);
        cr_expect_eq(trims, 0);
        timer_disarm(&scheduler->timers, &scheduler->return_memory);
        scheduler->return_memory.fire(&scheduler->return_memory);
        cr_expect_eq(trims, floods[i].returns, "row %zu", i);
        cr_expect_eq(scheduler->queued_bytes_peak,
                     floods[i].returns ? floods[i].left : floods[i].peak);
        scheduler->return_memory.fire(&scheduler->return_memory);
        cr_expect_eq(trims, floods[i].returns, "row %zu: once", i);
        scheduler->totals.queued_bytes = 0;
        end();
    }
}

/* What is queued may leave for a second, and is dropped then. */
Test(turn, a_stop_has_its_grace)
{
    begin();
    uint64_t began_ns = clock_now_ns();
    scheduler_stop(scheduler);
    cr_expect(end_count == 1 && ended == END_STOP);
    cr_expect_geq(scheduler->stop_deadline_ns, began_ns + 1000ull * MS);
    cr_expect_leq(scheduler->stop_deadline_ns, clock_now_ns() + 1000ull * MS);
    scheduler->now_ns = scheduler->stop_deadline_ns;
    cr_expect(!scheduler_is_done(scheduler) && end_count == 1);
    scheduler->now_ns++;
    cr_expect(!scheduler_is_done(scheduler));
    cr_expect(end_count == 2 && ended == END_ABORT);
    slot_move(slot, SOCKET_CLOSE);
    slot_settle(scheduler, slot);
    cr_expect(scheduler_is_done(scheduler) && end_count == 2);
    slot = slot_create(scheduler, KIND_WATCH, -1, WEIR_INET);
    slot_move(slot, SOCKET_ESTABLISH);
    end();
}

/* The next of its number goes on with them. */
Test(scheduler, leaves_its_generations_behind)
{
    begin();
    uint32_t generation = slot->generation;
    uint32_t slot_count = slot_table_size(&scheduler->slots);
    close_();
    cr_expect_null(scheduler_current());
    cr_expect_eq(scheduler->last_generation, generation + 1);
    cr_expect_eq(scheduler->slot_count, slot_count);
    runtime_free(runtime);
}
