/* SPDX-License-Identifier: MIT */
/* Signals are the application's: no thread that weir has started takes one. */
#include "peer.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

enum { SCHEDULERS = 2, ROUNDS = 100 };

/* Raised by a fault of the thread's own, and left to the application's handler. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
/* Which nobody can block: the kernel's two, and the C library's own two. */
static const int unblockable[] = {SIGKILL, SIGSTOP, 32, 33};

static uint64_t bits(const int *signals, size_t count)
{
    uint64_t set = 0;
    for (size_t i = 0; i < count; i++)
        set |= 1ull << (signals[i] - 1);
    return set;
}

/* The mask of a thread, out of "SigBlk:\t0000000000000000". */
static uint64_t blocked_by(const char *id)
{
    char path[300];
    char line[256];
    uint64_t set = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%s/status", id);
    FILE *file = fopen(path, "re");
    CHECK(file);
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, "SigBlk:", 7) == 0)
            set = strtoull(line + 7, NULL, 16);
    fclose(file);
    return set;
}

static bool is_weirs(const char *id)
{
    char path[300];
    char name[64] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%s/comm", id);
    FILE *file = fopen(path, "re");
    CHECK(file);
    CHECK(fgets(name, sizeof(name), file));
    fclose(file);
    return strncmp(name, "weir-", 5) == 0;
}

/* How many threads of weir's there are, which must block all that can be. */
static int check_masks(void)
{
    uint64_t may_pass = bits(faults, sizeof(faults) / sizeof(faults[0])) |
                        bits(unblockable, sizeof(unblockable) / sizeof(unblockable[0]));
    DIR *folder = opendir("/proc/self/task");
    const struct dirent *entry;
    int count = 0;
    CHECK(folder);
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.' || !is_weirs(entry->d_name))
            continue;
        uint64_t blocked = blocked_by(entry->d_name);
        CHECK_EQ(blocked | may_pass, UINT64_MAX);
        CHECK_EQ(blocked & bits(faults, sizeof(faults) / sizeof(faults[0])), 0u);
        count++;
    }
    closedir(folder);
    return count;
}

static atomic_bool answered;

static void on_opened(weir_socket socket, int result, void *data)
{
    (void)socket;
    (void)result;
    (void)data;
    atomic_store(&answered, true);
}

/* A name, so that the resolver's thread is started. */
static void connect_by_name(void *runtime)
{
    CHECK_EQ(weir_tcp_connect_async(runtime, "localhost", 1,
                                    WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                                    weir_owned_by_nobody(), WEIR_INFINITY, on_opened, NULL),
             0);
}

int main(void)
{
    weir_runtime *runtime;
    sigset_t set;
    CHECK_EQ(weir_start(&runtime, &(weir_config){.schedulers = SCHEDULERS}), 0);
    CHECK_EQ(weir_run_on(runtime, 0, connect_by_name, runtime), 0);
    while (!atomic_load(&answered))
        sched_yield();
    CHECK_EQ(check_masks(), SCHEDULERS + 1);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* by the only thread of the application */
    for (int i = 0; i < ROUNDS; i++) {
        int got = 0;
        kill(getpid(), SIGTERM);
        CHECK_EQ(sigwait(&set, &got), 0);
        CHECK_EQ(got, SIGTERM);
    }
    weir_stop(runtime);
    return 0;
}
