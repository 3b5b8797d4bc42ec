/* SPDX-License-Identifier: MIT */
#include "load/load.h"

#include "command.h"
#include "load/compare.h"
#include "load/find_rate.h"
#include "load/live.h"
#include "load/plan.h"
#include "load/report.h"
#include "load/results.h"
#include "load/run.h"
#include "load/selftest.h"
#include "load/verdict.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char load_details[] =
    "URL is tcp://HOST:PORT, unix:PATH or udp://HOST:PORT, whose server sends back\n"
    "what it gets, or http://HOST[:PORT][/PATH].\n"
    "\n"
    "With --rate it is an open loop: the times of sending are planned ahead, and a\n"
    "response counts from its planned time, so a server that stalls cannot hide it.\n"
    "Without, a closed loop: each connection waits for a reply before it sends again,\n"
    "and a stall costs one request per connection.\n"
    "\n"
    "  --rate N                requests per second, over all connections\n"
    "  --arrivals SHAPE        constant, poisson, burst:COUNT (so many at a time), or\n"
    "                          ramp:FROM (from FROM per second to the rate; constant)\n"
    "  --seed N                of what is drawn: poisson, sizes (1)\n"
    "  --connections N         how many (64 with --rate)\n"
    "  --depth N               requests on their way at a time on each (1)\n"
    "  --think TIME            closed loop: pause of a connection between two\n"
    "                          requests\n"
    "  --churn                 a new connection for each request\n"
    "  --duration TIME         how long is measured (10s)\n"
    "  --count N               as many requests instead, not beside it\n"
    "  --warm-up TIME|steady   before it; until a test says that it is steady, 10 s\n"
    "                          at most (steady)\n"
    "  --timeout TIME          a request fails so long after its planned time (10s)\n"
    "  --lag-bound TIME        open loop: over it the client was the limit (1ms)\n"
    "  --source ADDRESS        where connections come from; several times: in turn\n"
    "  --find-rate 'pQ<TIME'   from --rate on: the highest rate at which the\n"
    "                          percentile stays under it with 95% confidence and\n"
    "                          nothing fails, within 5%; each step takes the\n"
    "                          --duration\n"
    "  --rounds N              run it so often; the distributions are of all together\n"
    "                          (1)\n"
    "  --against URL           after each round one of this URL, and in the end what\n"
    "                          they say beside each other; from 6 rounds on\n"
    "  --against-json FILE     its results\n"
    "  --own-queue             tcp:// and http://: ask the kernel when it had each\n"
    "                          reply; costs a system call more for each receive\n"
    "                          (udp:// has it always)\n"
    "  --pid N                 the server's process, when it runs here: its CPU,\n"
    "                          calls, memory\n"
    "\n"
    "tcp:// and unix:\n"
    "  --packet TYPE           raw, 1, 2, 4 (a length before each) or line (raw)\n"
    "tcp://, unix: and udp://\n"
    "  --size BYTES|FROM-TO    of a request; drawn evenly (64)\n"
    "http://\n"
    "  --method NAME           (GET; POST with a body)\n"
    "  --header 'NAME: VALUE'  may be given several times\n"
    "  --body TEXT             of the request\n"
    "  --expect-status N       any other is a failure (200 to 299 are none)\n"
    "  --expect-body TEXT      any other is a failure\n"
    "\n"
    "Where to, each elsewhere, beside the text; \"-\" is standard output, in its place:\n"
    "  --json FILE             all of it, as docs/load.schema.json says\n"
    "  --report FILE           a page for a browser: curves, settings, the machine\n"
    "  --hgrm FILE             percentiles of the response, as HdrHistogram's plotter\n"
    "                          reads them\n"
    "  --csv FILE              a row for each second\n"
    "\n"
    "Times are written 250us, 1.5ms, 10s, 2m. Printed are distributions, each class\n"
    "within 0.1%:\n"
    "  response   from the planned time to the reply. A request that failed counts\n"
    "             with the time-out at least, so failing improves nothing\n"
    "  service    from the actual sending to the reply, of answered requests\n"
    "  send lag   from when a request was due and a connection had room, to its\n"
    "             sending: what this program was late\n"
    "  own queue  udp://, or with --own-queue: from when the kernel had the reply, by\n"
    "             its time stamp, until this program looked at it: how much of the\n"
    "             response was its own. Of a stream's replies that came in one piece\n"
    "             each has the last one's stamp. The kernel puts none on what comes\n"
    "             over a local socket (unix:)\n"
    "Each reply is checked: its framing, its content (over http:// its status, and\n"
    "the body when --expect-body says which), that it is in order. A wrong one ends\n"
    "its connection. Datagrams may come in any order; one that has not come by the\n"
    "--timeout is lost, and fails alone.\n"
    "\n"
    "--selftest, alone, makes load for servers inside whose slowness is known, and\n"
    "compares what is reported with what follows by arithmetic: it has to be within\n"
    "1%, and what the machine was seen to keep threads from their cores meanwhile; a\n"
    "closed loop has to fail at it. Where that is too much to tell, the exit status\n"
    "is 3.\n"
    "\n"
    "weir load compare A.json B.json compares two files of --json round by round: the\n"
    "median of the ratios and the interval that has it with 95% confidence. One that\n"
    "is all above or below 1 is a difference. Rounds that were run in turn\n"
    "(--against) are the ones to compare.\n"
    "\n"
    "On a terminal a line says how the last second was, with its histogram (a column\n"
    "for each doubling from 16 us to 4 s, the darker the more), and a mark of the\n"
    "99th percentile for each of the last 24 seconds: the darker the slower.\n"
    "\n"
    "Ctrl-C ends the run with the results so far. Exit status: 0; 1 when there are\n"
    "none; 2 when it was asked wrongly; 3 when the client was the limit, by its lag\n"
    "or, in a closed loop, by being busy for more than 95% of the time.\n";

