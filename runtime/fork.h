/* SPDX-License-Identifier: MIT */
/*
 * A child of fork has this thread alone, and a copy of the memory. Its parent's schedulers are
 * nobody there: the lists by which calls find them are emptied, so that none waits for an answer.
 */
#ifndef RUNTIME_FORK_H
#define RUNTIME_FORK_H

/* From the first runtime or mailbox on. */
void fork_prepare(void);

#endif
