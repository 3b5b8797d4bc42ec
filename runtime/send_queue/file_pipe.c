/* SPDX-License-Identifier: MIT */
#include "runtime/send_queue/file_pipe.h"

#include "base/memory.h"
#include "base/system.h"

struct file_pipe *file_pipe_open(void)
{
    int fds[2];
    struct file_pipe *pipe = memory_allocate(sizeof(*pipe));
    if (!pipe)
        return NULL;
    if (system_pipe(fds) < 0) {
        memory_free(pipe);
        return NULL;
    }
    *pipe = (struct file_pipe){.read_fd = fds[0], .write_fd = fds[1]};
    return pipe;
}

void file_pipe_close(struct file_pipe *pipe)
{
    if (!pipe)
        return;
    system_close(pipe->read_fd);
    system_close(pipe->write_fd);
    memory_free(pipe);
}
