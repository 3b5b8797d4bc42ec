/* SPDX-License-Identifier: MIT */
#include "runtime/process/process.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/error.h"
#include "base/memory.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/slow.h"

/* How many go on in one turn, so that a turn has an end that who waits for the ring can wait for.
 */
enum { RESUMED_MOST = 256 };

static void move(struct process *process, enum process_event event)
{
    process->state = process_state_next(process->state, event);
}

/* At the end of the row. */
static void stand_in_row(struct process *process)
{
    struct processes *processes = processes_of(process->scheduler);
    list_append(&processes->ready, &process->link);
    processes->ready_count++;
    task_add(&process->scheduler->tasks, TASK_SOON, &processes->run_ready);
}

static struct process *of_waiter(struct waiter *waiter)
{
    return list_entry(waiter, struct process, waiter);
}

static void suspend(struct waiter *waiter)
{
    struct process *process = of_waiter(waiter);
    move(process, PROCESS_SUSPEND);
    coroutine_suspend(&process->coroutine);
}

static void resume(struct waiter *waiter)
{
    struct process *process = of_waiter(waiter);
    if (process->state != PROCESS_WAITING)
        return;
    move(process, PROCESS_WAKE);
    coroutine_fetch(&process->coroutine);
    stand_in_row(process);
}

static void yield(struct waiter *waiter)
{
    struct process *process = of_waiter(waiter);
    move(process, PROCESS_YIELD);
    stand_in_row(process);
    coroutine_suspend(&process->coroutine);
}

static void end(struct waiter *waiter)
{
    process_exit(of_waiter(waiter), WEIR_KILLED);
}

static const struct waiter_row waiter_row = {suspend, resume, yield, end};

_Noreturn void process_exit(struct process *process, int reason)
{
    process->reason = reason;
    move(process, PROCESS_FINISH);
    coroutine_leave(&process->coroutine);
}

static void begin(void *data)
{
    struct process *process = data;
    const struct process_plan *plan = &process->plan;
    int reason = plan->serve ? plan->serve(plan->socket, plan->data) : plan->run(plan->data);
    process_exit(process, reason);
}

static slow_function *function_of(const struct process *process)
{
    return process->plan.serve ? (slow_function *)process->plan.serve
                               : (slow_function *)process->plan.run;
}

static void tell_ended(struct process *process)
{
    const weir_process_options *options = &process->plan.options;
    uint64_t began_ns = slow_begin(process->scheduler);
    if (!options->ended)
        return;
    options->ended(process->handle, process->reason, process->plan.data);
    slow_end(process->scheduler, began_ns, (slow_function *)options->ended);
}

/* What is beside the stacks of very many would stay with the allocator. */
static bool has_memory_to_return(const struct processes *processes)
{
    enum { WORTH_COUNT = 4096 };
    return processes->peak_count >= WORTH_COUNT && processes->count <= processes->peak_count / 8;
}

static void return_memory(struct timer *timer)
{
    struct processes *processes = list_entry(timer, struct processes, return_memory);
    if (!has_memory_to_return(processes))
        return;
    processes->peak_count = processes->count;
    memory_trim();
}

/* Later, since they may be needed again. */
static void count_off(struct processes *processes)
{
    enum { LATER_MS = 1000 };
    processes->count--;
    if (has_memory_to_return(processes) && !processes->return_memory.armed)
        scheduler_arm(processes->scheduler, &processes->return_memory, LATER_MS);
}

/* Its handle is dead when others hear of its end. */
static void finish(struct process *process)
{
    struct scheduler *scheduler = process->scheduler;
    struct slot *slot = process->slot;
    if (process->waiter.order == WAITER_KNOWS)
        process->reason = WEIR_KILLED;
    slot_hold(slot);
    coroutine_close(&process->coroutine, &processes_of(scheduler)->stacks);
    task_remove(&process->kill);
    count_off(processes_of(scheduler));
    slot_move(slot, SOCKET_CLOSE);
    owner_process_died(scheduler, process->mailbox);
    monitors_tell(&process->monitors, process->reason);
    tell_ended(process);
    slot_unhold(scheduler, slot);
}

static void go_on(struct processes *processes, struct process *process)
{
    struct scheduler *scheduler = processes->scheduler;
    move(process, PROCESS_RESUME);
    process->begun = true;
    processes->running = process;
    scheduler->waiter = &process->waiter;
    uint64_t began_ns = slow_begin(scheduler);
    coroutine_resume(&process->coroutine);
    slow_end(scheduler, began_ns, function_of(process));
    scheduler->waiter = NULL;
    processes->running = NULL;
    if (process->state == PROCESS_ENDED)
        finish(process);
}

/* One that was killed before it began never does. */
static void take_turn(struct processes *processes, struct process *process)
{
    error_clear_text();
    if (process->begun || process->waiter.order == WAITER_GOES_ON) {
        go_on(processes, process);
        return;
    }
    process->waiter.order = WAITER_KNOWS;
    move(process, PROCESS_FINISH);
    finish(process);
}

static uint32_t rest_of_turn(struct processes *processes)
{
    if (processes->turn != processes->scheduler->totals.turns)
        processes->resumed_count = 0;
    processes->turn = processes->scheduler->totals.turns;
    return RESUMED_MOST - processes->resumed_count;
}

