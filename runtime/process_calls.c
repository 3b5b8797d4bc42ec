/* SPDX-License-Identifier: MIT */
/* Processes: the public calls. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/canary.h"
#include "base/error.h"
#include "base/memory.h"
#include "runtime/owner/mailbox.h"
#include "runtime/owner/owner.h"
#include "runtime/process/process.h"
#include "runtime/runtime.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include <weir/process.h>

struct spawn_call {
    struct call call;
    struct process_plan plan;
    weir_process process; /* the result */
};

static int run_spawn(struct scheduler *scheduler, struct slot *unused, struct call *call)
{
    struct spawn_call *spawn = list_entry(call, struct spawn_call, call);
    struct process *process;
    (void)unused;
    int result = process_spawn(scheduler, &spawn->plan, &process);
    if (result == 0)
        spawn->process = process->handle;
    return result;
}

static const struct call_operation operation_spawn = {
    .name = "weir_spawn", .run = run_spawn, .dead_result = WEIR_CLOSED};

static int check_options(const weir_process_options *options)
{
    static const weir_process_options none;
    if (memcmp(options->reserved, none.reserved, sizeof(none.reserved)) != 0)
        return error_say(-EINVAL, "spawn: a reserved field is not 0");
    return 0;
}

static int check_spawn(const weir_runtime *runtime, int scheduler, const struct process_plan *plan)
{
    const struct scheduler *here = scheduler_current();
    int count = (int)runtime->scheduler_count;
    if (!plan->run)
        return error_say(-EINVAL, "spawn: no function was given");
    if (scheduler < WEIR_ANY_SCHEDULER || scheduler >= count)
        return error_say(-EINVAL, "spawn: scheduler %d: there are %d", scheduler, count);
    if (here && here->runtime != runtime)
        return error_say(-EDEADLK, "weir_spawn for a runtime on a scheduler of another one: make "
                                   "it on one of its own, by weir_run_on");
    return check_options(&plan->options);
}

static uint32_t index_of(weir_runtime *runtime, int scheduler)
{
    const struct scheduler *here = scheduler_current();
    if (scheduler >= 0)
        return runtime->schedulers[scheduler]->index;
    return here ? here->index : runtime_next_scheduler(runtime);
}

int weir_spawn(weir_runtime *runtime, int scheduler, weir_process_function *run, void *data,
               const weir_process_options *options, weir_process *process)
{
    struct spawn_call spawn = {.plan = {.run = run, .data = data}};
    call_begin();
    error_clear_text();
    if (options)
        spawn.plan.options = *options;
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    result = check_spawn(runtime, scheduler, &spawn.plan);
    if (result == 0)
        result = call_make_on(&operation_spawn, index_of(runtime, scheduler), &spawn.call);
    runtimes_leave(runtime);
    if (result == 0 && process)
        *process = spawn.process;
    return result;
}

/* The process that the caller is, or NULL. */
static struct process *self(void)
{
    const struct scheduler *here = scheduler_current();
    return here && here->waiter ? processes_of(here)->running : NULL;
}

weir_process weir_self(void)
{
    const struct process *process = self();
    return process ? process->handle : (weir_process){0};
}

weir_owner weir_owned_by_self(void)
{
    return owner_or_caller(weir_owned_by_nobody());
}

static int no_process(const char *call)
{
    return error_say(-EINVAL, "%s: the caller is no process", call);
}

int weir_exit(int reason)
{
    struct process *process = self();
    if (process)
        process_exit(process, reason);
    return no_process("exit");
}

/* What is sent to a process of another scheduler, and is waited for by nobody. */
struct letter {
    struct inbox_node node;
    weir_process process;
    bool kills;
    void *data;
};

static int deliver(struct scheduler *scheduler, const struct letter *letter)
{
    const weir_message message = {.kind = WEIR_MESSAGE_USER, .data = letter->data};
    struct process *process = process_find(scheduler, letter->process);
    if (!process)
        return WEIR_CLOSED;
    if (!letter->kills)
        return mailbox_put(process->mailbox, &message, NULL);
    process_kill(process);
    return 0;
}

