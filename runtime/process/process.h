/* SPDX-License-Identifier: MIT */
/*
 * A process: code on a stack of its own, which waits for its calls while its scheduler goes on. It
 * is a slot of its scheduler, so that its handle is safe and a stop waits for it; what it has lies
 * beside, and is freed with the slot.
 *
 * Processes that can go on stand in a row and go on in turn, from the turn, so many a turn at most.
 */
#ifndef RUNTIME_PROCESS_PROCESS_H
#define RUNTIME_PROCESS_PROCESS_H

#include "base/list.h"
#include "runtime/owner/mailbox.h"
#include "runtime/process/coroutine.h"
#include "runtime/process/monitor.h"
#include "runtime/process/overflow.h"
#include "runtime/process/process_state.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/task.h"
#include "runtime/scheduler/timer.h"
#include "runtime/scheduler/waiter.h"
#include <weir/process.h>

enum { PROCESS_NAME_SIZE = 32 };

struct process_plan {
    weir_process_function *run;
    weir_serving_function *serve; /* instead, of a connection */
    weir_socket socket;
    void *data;
    weir_process_options options;
};

struct process {
    struct scheduler *scheduler;
    struct slot *slot;
    weir_process handle;
    enum process_state state;
    bool begun;
    int reason;       /* why it ended */
    struct list link; /* PROCESS_READY */
    struct coroutine coroutine;
    struct waiter waiter;
    struct mail_wait mail;
    struct task kill;
    weir_mailbox *mailbox;
    struct monitors monitors;
    struct process_plan plan;
    char name[PROCESS_NAME_SIZE];
};

/* What a scheduler's processes have in common. */
struct processes {
    struct scheduler *scheduler;
    struct list ready;
    uint32_t ready_count;
    struct task run_ready;
    uint64_t turn; /* in which so many were resumed */
    uint32_t resumed_count;
    struct process *running;
    uint32_t count;
    uint32_t peak_count; /* since memory was last returned to the kernel */
    struct timer return_memory;
    struct coroutine_host host;
    struct stacks stacks;
    struct overflow_watch overflow;
};

struct process_slot {
    struct slot slot;
    struct process *process;
};

_Static_assert(sizeof(struct process_slot) <= SLOT_SIZE, "a slot has room for it");

static inline struct process *process_of(const struct slot *slot)
{
    return ((const struct process_slot *)slot)->process;
}

static inline struct processes *processes_of(const struct scheduler *scheduler)
{
    return scheduler->states[KIND_PROCESS];
}

/* A living one of this scheduler's, or NULL. */
struct process *process_find(struct scheduler *scheduler, weir_process handle);

int processes_open(struct scheduler *scheduler, void **state);
void processes_shut(void *state);

/* Begins one, which runs from the turn. 0, WEIR_CLOSED (the scheduler stops), -EINVAL (the size of
 * its stack), or -ENOMEM. */
int process_spawn(struct scheduler *scheduler, const struct process_plan *plan,
                  struct process **process);

/* It ends when it next waits: soon, if it does so now. */
void process_kill(struct process *process);

/* On the stack of the one that runs. */
_Noreturn void process_exit(struct process *process, int reason);

/* The last of it, once nothing of it is on its way any more. */
bool process_is_settled(const struct process *process);
void process_free(struct process *process);

extern const struct kind kind_process;

#endif
