/* SPDX-License-Identifier: MIT */
/* sim [--seed N] [--runs N] [--minutes M] ...: see docs/TESTING.md. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/trace.h"
#include "sim/world.h"

enum { BATCH = 2000, SECONDS_PER_BATCH_MOST = 300, WORST_CASE = 77 };

struct request {
    uint64_t first_seed;
    uint64_t run_count;
    double minutes; /* 0: as many runs as were asked for */
    uint32_t ticks;
    bool expects_failure;
    bool goes_on; /* every seed that fails is named, none is shortened */
    bool twice;   /* each run again, which must be the same */
};

/* What a child leaves behind when it dies. */
struct report {
    uint64_t seed;
    uint64_t runs;
    uint64_t events;
    uint32_t ticks;
};

static struct report *report;

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void die(int signal_number)
{
    fprintf(stderr, "sim: seed %" PRIu64 " ends by %s\n", report->seed, strsignal(signal_number));
    trace_print();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void run_again(const struct request *request, const struct world_result *first)
{
    struct world_result again;
    world_run(report->seed, request->ticks, &again);
    SIM_CHECK(again.events == first->events && again.turns == first->turns,
              "%" PRIu64 " events in %" PRIu64 " turns, and the second time %" PRIu64
              " in %" PRIu64,
              first->events, first->turns, again.events, again.turns);
}

static void run_batch(uint64_t first, uint64_t count, const struct request *request)
{
    struct world_result result;
    signal(SIGABRT, die);
    signal(SIGALRM, die);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(trace_print);
    else
        signal(SIGSEGV, die);
    alarm(SECONDS_PER_BATCH_MOST);
    world_open();
    for (uint64_t seed = first; seed < first + count; seed++) {
        report->seed = seed;
        world_run(seed, request->ticks, &result);
        if (request->twice)
            run_again(request, &result);
        report->runs++;
        report->events += result.events;
        report->ticks = result.ticks;
    }
    world_close();
}

/* In a child, so that what aborts it does not end the search. Whether it came to its end. */
static bool survives(uint64_t first, uint64_t count, const struct request *request, bool quiet)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (quiet && !freopen("/dev/null", "w", stderr))
            _exit(1);
        run_batch(first, count, request);
        _exit(0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The fewest ticks with which it fails, for the last lines to be about the failure. */
static uint32_t shorten(uint64_t seed, struct request request)
{
    for (request.ticks = 0; request.ticks <= 256; request.ticks++)
        if (!survives(seed, 1, &request, true))
            return request.ticks;
    return WORLD_TICKS_ALL;
}

static int show_failure(struct request request)
{
    uint64_t seed = report->seed;
    if (request.expects_failure) {
        printf("found by seed %" PRIu64 ", run %" PRIu64 "\n", seed, seed - request.first_seed + 1);
        return 0;
    }
    if (request.ticks == WORLD_TICKS_ALL)
        request.ticks = shorten(seed, request);
    survives(seed, 1, &request, false);
    printf("seed %" PRIu64 " fails. Replay: sim --seed %" PRIu64, seed, seed);
    if (request.ticks != WORLD_TICKS_ALL)
        printf(" --ticks %u", request.ticks);
    puts(request.twice ? " --twice" : "");
    return 1;
}

static double now_s(void)
{
    struct timespec now;
    (void)timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int search(const struct request *request)
{
    double began_s = now_s();
    uint64_t end = request->first_seed + request->run_count;
    for (uint64_t seed = request->first_seed; seed < end; seed += BATCH) {
        uint64_t count = end - seed < BATCH ? end - seed : BATCH;
        if (request->minutes > 0 && now_s() - began_s > request->minutes * 60)
            break;
        if (survives(seed, count, request, true))
            continue;
        if (!request->goes_on)
            return show_failure(*request);
        survives(report->seed, 1, request, false);
        seed = report->seed + 1 - BATCH;
    }
    double seconds = now_s() - began_s;
    printf("%" PRIu64 " runs from seed %" PRIu64 ", %" PRIu64
           " events, %.1f s, %.0f events/s: nothing found\n",
           report->runs, request->first_seed, report->events, seconds,
           (double)report->events / seconds);
    return request->expects_failure ? 1 : 0;
}

static const char usage[] =
    "usage: sim [--seed N] [--runs N] [--minutes M] [--ticks N] [--all] [--twice]\n"
    "           [--expect-failure]\n"
    "\n"
    "  --seed N          the first run; by itself, only this one\n"
    "  --runs N          how many runs, one seed each (1000)\n"
    "  --minutes M       runs for so long\n"
    "  --ticks N         how long a run is\n"
    "  --all             goes on after a failure\n"
    "  --twice           makes each run again, and fails if it is another\n"
    "  --expect-failure  fails if none is found\n";

static bool read_number(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno;
}

static bool read_value(const char *name, uint64_t value, struct request *request)
{
    if (strcmp(name, "--seed") == 0) {
        request->first_seed = value;
        request->run_count = request->run_count ? request->run_count : 1;
    } else if (strcmp(name, "--runs") == 0) {
        request->run_count = value;
    } else if (strcmp(name, "--minutes") == 0) {
        request->minutes = (double)value;
        request->run_count = UINT64_MAX / 2;
    } else if (strcmp(name, "--ticks") == 0 && value <= UINT32_MAX) {
        request->ticks = (uint32_t)value;
    } else {
        return false;
    }
    return true;
}

static bool read_flag(const char *name, struct request *request)
{
    if (strcmp(name, "--expect-failure") == 0)
        request->expects_failure = true;
    else if (strcmp(name, "--all") == 0)
        request->goes_on = true;
    else if (strcmp(name, "--twice") == 0)
        request->twice = true;
    else
        return false;
    return true;
}

/* NULL, or what cannot be read. */
static const char *read_arguments(char **argument, struct request *request)
{
    for (; *argument; argument++) {
        uint64_t value;
        if (read_flag(*argument, request))
            continue;
        if (!argument[1] || !read_number(argument[1], &value))
            return argument[0];
        if (!read_value(argument[0], value, request))
            return argument[0];
        argument++;
    }
    return NULL;
}

int main(int count, char **arguments)
{
    struct request request = {.ticks = WORLD_TICKS_ALL};
    if (count > 1 && strcmp(arguments[1], "--help") == 0)
        return fputs(usage, stdout) < 0;
    const char *wrong = read_arguments(arguments + 1, &request);
    if (wrong) {
        fprintf(stderr, "sim: '%s' is no option, or is not followed by a number\n%s", wrong, usage);
        return 2;
    }
    if (request.run_count == 0)
        request.run_count = 1000;
    if (request.first_seed == 0)
        request.first_seed = (uint64_t)time(NULL) * 1000003u % 1000000007u;
    report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED)
        return 1;
    return search(&request);
}
