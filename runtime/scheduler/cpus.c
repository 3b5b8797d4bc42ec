/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/cpus.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"

int cpus_allowed(int *cpus, size_t capacity)
{
    cpu_set_t set;
    size_t count = 0;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        CPU_SET(0, &set);
    for (int cpu = 0; cpu < CPU_SETSIZE && count < capacity; cpu++)
        if (CPU_ISSET((unsigned)cpu, &set))
            cpus[count++] = cpu;
    return (int)count;
}

static bool is_allowed(long cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    return cpu >= 0 && cpu < CPU_SETSIZE && sched_getaffinity(0, sizeof(set), &set) == 0 &&
           CPU_ISSET((unsigned)cpu, &set);
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