static FILE *open_output(const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    if (!file)
        fprintf(stderr, "weir load: %s: %s\n", path, strerror(errno));
    return file;
}

static bool close_output(FILE *file, const char *path)
{
    if (file == stdout || fclose(file) == 0)
        return true;
    fprintf(stderr, "weir load: %s: %s\n", path, strerror(errno));
    return false;
}

static const struct output {
    size_t path_at;
    void (*write)(FILE *to, const struct plan *plan, const struct results *results);
} outputs[] = {
    {offsetof(struct plan, json), report_json},
    {offsetof(struct plan, hgrm), report_hgrm},
    {offsetof(struct plan, csv), report_csv},
    {offsetof(struct plan, html), report_html},
};

enum { OUTPUT_COUNT = sizeof(outputs) / sizeof(outputs[0]) };

static const char *path_of(const struct output *output, const struct plan *plan)
{
    return *(const char *const *)((const char *)plan + output->path_at);
}

static bool write_output(const struct output *output, const char *path, const struct plan *plan,
                         const struct results *results)
{
    FILE *file = open_output(path);
    if (!file)
        return false;
    output->write(file, plan, results);
    return close_output(file, path);
}

static bool is_writable(const char *path)
{
    char folder[PATH_MAX];
    struct stat status;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    bool is_there = stat(path, &status) == 0;
    if (is_there && !S_ISDIR(status.st_mode))
        return access(path, W_OK) == 0;
    if (is_there || (errno == ENOENT && slash && !*name))
        errno = EISDIR;
    if (errno != ENOENT || !*name)
        return false;
    snprintf(folder, sizeof(folder), "%.*s.", (int)(name - path), path);
    return access(folder, W_OK | X_OK) == 0;
}

