/* SPDX-License-Identifier: MIT */
#include "load/process.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 128, NAME_SIZE = 64, LINE_SIZE = 1024 };

static FILE *open_of(uint32_t pid, const char *name)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
    return fopen(path, "re");
}

/* The name in the second field may have blanks and brackets, so what follows the last one counts.
 */
static bool read_stat(uint32_t pid, struct process_sample *sample)
{
    char line[LINE_SIZE];
    uint64_t user, system, pages;
    FILE *file = open_of(pid, "stat");
    if (!file)
        return false;
    char *end = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    fclose(file);
    int count = end ? sscanf(end + 1,
                             " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                             " %*d %*d %*d %*d %*d %*d %*u %*u %" SCNu64,
                             &user, &system, &pages)
                    : 0;
    const uint64_t tick_ns = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
    if (count != 3)
        return false;
    sample->user_ns = user * tick_ns;
    sample->system_ns = system * tick_ns;
    sample->memory_bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return true;
}

static bool read_clock(uint32_t pid, uint64_t *cpu_ns)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid((pid_t)pid, &clock) != 0 || clock_gettime(clock, &time) < 0)
        return false;
    *cpu_ns = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
    return true;
}

struct process_use process_used(const struct process_sample *begin,
                                const struct process_sample *end)
{
    double used_us = (double)(end->cpu_ns - begin->cpu_ns) / 1e3;
    uint64_t user_ns = end->user_ns - begin->user_ns, system_ns = end->system_ns - begin->system_ns;
    bool is_short = user_ns + system_ns == 0; /* then as it was so far */
    if (is_short) {
        user_ns = end->user_ns;
        system_ns = end->system_ns;
    }
    double ticks_ns = (double)(user_ns + system_ns);
    double user_us = ticks_ns > 0 ? used_us * (double)user_ns / ticks_ns : used_us;
    return (struct process_use){.user_us = user_us, .system_us = used_us - user_us};
}

/* The sum of the values behind the names, one "NAME: VALUE" a line. */
static uint64_t sum_of(FILE *file, const char *first, const char *second)
{
    char line[LINE_SIZE];
    uint64_t sum = 0, value;
    while (file && fgets(line, sizeof(line), file)) {
        char *colon = strchr(line, ':');
        if (!colon)
            continue;
        *colon = '\0';
        bool is_it = strcmp(line, first) == 0 || strcmp(line, second) == 0;
        if (is_it && sscanf(colon + 1, "%" SCNu64, &value) == 1)
            sum += value;
    }
    if (file)
        fclose(file);
    return sum;
}

/* Each thread has a row of its own. */
static uint64_t switches_of(uint32_t pid)
{
    char path[PATH_SIZE], name[NAME_SIZE];
    uint64_t sum = 0;
    unsigned thread;
    snprintf(path, sizeof(path), "/proc/%u/task", pid);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (sscanf(entry->d_name, "%u", &thread) != 1)
            continue;
        snprintf(name, sizeof(name), "task/%u/status", thread);
        sum += sum_of(open_of(pid, name), "voluntary_ctxt_switches", "");
    }
    if (folder)
        closedir(folder);
    return sum;
}

bool process_sample(uint32_t pid, struct process_sample *sample)
{
    *sample = (struct process_sample){0};
    if (!read_stat(pid, sample) || !read_clock(pid, &sample->cpu_ns))
        return false;
    sample->calls = sum_of(open_of(pid, "io"), "syscr", "syscw");
    sample->switches = switches_of(pid);
    return true;
}
