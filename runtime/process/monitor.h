/* SPDX-License-Identifier: MIT */
/* Who is to be told when a process ends. The message is there from the beginning, so that it cannot
 * fail in the end. */
#ifndef RUNTIME_PROCESS_MONITOR_H
#define RUNTIME_PROCESS_MONITOR_H

#include <stdint.h>

#include "base/list.h"
#include <weir/process.h>

struct monitors {
    struct list nodes; /* of messages, each with the mailbox that it is for, kept */
    uint32_t count;
    uint32_t looked_through; /* how many were left when those of the dead were last dropped */
};

void monitors_init(struct monitors *monitors);

/* 0, or -ENOMEM. */
int monitors_add(struct monitors *monitors, const weir_message *message, weir_mailbox *mailbox);

/* Drops those of that mailbox with that data. */
void monitors_remove(struct monitors *monitors, const weir_mailbox *mailbox, const void *data);

/* All are told, and gone. */
void monitors_tell(struct monitors *monitors, int reason);

#endif
