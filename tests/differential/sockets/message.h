/* SPDX-License-Identifier: MIT */
/* Packets and messages as text. */
#ifndef DIFFERENTIAL_SOCKETS_MESSAGE_H
#define DIFFERENTIAL_SOCKETS_MESSAGE_H

#include <stdbool.h>
#include <stdio.h>
#include <weir/mailbox.h>

void message_write_packet(FILE *to, const weir_packet *packet, bool with_mode);

/* And gives back the packet. */
void message_write(FILE *to, weir_message *message, bool with_mode);

#endif
