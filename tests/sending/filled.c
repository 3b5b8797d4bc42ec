/* SPDX-License-Identifier: MIT */
#include "sending/filled.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static struct loopback open_with(const weir_config *config, const char *options, int peer_buffer)
{
    char text[256];
    snprintf(text, sizeof(text), "[" SMALL_BUFFERS ",{active,false}%s]", options);
    struct loopback loopback = loopback_start(config);
    loopback.listener = listen_with(loopback.runtime, text);
    loopback.peer = peer_connect_with(weir_port(loopback.listener), peer_buffer);
    GIVES(weir_tcp_accept(loopback.listener, weir_mailed_to(loopback.mailbox), WAIT_MS,
                          &loopback.socket),
          0);
    return loopback;
}

struct loopback open_small(const weir_config *config, const char *options)
{
    return open_with(config, options, PEER_BUFFER);
}

struct loopback open_filled(const char *options, uint64_t *queue)
{
    struct loopback loopback = open_with(NULL, options, 4096);
    *queue = fill_queue(&loopback);
    return loopback;
}

void read_until(struct loopback *loopback, uint64_t size)
{
    char part[4096];
    uint64_t until = now_ms() + WAIT_MS;
    while (queued(loopback->socket) > size) {
        cr_assert(now_ms() < until, "the queue does not drain");
        ssize_t count = recv(loopback->peer, part, sizeof(part), MSG_DONTWAIT);
        cr_assert(count > 0 || (count < 0 && errno == EAGAIN));
    }
}

static bool is_kernel_worker(const char *task)
{
    char path[300];
    char name[32] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    if (!fgets(name, sizeof(name), file))
        name[0] = 0;
    fclose(file);
    return strncmp(name, "iou-wrk", 7) == 0;
}

int kernel_workers(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; (task = readdir(tasks));)
        count += is_kernel_worker(task->d_name);
    closedir(tasks);
    return count;
}