/* Before anything is measured that could not be kept. */
static int try_outputs(const struct plan *plan)
{
    for (size_t i = 0; i < OUTPUT_COUNT; i++) {
        const char *path = path_of(&outputs[i], plan);
        if (path && strcmp(path, "-") != 0 && !is_writable(path))
            return command_misused("load", "%s: %s", path, strerror(errno));
    }
    return 0;
}

/* The text goes to `said`, unless another of the outputs takes its place. One that cannot be
 * written takes nothing from the others: what was measured is not measured again. */
static int report(const struct plan *plan, const struct results *results, FILE *said)
{
    bool is_taken = false, is_whole = true;
    for (size_t i = 0; i < OUTPUT_COUNT; i++) {
        const char *path = path_of(&outputs[i], plan);
        if (!path)
            continue;
        is_taken |= strcmp(path, "-") == 0;
        is_whole &= write_output(&outputs[i], path, plan, results);
    }
    if (!is_taken)
        report_text(said, plan, results);
    if (!is_whole)
        return EXIT_FAILURE;
    return verdict_of(plan, results) == VERDICT_SERVER ? 0 : VERDICT_EXIT_LIMITED;
}

static int run_round(const struct plan *plan, struct results *run, struct results *all)
{
    run->begin_ns = 0;
    live_begin();
    int status = run_load(plan, run, live_show, NULL);
    live_end();
    if (status == 0 && run->begin_ns != 0)
        results_add_round(all, run);
    all->is_interrupted |= run->is_interrupted;
    return status;
}

/* Both in turn, so that what the machine does meanwhile is done to both. */
static int run_rounds(const struct plan *a, struct results *all_a, const struct plan *b,
                      struct results *all_b)
{
    struct results *run = results_create();
    int status = run ? 0 : command_misused("load", "no memory for the results");
    for (uint32_t i = 0; i < a->rounds && status == 0; i++) {
        status = run_round(a, run, all_a);
        if (status == 0 && a->against && !run->is_interrupted)
            status = run_round(b, run, all_b);
        if (status != 0 || run->is_interrupted)
            break;
    }
    results_free(run);
    return status;
}

static int not_counted(void)
{
    fputs("weir load: interrupted before there was anything to count\n", stderr);
    return EXIT_FAILURE;
}

static int report_both(const struct plan *a, const struct results *all_a, const struct plan *b,
                       const struct results *all_b)
{
    FILE *said = plan_says_to(a);
    if (all_a->rounds.count == 0)
        return not_counted();
    int status = report(a, all_a, said);
    if (!a->against || all_b->rounds.count == 0 || (status != 0 && status != VERDICT_EXIT_LIMITED))
        return status;
    int status_b = report(b, all_b, said);
    rounds_print(said, &all_a->rounds, &all_b->rounds);
    return status ? status : status_b;
}

static int run_plan(struct plan *plan, struct results *all, struct results *all_against)
{
    struct plan against = *plan;
    against.url = plan->against;
    against.target = plan->against_target;
    against.json = plan->against_json;
    against.hgrm = against.csv = against.html = NULL;
    against.pid = 0;
    int status = try_outputs(plan);
    if (status == 0)
        status = try_outputs(&against);
    if (status == 0)
        status = plan->find_rate ? find_rate_run(plan, all)
                                 : run_rounds(plan, all, &against, all_against);
    return status ? status : report_both(plan, all, &against, all_against);
}

int load_run(int argc, char **argv)
{
    struct plan plan;
    if (argc == 2 && strcmp(argv[1], "--selftest") == 0)
        return selftest_run();
    if (argc > 1 && strcmp(argv[1], "compare") == 0)
        return compare_run(argc - 1, argv + 1);
    int status = plan_read(argc, argv, &plan);
    if (status != 0)
        return status;
    struct results *all = results_create(), *all_against = results_create();
    if (all && all_against)
        status = run_plan(&plan, all, all_against);
    else
        status = command_misused("load", "no memory for the results");
    results_free(all);
    results_free(all_against);
    return status;
}
