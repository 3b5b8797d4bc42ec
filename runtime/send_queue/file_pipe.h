/* SPDX-License-Identifier: MIT */
/* The pipe that a file's bytes go through on their way to a socket. */
#ifndef RUNTIME_SEND_QUEUE_FILE_PIPE_H
#define RUNTIME_SEND_QUEUE_FILE_PIPE_H

#include <stddef.h>

struct file_pipe {
    int read_fd;
    int write_fd;
    size_t filled_bytes;
};

/* What a pipe holds at least. */
enum { FILE_PIPE_BYTES = 65536 };

/* NULL: no memory or no descriptors. */
struct file_pipe *file_pipe_open(void);
/* NULL is no pipe. */
void file_pipe_close(struct file_pipe *pipe);

#endif
