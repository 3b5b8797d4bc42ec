/* SPDX-License-Identifier: MIT */
/* Standard input and output, whoever has opened, closed or made them non-blocking. */
#ifndef TOOLS_STREAMS_H
#define TOOLS_STREAMS_H

#include <stddef.h>
#include <sys/types.h>

/* To be called first: what is opened later would take the place of a stream that is closed. */
void streams_prepare(void);

/* For a server, whose news nobody has to hear: what it prints to an output that was closed is not
 * missed. */
void streams_let_nobody_listen(void);

/* read(2), which waits when the descriptor would not. */
ssize_t streams_read(int fd, void *bytes, size_t size);

#endif
