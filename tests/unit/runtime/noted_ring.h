/* SPDX-License-Identifier: MIT */
/* A ring that does nothing: it notes what a connection asks of it, and the test says what comes of
 * that. */
#ifndef UNIT_NOTED_RING_H
#define UNIT_NOTED_RING_H

#include <stdbool.h>
#include <stdint.h>

/* What it has been asked for since this was last asked, one word each, in order: "send:5",
 * "message:5/2" for 5 bytes in 2 pieces, "lend:5/1" without a copy, "receive", "receives" for a
 * multishot, "into:100", "into!100" for one that does not wait, "readable", "writable", "read:9",
 * "connect", and "cancel:" with the number of an operation. */
const char *noted_asked(void);

/* The user_data of the last operation that was no cancel, and the memory that it was given. */
uint64_t noted_operation(void);
void *noted_memory(void);

/* So many entries are queued and not submitted; the kernel takes them, or nothing now. */
void noted_queue(uint32_t entries, bool taken);

#endif