/* Without memory for the message it is lost, as one that comes too late. */
static void arrive(struct scheduler *scheduler, struct inbox_node *node)
{
    struct letter *letter = list_entry(node, struct letter, node);
    (void)deliver(scheduler, letter);
    memory_free(letter);
}

static int send_elsewhere(const struct letter *letter, uint32_t index)
{
    struct letter *sent = memory_allocate(sizeof(*sent));
    if (!sent)
        return -ENOMEM;
    *sent = *letter;
    sent->node.run = arrive;
    struct scheduler *scheduler = registry_enter(index);
    if (!scheduler) {
        memory_free(sent);
        return registry_is_parents(index) ? registry_say_parents(WEIR_CLOSED) : WEIR_CLOSED;
    }
    inbox_post(&scheduler->inbox, &sent->node);
    registry_leave(index);
    return 0;
}

static int send_letter(const struct letter *letter)
{
    struct scheduler *here = scheduler_current();
    uint32_t index = slot_scheduler((weir_socket){letter->process.id});
    error_clear_text();
    if (letter->process.id == 0)
        return WEIR_CLOSED;
    return here && here->index == index ? deliver(here, letter) : send_elsewhere(letter, index);
}

int weir_post(weir_process process, void *data)
{
    return error_from("weir_post", send_letter(&(struct letter){.process = process, .data = data}));
}

int weir_kill(weir_process process)
{
    const struct scheduler *here = scheduler_current();
    int result = send_letter(&(struct letter){.process = process, .kills = true});
    bool own = here && here->index == slot_scheduler((weir_socket){process.id});
    return error_from("weir_kill", own ? 0 : result);
}

int weir_receive(int64_t timeout_ms, weir_message *message)
{
    const struct process *process = self();
    if (!process)
        return no_process("receive");
    return weir_mailbox_receive(process->mailbox, timeout_ms, message);
}

static int run_sleep(struct scheduler *scheduler, struct slot *unused, struct call *call)
{
    (void)unused;
    call_set_timeout(scheduler, call);
    return CALL_WAITS;
}

static void leave_sleep(struct scheduler *scheduler, struct call *call)
{
    (void)scheduler;
    (void)call;
}

static const struct call_operation operation_sleep = {
    .name = "weir_sleep", .run = run_sleep, .leave = leave_sleep, .may_wait = true};

static int sleep_in_process(struct scheduler *here, int64_t time_ms)
{
    struct call call = {.timeout_ms = time_ms};
    int result = call_make_on(&operation_sleep, here->index, &call);
    if (result == WEIR_TIMEOUT) {
        error_clear_text();
        return 0;
    }
    return result;
}

static int sleep_in_thread(int64_t time_ms)
{
    struct timespec rest = {time_ms / 1000, time_ms % 1000 * 1000000};
    if (time_ms < 0)
        for (;;)
            pause();
    while (nanosleep(&rest, &rest) < 0)
        continue;
    return 0;
}

int weir_sleep(int64_t time_ms)
{
    struct scheduler *here = scheduler_current();
    call_begin();
    error_clear_text();
    if (here && !here->waiter)
        return error_say(-EDEADLK, "sleep: a callback would hold up its scheduler");
    return here ? sleep_in_process(here, time_ms) : sleep_in_thread(time_ms);
}

struct monitor_call {
    struct call call;
    weir_mailbox *mailbox;
    weir_message message;
};

static int run_monitor(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    const struct monitor_call *monitor = list_entry(call, struct monitor_call, call);
    (void)scheduler;
    return monitors_add(&process_of(slot)->monitors, &monitor->message, monitor->mailbox);
}

static int run_demonitor(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    const struct monitor_call *monitor = list_entry(call, struct monitor_call, call);
    (void)scheduler;
    monitors_remove(&process_of(slot)->monitors, monitor->mailbox, monitor->message.data);
    return 0;
}

static const struct call_operation operation_monitor = {.name = "weir_monitor",
                                                        .run = run_monitor,
                                                        .kinds = 1 << KIND_PROCESS,
                                                        .other_result = WEIR_NOPROC,
                                                        .dead_result = WEIR_NOPROC};
