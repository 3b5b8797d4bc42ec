/* SPDX-License-Identifier: MIT */
/* The row of the table of kinds. */
#include "runtime/process/process.h"

/* Nobody owns a process, and a drain lets it go on. */
static void end(struct scheduler *scheduler, struct slot *slot, enum ending ending)
{
    (void)scheduler;
    if (slot_is_live(slot) && (ending == END_STOP || ending == END_ABORT))
        process_kill(process_of(slot));
}

static bool settled(struct scheduler *scheduler, struct slot *slot)
{
    (void)scheduler;
    return process_is_settled(process_of(slot));
}

static void release(struct scheduler *scheduler, struct slot *slot)
{
    (void)scheduler;
    process_free(process_of(slot));
}

const struct kind kind_process = {
    .name = "process",
    .is_inner = true,
    .open = processes_open,
    .shut = processes_shut,
    .end = end,
    .settled = settled,
    .release = release,
};
