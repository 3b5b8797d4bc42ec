/* SPDX-License-Identifier: MIT */
#include "common/process.h"

#include "common/fail.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

void process_pin(long core)
{
    if (core == PROCESS_NONE)
        return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    if (sched_setaffinity(0, sizeof(set), &set) < 0)
        fail_errno(errno, "--cpu");
}

unsigned process_raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        fail_errno(errno, "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        fail_errno(errno, "setrlimit");
    return (unsigned)limit.rlim_cur;
}

uint64_t process_cpu_ns(pid_t process)
{
    clockid_t clock;
    struct timespec time;
    int error = clock_getcpuclockid(process, &clock);
    if (error)
        fail_errno(error, "clock of the process");
    if (clock_gettime(clock, &time) < 0)
        fail_errno(errno, "clock of the process");
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

uint64_t process_machine_busy_ns(void)
{
    /* user nice system (idle iowait) irq softirq steal */
    uint64_t ticks[6];
    FILE *file = fopen("/proc/stat", "re");
    if (!file)
        fail_errno(errno, "/proc/stat");
    int count = fscanf(file, "cpu %lu %lu %lu %*u %*u %lu %lu %lu", &ticks[0], &ticks[1], &ticks[2],
                       &ticks[3], &ticks[4], &ticks[5]);
    fclose(file);
    if (count != 6)
        fail("/proc/stat cannot be read");
    uint64_t sum = 0;
    for (int index = 0; index < 6; index++)
        sum += ticks[index];
    return sum * (1000000000U / (uint64_t)sysconf(_SC_CLK_TCK));
}
