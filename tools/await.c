/* SPDX-License-Identifier: MIT */
#include "await.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

int await_open(struct await *await, const sigset_t *signals, int successor)
{
    await->signals = signalfd(-1, signals, SFD_CLOEXEC);
    await->successor = successor;
    return await->signals < 0 ? -errno : 0;
}

static uint64_t now_ms(void)
{
    return clock_now_ns() / 1000000;
}

static int left_of(int64_t timeout_ms, uint64_t since_ms)
{
    int64_t left = timeout_ms - (int64_t)(now_ms() - since_ms);
    return timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0;
}

enum awaited await_next(const struct await *await, int64_t timeout_ms)
{
    struct pollfd fds[] = {{await->signals, POLLIN, 0}, {await->successor, POLLIN, 0}};
    uint64_t since_ms = now_ms();
    int count;
    do
        count = poll(fds, 2, left_of(timeout_ms, since_ms));
    while (count < 0);
    struct signalfd_siginfo taken;
    if (fds[0].revents)
        return read(await->signals, &taken, sizeof(taken)) > 0 ? AWAITED_SIGNAL : AWAITED_TIME;
    return count > 0 ? AWAITED_SUCCESSOR : AWAITED_TIME;
}

void await_close(const struct await *await)
{
    close(await->signals);
}
