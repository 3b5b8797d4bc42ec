/* SPDX-License-Identifier: MIT */
/*
 * Makes the first allocation of a call fail, then the second, and so on until the call needs no
 * more of them: each time it must say -ENOMEM or do without, leave nothing behind, and work when
 * it is called again.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "cases.h"

enum { ALLOCATIONS_MOST = 1000, SKIPPED = 77 };

static const weir_config config = {
    .schedulers = 1, .buffer_count = 16, .submission_entries = 64, .completion_entries = 128};

void oom_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/* What a call left to its scheduler is done soon, but not at once. */
static void expect_live(const char *name, int64_t expected)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 30000 && memory_live_count() != expected; i++)
        nanosleep(&moment, NULL);
    if (memory_live_count() != expected)
        oom_fail("%s: %lld blocks are left", name, (long long)(memory_live_count() - expected));
}

/* Whether the allocation that was to fail was asked for at all. */
static bool fail_one(const struct oom_case *it, weir_runtime *runtime, uint64_t nth)
{
    int64_t live = memory_live_count();
    uint64_t before = memory_allocation_count();
    memory_fail_nth(nth);
    int result = it->run(runtime);
    bool reached = memory_allocation_count() - before >= nth;
    memory_fail_nth(0);
    if (result != 0 && (result != -ENOMEM || !reached))
        oom_fail("%s, allocation %llu: %s", it->name, (unsigned long long)nth,
                 weir_error_name(result));
    if (!it->needs_runtime)
        expect_live(it->name, live);
    return reached;
}

static void sweep(const struct oom_case *it, weir_runtime *runtime)
{
    uint64_t nth = 1;
    int result = it->run(runtime); /* what is kept for later is there from now on */
    if (result != 0)
        oom_fail("%s: %s", it->name, weir_error_name(result));
    while (fail_one(it, runtime, nth)) {
        result = it->run(runtime);
        if (result != 0)
            oom_fail("%s after allocation %llu: %s", it->name, (unsigned long long)nth,
                     weir_error_name(result));
        if (++nth == ALLOCATIONS_MOST)
            oom_fail("%s never has enough", it->name);
    }
    printf("%-10s %3llu allocations failed one by one\n", it->name, (unsigned long long)nth - 1);
}

int main(void)
{
    int64_t live = memory_live_count();
    weir_runtime *runtime;
    int result = weir_start(&runtime, &config);
    if (result == -EPERM || result == -ENOSYS)
        return SKIPPED;
    if (result < 0)
        oom_fail("start: %s", weir_last_error_text());
    for (unsigned i = 0; i < oom_case_count; i++)
        sweep(&oom_cases[i], runtime);
    weir_stop(runtime);
    expect_live("all", live);
    return 0;
}
