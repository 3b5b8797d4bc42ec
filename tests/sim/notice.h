/* SPDX-License-Identifier: MIT */
/* Notices of zero-copy sends: memory that such a send has left with the kernel until then. */
#ifndef SIM_NOTICE_H
#define SIM_NOTICE_H

#include <stdint.h>

#include "sim/kernel.h"

struct piece;

void notice_reset(void);

/* Some time later it is told that the memory of the send is not needed any more. */
void notice_promise(const struct op *op, const struct piece *pieces, uint32_t count);

#endif
