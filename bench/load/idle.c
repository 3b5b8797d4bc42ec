/* SPDX-License-Identifier: MIT */
#include "load/idle.h"

#include "base/memory.h"
#include "common/fail.h"
#include "load/dial.h"

#include <stdio.h>
#include <unistd.h>

enum { TOGETHER_MAX = 1024 };

void idle_hold(const struct sockaddr_in *server, struct frame_batch *batch, unsigned count)
{
    for (uint32_t connection = 0; connection < count; connection++) {
        struct frame_place place = {.connection = connection};
        int fd = dial(server, connection);
        dial_send(fd, batch, place);
        dial_receive(fd, batch, place);
    }
    printf("idle %u\n", count);
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
}

static void churn_some(const struct sockaddr_in *server, struct frame_batch *batch, uint32_t first,
                       unsigned count)
{
    int fds[TOGETHER_MAX];
    for (unsigned index = 0; index < count; index++) {
        fds[index] = dial(server, first + index);
        dial_send(fds[index], batch, (struct frame_place){.connection = first + index});
    }
    for (unsigned index = 0; index < count; index++) {
        dial_receive(fds[index], batch, (struct frame_place){.connection = first + index});
        close(fds[index]);
    }
}

void idle_churn(const struct sockaddr_in *server, struct frame_batch *batch, unsigned total,
                unsigned together)
{
    if (together == 0 || together > TOGETHER_MAX)
        fail("--connections: 1 to %d at a time", TOGETHER_MAX);
    for (unsigned done = 0; done < total; done += together) {
        unsigned left = total - done;
        churn_some(server, batch, done, left < together ? left : together);
    }
}
