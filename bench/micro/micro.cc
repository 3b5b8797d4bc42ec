/* SPDX-License-Identifier: MIT */
#include "micro.h"
#include <benchmark/benchmark.h>
#include <cstring>
#include <string>
#include <vector>

static bool any_failed;

struct micro_run {
    benchmark::State &state;
};

bool micro_next(struct micro_run *run)
{
    return run->state.KeepRunning();
}

void micro_worked(struct micro_run *run, uint64_t items, uint64_t bytes)
{
    auto passes = run->state.iterations();
    run->state.SetItemsProcessed(passes * static_cast<int64_t>(items));
    run->state.SetBytesProcessed(passes * static_cast<int64_t>(bytes));
}

void micro_fail(struct micro_run *run, const char *why)
{
    any_failed = true;
    run->state.SkipWithError(why);
}

void micro_add(const char *name, micro_fn *measure, const void *argument)
{
    benchmark::RegisterBenchmark(name, [=](benchmark::State &state) {
        micro_run run{state};
        measure(&run, argument);
    });
}

int micro_main(int argc, char **argv)
{
    static char once[] = "--benchmark_min_time=0";
    std::vector<char *> arguments(argv, argv + argc);
    for (char *&argument : arguments)
        if (std::strcmp(argument, "--smoke") == 0)
            argument = once;
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data()))
        return 1;
    benchmark::RunSpecifiedBenchmarks();
    return any_failed ? 1 : 0;
}
