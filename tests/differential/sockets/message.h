/* SPDX-License-Identifier: MIT */
/* Packets and messages as text. */
#ifndef DIFFERENTIAL_SOCKETS_MESSAGE_H
#define DIFFERENTIAL_SOCKETS_MESSAGE_H

#include <stdbool.h>
#include <stdio.h>
#include <weir/mailbox.h>

void message_write_packet(FILE *to, const weir_packet *packet, bool with_mode);

/* All that wait in the mailbox. */
void message_write_all(FILE *to, weir_mailbox *mailbox, bool with_mode);

#endif