static const struct call_operation operation_demonitor = {.name = "weir_demonitor",
                                                          .run = run_demonitor,
                                                          .kinds = 1 << KIND_PROCESS,
                                                          .other_result = WEIR_NOPROC,
                                                          .dead_result = WEIR_NOPROC};

/* With the mailbox's default filled in. 0, -EINVAL, or WEIR_CLOSED. */
static int set_up(struct monitor_call *monitor, weir_process process, weir_mailbox *mailbox,
                  void *data)
{
    const struct process *caller = self();
    call_begin();
    *monitor = (struct monitor_call){
        .mailbox = mailbox  ? mailbox
                   : caller ? caller->mailbox
                            : NULL,
        .message = {.kind = WEIR_MESSAGE_DOWN, .process = process, .data = data},
    };
    if (!monitor->mailbox)
        return error_say(-EINVAL, "monitor: no mailbox was given, and the caller is no process");
    return mailbox_check(monitor->mailbox, WEIR_CLOSED);
}

int weir_monitor(weir_process process, weir_mailbox *mailbox, void *data)
{
    struct monitor_call monitor;
    int result = set_up(&monitor, process, mailbox, data);
    if (result == 0)
        result = call_make(&operation_monitor, (weir_socket){process.id}, &monitor.call);
    if (result != WEIR_NOPROC)
        return result;
    error_clear_text();
    monitor.message.error = WEIR_NOPROC;
    return error_from("weir_monitor", mailbox_put(monitor.mailbox, &monitor.message, NULL));
}

static bool is_down(const weir_message *message, const weir_message *like)
{
    return message->kind == WEIR_MESSAGE_DOWN && message->process.id == like->process.id &&
           message->data == like->data;
}

int weir_demonitor(weir_process process, weir_mailbox *mailbox, void *data)
{
    struct monitor_call monitor;
    int result = set_up(&monitor, process, mailbox, data);
    if (result == 0)
        result = call_make(&operation_demonitor, (weir_socket){process.id}, &monitor.call);
    if (result != 0 && result != WEIR_NOPROC)
        return result;
    error_clear_text();
    mailbox_drop(monitor.mailbox, is_down, &monitor.message);
    return 0;
}

struct address_call {
    struct call call;
    weir_mailbox *mailbox; /* the result, kept */
};

static int run_address(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct address_call *address = list_entry(call, struct address_call, call);
    (void)scheduler;
    address->mailbox = process_of(slot)->mailbox;
    mailbox_keep(address->mailbox);
    return 0;
}

static const struct call_operation operation_address = {.name = "weir_give",
                                                        .run = run_address,
                                                        .kinds = 1 << KIND_PROCESS,
                                                        .other_result = WEIR_NOPROC,
                                                        .dead_result = WEIR_NOPROC};

int weir_give(weir_socket socket, weir_owner from, weir_process to)
{
    struct address_call address = {.mailbox = NULL};
    call_begin();
    int result = call_make(&operation_address, (weir_socket){to.id}, &address.call);
    if (result < 0)
        return result;
    result = weir_controlling_process(socket, from, weir_mailed_to(address.mailbox));
    if (result == WEIR_BADARG && mailbox_is_dead(address.mailbox))
        result = WEIR_NOPROC;
    mailbox_release(address.mailbox);
    return result;
}

static void give_to(struct scheduler *here, struct slot *slot, const struct process *process)
{
    (void)here->kinds[slot->kind]->hand_over(here, slot, weir_mailed_to(process->mailbox));
}

static void spawn_for(weir_socket socket, void *data)
{
    struct scheduler *here = scheduler_current();
    const weir_spawner *spawner = data;
    const struct process_plan plan = {.serve = spawner->serve,
                                      .socket = socket,
                                      .data = spawner->data,
                                      .options = spawner->options};
    struct process *process;
    if (process_spawn(here, &plan, &process) != 0)
        weir_close(socket);
    else if (!CANARY(UNSERVED))
        give_to(here, slot_find(here, socket), process);
}

static const weir_handler spawning = {.accepted = spawn_for};

weir_owner weir_spawning(const weir_spawner *spawner)
{
    return weir_handled_by(&spawning, (void *)spawner);
}
