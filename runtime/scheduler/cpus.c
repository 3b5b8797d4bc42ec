/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/cpus.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"

/* The C library's set has 1,024 cores, and a kernel that may have more refuses it. */
enum { CORES_MOST = 16384 };

union cpus {
    unsigned long words[CORES_MOST / 8 / sizeof(unsigned long)];
    cpu_set_t set;
};

/* False: it cannot be known. */
static bool read_allowed(union cpus *cpus)
{
    *cpus = (union cpus){0};
    return sched_getaffinity(0, sizeof(*cpus), &cpus->set) == 0;
}

static bool has(const union cpus *cpus, long cpu)
{
    return cpu >= 0 && cpu < CORES_MOST && CPU_ISSET_S((size_t)cpu, sizeof(*cpus), &cpus->set);
}

int cpus_allowed(int *cpus, size_t capacity)
{
    union cpus allowed;
    size_t count = 0;
    if (!read_allowed(&allowed))
        return 0;
    for (int cpu = 0; cpu < CORES_MOST && count < capacity; cpu++)
        if (has(&allowed, cpu))
            cpus[count++] = cpu;
    return (int)count;
}

void cpus_pin(int cpu)
{
    union cpus one = {0};
    union cpus allowed;
    if (!read_allowed(&allowed) || !has(&allowed, cpu))
        return;
    CPU_SET_S((size_t)cpu, sizeof(one), &one.set);
    (void)pthread_setaffinity_np(pthread_self(), sizeof(one), &one.set);
}

static bool is_allowed(long cpu)
{
    union cpus allowed;
    return read_allowed(&allowed) && has(&allowed, cpu);
}

/* One number or range; NULL when it is neither. */
static const char *read_range(const char *text, long *first, long *last)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return NULL;
    *first = *last = strtol(text, &end, 10);
    if (*end != '-')
        return end;
    if (!isdigit((unsigned char)end[1]))
        return NULL;
    *last = strtol(end + 1, &end, 10);
    return end;
}

int cpus_parse(const char *text, int *cpus, size_t capacity)
{
    const char *rest = text;
    size_t count = 0;
    for (;;) {
        long first;
        long last;
        rest = read_range(rest, &first, &last);
        if (!rest || first > last || (*rest && *rest != ','))
            return error_say(-EINVAL, "cpus: \"%s\" is not a list such as 0,2-3", text);
        for (long cpu = first; cpu <= last; cpu++) {
            if (!is_allowed(cpu))
                return error_say(-EINVAL, "cpus: core %ld is not one that this process may use",
                                 cpu);
            if (count == capacity)
                return error_say(-EINVAL, "cpus: more than %zu cores", capacity);
            cpus[count++] = (int)cpu;
        }
        if (!*rest)
            return (int)count;
        rest++;
    }
}
