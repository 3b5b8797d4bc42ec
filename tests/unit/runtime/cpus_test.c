/* SPDX-License-Identifier: MIT */
/* Machines with more cores than the C library's set has, and processes that may use few of them. */
#include "runtime/scheduler/cpus.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

/* The machine: a core's number each, and what the kernel's own set takes at least. */
static int cores[8];
static int core_count;
static size_t kernel_bytes;
static bool is_refused;

/* What a thread was pinned to last, and how often. */
static int pinned_to;
static int pin_count;

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    (void)pid;
    if (is_refused || size < kernel_bytes) {
        errno = is_refused ? EPERM : EINVAL;
        return -1;
    }
    memset(set, 0, size);
    for (int i = 0; i < core_count; i++)
        CPU_SET_S((size_t)cores[i], size, set);
    return 0;
}

int pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set)
{
    (void)thread;
    cr_assert(CPU_COUNT_S(size, set) == 1);
    for (pinned_to = 0; !CPU_ISSET_S((size_t)pinned_to, size, set);)
        pinned_to++;
    pin_count++;
    return 0;
}

static void be(size_t bytes, int count, const int *numbers)
{
    kernel_bytes = bytes;
    core_count = count;
    memcpy(cores, numbers, (size_t)count * sizeof(*numbers));
}

Test(cpus, more_than_a_thousand)
{
    int cpus[64];
    be(512, 3, (int[]){0, 1023, 4095});
    cr_assert(cpus_allowed(cpus, 64) == 3);
    cr_expect(cpus[0] == 0 && cpus[1] == 1023 && cpus[2] == 4095);
    cr_assert(cpus_parse("4095,0", cpus, 64) == 2 && cpus[0] == 4095);
    cr_expect(cpus_parse("1022", cpus, 64) == -EINVAL);
    cpus_pin(4095);
    cr_expect(pin_count == 1 && pinned_to == 4095);
}

Test(cpus, few_and_far_between)
{
    int cpus[64];
    be(128, 2, (int[]){5, 77});
    cr_assert(cpus_allowed(cpus, 64) == 2);
    cr_expect(cpus[0] == 5 && cpus[1] == 77);
    cr_expect(cpus_allowed(cpus, 1) == 1 && cpus[0] == 5);
    cr_expect(cpus_parse("0", cpus, 64) == -EINVAL);
    cr_expect(cpus_parse("5-77", cpus, 64) == -EINVAL);
}

/* The process may have lost a core since it asked. */
Test(cpus, never_pinned_to_what_may_not_be_used)
{
    be(128, 1, (int[]){5});
    cpus_pin(0);
    cpus_pin(100000);
    cr_expect(pin_count == 0);
    cpus_pin(5);
    cr_expect(pin_count == 1 && pinned_to == 5);
}

Test(cpus, none_when_it_cannot_be_known)
{
    int cpus[64];
    is_refused = true;
    cr_expect(cpus_allowed(cpus, 64) == 0);
    cr_expect(cpus_parse("0", cpus, 64) == -EINVAL);
    cpus_pin(0);
    cr_expect(pin_count == 0);
}
