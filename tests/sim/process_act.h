/* SPDX-License-Identifier: MIT */
/* What a process does with sockets: it opens them, and waits for their calls as a thread does. */
#ifndef SIM_PROCESS_ACT_H
#define SIM_PROCESS_ACT_H

#include <stdint.h>
#include <weir/mailbox.h>

/* In a process that is this owner. */
void process_act(uint32_t owner);

/* It has ended, on the current scheduler: nothing there that is told by its mailbox is open. */
void process_check_owned(const weir_mailbox *mailbox);

#endif
