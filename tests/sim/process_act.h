/* SPDX-License-Identifier: MIT */
/* What a process does with sockets: it opens them, and waits for their calls as a thread does. */
#ifndef SIM_PROCESS_ACT_H
#define SIM_PROCESS_ACT_H

#include <stdint.h>
#include <weir/mailbox.h>
#include <weir/socket.h>

/* In a process that is this owner. */
void process_act(uint32_t owner);

/* That serves this connection, which is its own if it lives. */
void process_begin_serving(weir_socket socket, uint32_t owner, const weir_mailbox *mailbox);

/* It has ended, on the current scheduler: nothing there that is told by its mailbox is open. */
void process_check_owned(const weir_mailbox *mailbox);

#endif
