/* SPDX-License-Identifier: MIT */
#include "load/witness.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <time.h>

enum { STEP_NS = 1000000 };

struct sleeper {
    pthread_t thread;
    int core;
    const bool *is_over;
    struct histogram late;
};

struct witness {
    bool is_over;
    size_t count;
    struct sleeper sleepers[];
};

static void stay_on(int core)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    (void)pthread_setaffinity_np(pthread_self(), sizeof(cores), &cores);
}

static void sleep_until(uint64_t time_ns)
{
    const uint64_t second_ns = 1000000000;
    struct timespec until = {.tv_sec = (time_t)(time_ns / second_ns),
                             .tv_nsec = (long)(time_ns % second_ns)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void *sleep_on_and_on(void *data)
{
    struct sleeper *sleeper = data;
    prctl(PR_SET_TIMERSLACK, 1);
    stay_on(sleeper->core);
    uint64_t due_ns = clock_now_ns();
    while (!__atomic_load_n(sleeper->is_over, __ATOMIC_ACQUIRE)) {
        due_ns += STEP_NS;
        sleep_until(due_ns);
        histogram_add(&sleeper->late, clock_now_ns() - due_ns, 1);
    }
    return NULL;
}

static int add_sleeper(struct witness *witness, int core)
{
    struct sleeper *sleeper = &witness->sleepers[witness->count];
    sleeper->core = core;
    sleeper->is_over = &witness->is_over;
    int result = thread_create(&sleeper->thread, sleep_on_and_on, sleeper);
    witness->count += result == 0;
    return result;
}

struct witness *witness_start(void)
{
    cpu_set_t cores;
    int result = sched_getaffinity(0, sizeof(cores), &cores) < 0 ? -errno : 0;
    size_t count = result == 0 ? (size_t)CPU_COUNT(&cores) : 0;
    struct witness *witness =
        memory_allocate_zeroed(1, sizeof(*witness) + count * sizeof(witness->sleepers[0]));
    if (!witness)
        return NULL;
    for (int core = 0; witness->count < count && result == 0; core++)
        if (CPU_ISSET(core, &cores))
            result = add_sleeper(witness, core);
    if (result == 0)
        return witness;
    witness_end(witness, NULL);
    errno = -result;
    return NULL;
}

void witness_end(struct witness *witness, struct histogram *late)
{
    __atomic_store_n(&witness->is_over, true, __ATOMIC_RELEASE);
    for (size_t i = 0; i < witness->count; i++) {
        pthread_join(witness->sleepers[i].thread, NULL);
        if (late)
            histogram_merge(late, &witness->sleepers[i].late);
    }
    memory_free(witness);
}
