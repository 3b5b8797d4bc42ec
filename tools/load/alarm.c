/* SPDX-License-Identifier: MIT */
#include "load/alarm.h"

#include "base/clock.h"

#include <errno.h>
#include <time.h>

void alarm_init(struct alarm *alarm)
{
    sem_init(&alarm->changed, 0, 0);
    alarm->due_ns = ALARM_NEVER;
    alarm->is_over = false;
}

void alarm_destroy(struct alarm *alarm)
{
    sem_destroy(&alarm->changed);
}

void alarm_set(struct alarm *alarm, uint64_t due_ns)
{
    __atomic_store_n(&alarm->due_ns, due_ns, __ATOMIC_RELEASE);
    sem_post(&alarm->changed);
}

void alarm_end(struct alarm *alarm)
{
    __atomic_store_n(&alarm->is_over, true, __ATOMIC_RELEASE);
    sem_post(&alarm->changed);
}

static bool sleep_until(struct alarm *alarm, uint64_t until_ns)
{
    const uint64_t second_ns = 1000000000;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / second_ns),
                                   .tv_nsec = (long)(until_ns % second_ns)};
    return sem_clockwait(&alarm->changed, CLOCK_MONOTONIC, &until) == 0 || errno != EINTR;
}

enum alarm_news alarm_wait(struct alarm *alarm, uint64_t until_ns)
{
    for (;;) {
        if (__atomic_load_n(&alarm->is_over, __ATOMIC_ACQUIRE))
            return ALARM_IS_OVER;
        uint64_t due_ns = __atomic_load_n(&alarm->due_ns, __ATOMIC_ACQUIRE);
        uint64_t now_ns = clock_now_ns();
        bool is_due = due_ns != ALARM_NEVER && due_ns <= now_ns + ALARM_EARLY_NS;
        if (is_due && __atomic_compare_exchange_n(&alarm->due_ns, &due_ns, ALARM_NEVER, false,
                                                  __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return ALARM_IS_DUE;
        if (until_ns <= now_ns)
            return ALARM_UNTIL;
        uint64_t wake_ns = due_ns == ALARM_NEVER ? until_ns : due_ns - ALARM_EARLY_NS;
        if (!sleep_until(alarm, wake_ns < until_ns ? wake_ns : until_ns))
            return ALARM_SIGNAL;
    }
}