/* Whoever is too many for this turn goes on in the next one, after its completions. */
static void run_ready(struct scheduler *scheduler, struct task *task)
{
    struct processes *processes = list_entry(task, struct processes, run_ready);
    uint32_t rest = rest_of_turn(processes);
    for (; processes->ready_count > 0 && rest > 0; rest--) {
        struct list *link = list_take(&processes->ready);
        processes->ready_count--;
        processes->resumed_count++;
        take_turn(processes, list_entry(link, struct process, link));
    }
    task_remove(task); /* who became ready meanwhile has had it run again */
    if (processes->ready_count > 0)
        task_add(&scheduler->tasks, TASK_SUBMITTED, task);
}

int processes_open(struct scheduler *scheduler, void **state)
{
    struct processes *processes = memory_allocate_zeroed(1, sizeof(*processes));
    if (!processes)
        return error_say(-ENOMEM, "no memory for a scheduler's processes");
    processes->scheduler = scheduler;
    list_init(&processes->ready);
    task_init(&processes->run_ready, run_ready);
    processes->return_memory.fire = return_memory;
    *state = processes;
    return 0;
}

void processes_shut(void *state)
{
    struct processes *processes = state;
    stacks_close(&processes->stacks);
    overflow_watch_end(&processes->overflow);
    memory_free(processes);
}

struct process *process_find(struct scheduler *scheduler, weir_process handle)
{
    struct slot *slot = slot_find(scheduler, (weir_socket){handle.id});
    return slot && slot->kind == KIND_PROCESS ? process_of(slot) : NULL;
}

static void mail_arrived(struct mail_wait *wait)
{
    struct process *process = list_entry(wait, struct process, mail);
    slot_settle(process->scheduler, process->slot);
}

static void kill_now(struct scheduler *scheduler, struct task *task)
{
    call_interrupt(scheduler, &list_entry(task, struct process, kill)->waiter);
}

/* One that has not begun, or does not wait, knows it from now on. */
void process_kill(struct process *process)
{
    if (process->waiter.order == WAITER_GOES_ON)
        process->waiter.order = WAITER_IS_TO_END;
    task_add(&process->scheduler->tasks, TASK_SOON, &process->kill);
}

static void init(struct process *process, struct scheduler *scheduler,
                 const struct process_plan *plan)
{
    process->scheduler = scheduler;
    process->plan = *plan;
    process->state = PROCESS_READY;
    monitors_init(&process->monitors);
    mail_wait_init(&process->mail, scheduler, mail_arrived);
    task_init(&process->kill, kill_now);
    process->waiter.row = &waiter_row;
    process->waiter.scheduler = scheduler;
    process->waiter.mail = &process->mail;
    process->coroutine.run = begin;
    process->coroutine.data = process;
    if (plan->options.name)
        memcpy(process->name, plan->options.name,
               strnlen(plan->options.name, PROCESS_NAME_SIZE - 1));
}

static int check_size(size_t size)
{
    if (size >= STACK_BYTES_LEAST && size <= STACK_BYTES_MOST)
        return 0;
    return error_say(-EINVAL, "spawn: a stack of %zu bytes: %d..%d", size, STACK_BYTES_LEAST,
                     STACK_BYTES_MOST);
}

/* What can fail. */
static int equip(struct process *process)
{
    struct scheduler *scheduler = process->scheduler;
    struct processes *processes = processes_of(scheduler);
    size_t size = process->plan.options.stack_bytes;
    int result = size == 0 ? 0 : check_size(size);
    if (result == 0)
        result = overflow_watch_begin(&processes->overflow);
    if (result == 0)
        result = mailbox_create_for_process(&process->mailbox, scheduler->index);
    if (result == 0)
        result = coroutine_open(&process->coroutine, &processes->host, &processes->stacks,
                                size ? size : STACK_BYTES_USUAL);
    if (result < 0)
        return result;
    process->slot = slot_create(scheduler, KIND_PROCESS, -1, WEIR_ANY_FAMILY);
    if (process->slot)
        return 0;
    coroutine_close(&process->coroutine, &processes->stacks);
    return error_say(-ENOMEM, "no memory for a process");
}

static void count_on(struct processes *processes)
{
    processes->count++;
    if (processes->count > processes->peak_count)
        processes->peak_count = processes->count;
}

int process_spawn(struct scheduler *scheduler, const struct process_plan *plan,
                  struct process **out)
{
    if (scheduler->state == SCHEDULER_STOPPING)
        return error_say(WEIR_CLOSED, "the runtime is being stopped");
    struct process *process = memory_allocate_zeroed(1, sizeof(*process));
    if (!process)
        return error_say(-ENOMEM, "no memory for a process");
    init(process, scheduler, plan);
    int result = equip(process);
    if (result < 0) {
        if (process->mailbox)
            owner_process_died(scheduler, process->mailbox);
        memory_free(process);
        return result;
    }
    ((struct process_slot *)process->slot)->process = process;
    slot_move(process->slot, SOCKET_ESTABLISH);
    process->handle.id = slot_handle(scheduler, process->slot).id;
    process->waiter.mailbox = process->mailbox;
    count_on(processes_of(scheduler));
    stand_in_row(process);
    *out = process;
    return 0;
}

bool process_is_settled(const struct process *process)
{
    return process->mail.state != MAIL_CALLED;
}

void process_free(struct process *process)
{
    memory_free(process);
}
