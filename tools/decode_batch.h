/* SPDX-License-Identifier: MIT */
/* `weir decode --batch`: one decode per line of standard input, one term per line out. */
#ifndef TOOLS_DECODE_BATCH_H
#define TOOLS_DECODE_BATCH_H

/* The exit status. */
int decode_batch(void);

#endif
