/* SPDX-License-Identifier: MIT */
#include "load/plan.h"

#include "command.h"
#include "load/find_rate.h"
#include "load/process.h"
#include "load/rounds.h"
#include "switches.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int misused_value(const char *name, const char *text, const char *what)
{
    return command_misused("load", "%s: '%s' is not %s", name, text, what);
}

bool plan_parse_time(const char *text, uint64_t *time_ns)
{
    static const struct {
        const char *unit;
        double unit_ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
    const double week_ns = 7 * 24 * 3600e9;
    char *end;
    double value = strtod(text, &end);
    if (end == text || !(*text >= '0' && *text <= '9') || !isfinite(value))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].unit) != 0)
            continue;
        *time_ns = (uint64_t)(value * units[i].unit_ns);
        return value * units[i].unit_ns <= week_ns;
    }
    return false;
}

static bool parse_number(const char *text, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *number <= most;
}

static int read_number(const char *name, const char *text, uint32_t *number)
{
    uint64_t value;
    if (!parse_number(text, 1000000, &value) || value == 0)
        return misused_value(name, text, "a number from 1 to 1000000");
    *number = (uint32_t)value;
    return 0;
}

static int read_time(const char *name, const char *text, uint64_t *time_ns)
{
    if (!plan_parse_time(text, time_ns) || *time_ns == 0)
        return misused_value(name, text, "a time, as in 250us, 1.5ms, 10s or 2m");
    return 0;
}

static bool parse_rate(const char *text, double *rate)
{
    char *end;
    *rate = strtod(text, &end);
    bool has_unit = strcmp(end, "/s") == 0;
    return *text >= '0' && *text <= '9' && (!*end || has_unit) && *rate >= 0 && *rate <= 1e8;
}

static int read_rate(const char *text, void *of)
{
    struct plan *plan = of;
    if (!parse_rate(text, &plan->arrivals.rate) || plan->arrivals.rate < 0.001)
        return misused_value("--rate", text, "requests per second, as in 1000");
    plan->is_open_loop = true;
    return 0;
}

static int read_arrivals(const char *text, void *of)
{
    struct plan *plan = of;
    struct arrivals_shape *shape = &plan->arrivals;
    uint64_t count = 0;
    if (strcmp(text, "constant") == 0)
        shape->kind = ARRIVALS_CONSTANT;
    else if (strcmp(text, "poisson") == 0)
        shape->kind = ARRIVALS_POISSON;
    else if (strncmp(text, "burst:", 6) == 0 && parse_number(text + 6, 1000000, &count) && count)
        shape->kind = ARRIVALS_BURST;
    else if (strncmp(text, "ramp:", 5) == 0 && parse_rate(text + 5, &shape->from_rate))
        shape->kind = ARRIVALS_RAMP;
    else
        return misused_value("--arrivals", text, "constant, poisson, burst:COUNT or ramp:FROM");
    shape->burst_count = (uint32_t)count;
    return 0;
}

static int read_seed(const char *text, void *of)
{
    struct plan *plan = of;
    if (!parse_number(text, UINT64_MAX, &plan->arrivals.seed))
        return misused_value("--seed", text, "a number");
    return 0;
}

static int read_count(const char *text, void *of)
{
    struct plan *plan = of;
    if (!parse_number(text, UINT64_C(1) << 40, &plan->count) || plan->count == 0)
        return misused_value("--count", text, "a number of requests");
    return 0;
}

static int read_size(const char *text, void *of)
{
    struct plan *plan = of;
    char *end;
    unsigned long from = strtoul(text, &end, 10), to = from;
    bool is_good = *text >= '0' && *text <= '9';
    if (*end == '-' && end[1] >= '0' && end[1] <= '9')
        to = strtoul(end + 1, &end, 10);
    if (!is_good || *end || from == 0 || to < from || to > PLAN_SIZE_MAX)
        return misused_value("--size", text, "BYTES or FROM-TO, from 1 to 16777216");
    plan->size_min = (uint32_t)from;
    plan->size_max = (uint32_t)to;
    return 0;
}

static int read_warm_up(const char *text, void *of)
{
    struct plan *plan = of;
    if (strcmp(text, "steady") == 0)
        plan->warm_up_ns = PLAN_UNTIL_STEADY;
    else if (!plan_parse_time(text, &plan->warm_up_ns))
        return misused_value("--warm-up", text, "'steady' or a time, as in 2s");
    return 0;
}

static int read_header(const char *text, void *of)
{
    struct plan *plan = of;
    const char *colon = strchr(text, ':');
    if (!colon || colon == text || strpbrk(text, "\r\n"))
        return misused_value("--header", text, "'NAME: VALUE'");
    if (plan->header_count == PLAN_HEADERS_MAX)
        return command_misused("load", "--header: more than %d headers", PLAN_HEADERS_MAX);
    plan->headers[plan->header_count++] = text;
    return 0;
}

static int read_status(const char *text, void *of)
{
    struct plan *plan = of;
    uint64_t status;
    if (!parse_number(text, 599, &status) || status < 200)
        return misused_value("--expect-status", text, "an HTTP status from 200 to 599");
    plan->expected_status = (uint32_t)status;
    return 0;
}

static int read_source(const char *text, void *of)
{
    struct plan *plan = of;
    if (plan->source_count == PLAN_SOURCES_MAX)
        return command_misused("load", "--source: more than %d addresses", PLAN_SOURCES_MAX);
    if (weir_address_parse_strict(text, &plan->sources[plan->source_count++]) < 0)
        return misused_value("--source", text, "an address");
    return 0;
}

static int read_pid(const char *text, void *of)
{
    struct plan *plan = of;
    struct process_sample sample;
    uint64_t pid;
    if (!parse_number(text, INT32_MAX, &pid) || !process_sample((uint32_t)pid, &sample))
        return misused_value("--pid", text, "the number of a process that runs here");
    plan->pid = (uint32_t)pid;
    return 0;
}

static int read_find_rate(const char *text, void *of)
{
    struct plan *plan = of;
    struct find_rate_goal goal;
    if (!find_rate_parse(text, &goal))
        return misused_value("--find-rate", text, "a percentile and a time, as in 'p99<1ms'");
    plan->find_rate = text;
    return 0;
}

static int read_rounds(const char *text, void *of)
{
    struct plan *plan = of;
    uint64_t rounds;
    if (!parse_number(text, ROUNDS_MAX, &rounds) || rounds == 0)
        return misused_value("--rounds", text, "a number from 1 to 200");
    plan->rounds = (uint32_t)rounds;
    return 0;
}

static int read_against(const char *text, void *of)
{
    struct plan *plan = of;
    plan->against = text;
    if (target_parse(text, &plan->against_target) < 0)
        return command_misused("load", "--against: %s", weir_last_error_text());
    return 0;
}

enum only { ANY, ONLY_TCP, ONLY_HTTP, ONLY_ECHO, ONLY_OPEN_LOOP, ONLY_CLOSED_LOOP };

static const struct switch_row rows[] = {
    {.name = "--rate", .read = read_rate},
    {.name = "--arrivals", .read = read_arrivals, .only = ONLY_OPEN_LOOP},
    {.name = "--seed", .read = read_seed},
    {.name = "--connections", .number_at = offsetof(struct plan, connections)},
    {.name = "--depth", .number_at = offsetof(struct plan, depth)},
    {.name = "--think", .time_at = offsetof(struct plan, think_ns), .only = ONLY_CLOSED_LOOP},
    {.name = "--churn", .flag_at = offsetof(struct plan, churn)},
    {.name = "--own-queue", .flag_at = offsetof(struct plan, own_queue)},
    {.name = "--packet", .text_at = offsetof(struct plan, packet), .only = ONLY_TCP},
    {.name = "--size", .read = read_size, .only = ONLY_ECHO},
    {.name = "--method", .text_at = offsetof(struct plan, method), .only = ONLY_HTTP},
    {.name = "--header", .read = read_header, .only = ONLY_HTTP, .may_repeat = true},
    {.name = "--body", .text_at = offsetof(struct plan, body), .only = ONLY_HTTP},
    {.name = "--expect-status", .read = read_status, .only = ONLY_HTTP},
    {.name = "--expect-body", .text_at = offsetof(struct plan, expected_body), .only = ONLY_HTTP},
    {.name = "--duration", .time_at = offsetof(struct plan, duration_ns)},
    {.name = "--count", .read = read_count},
    {.name = "--warm-up", .read = read_warm_up},
    {.name = "--timeout", .time_at = offsetof(struct plan, timeout_ns)},
    {.name = "--lag-bound", .time_at = offsetof(struct plan, lag_bound_ns), .only = ONLY_OPEN_LOOP},
    {.name = "--source", .read = read_source, .may_repeat = true},
    {.name = "--find-rate", .read = read_find_rate},
    {.name = "--rounds", .read = read_rounds},
    {.name = "--against", .read = read_against},
    {.name = "--against-json", .text_at = offsetof(struct plan, against_json)},
    {.name = "--pid", .read = read_pid},
    {.name = "--json", .text_at = offsetof(struct plan, json)},
    {.name = "--hgrm", .text_at = offsetof(struct plan, hgrm)},
    {.name = "--csv", .text_at = offsetof(struct plan, csv)},
    {.name = "--report", .text_at = offsetof(struct plan, html)},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static const struct switches switches = {
    .command = "load",
    .rows = rows,
    .count = ROW_COUNT,
    .read_number = read_number,
    .read_time = read_time,
};

static int read_url(const char *url, struct plan *plan)
{
    if (plan->url)
        return command_misused("load", "one URL at a time, not also '%s'", url);
    plan->url = url;
    if (target_parse(url, &plan->target) < 0)
        return command_misused("load", "%s", weir_last_error_text());
    return 0;
}

static int read_argument(char ***argument, struct plan *plan, uint64_t *seen)
{
    if ((**argument)[0] == '-')
        return switches_read(&switches, argument, plan, seen);
    return read_url(*(*argument)++, plan);
}

static int check_row(const struct switch_row *row, const struct plan *plan)
{
    bool is_http = plan->target.scheme == TARGET_HTTP;
    if (row->only == ONLY_TCP && plan->target.scheme != TARGET_TCP)
        return command_misused("load", "%s is for tcp:// and unix:", row->name);
    if (row->only == ONLY_ECHO && is_http)
        return command_misused("load", "%s is for tcp://, unix: and udp://", row->name);
    if (row->only == ONLY_HTTP && !is_http)
        return command_misused("load", "%s is for http://", row->name);
    if (row->only == ONLY_OPEN_LOOP && !plan->is_open_loop)
        return command_misused("load", "%s goes with --rate", row->name);
    if (row->only == ONLY_CLOSED_LOOP && plan->is_open_loop)
        return command_misused("load", "%s is of a closed loop: without --rate", row->name);
    return 0;
}

enum { PATH_COUNT = 5 };

static void paths_of(const struct plan *plan, const char *paths[PATH_COUNT])
{
    const char *all[PATH_COUNT] = {plan->json, plan->against_json, plan->hgrm, plan->csv,
                                   plan->html};
    memcpy(paths, all, sizeof(all));
}

/* The later would be written over the earlier. */
static int check_paths(const struct plan *plan)
{
    const char *paths[PATH_COUNT];
    paths_of(plan, paths);
    for (size_t i = 0; i < PATH_COUNT; i++)
        for (size_t k = 0; k < i; k++)
            if (paths[i] && paths[k] && strcmp(paths[i], paths[k]) == 0)
                return command_misused("load", "two outputs cannot both go to '%s'", paths[i]);
    return 0;
}

/* How long, or how many. */
static int check_length(const struct plan *plan)
{
    if (plan->count == 0 || plan->duration_ns == 0)
        return 0;
    return command_misused("load", "--duration and --count: only one of them says when it ends");
}

/* What the options say together. */
static int check(struct plan *plan, uint64_t seen)
{
    if (!plan->url)
        return command_misused("load", "which URL? tcp://HOST:PORT, http://HOST[:PORT][/PATH], "
                                       "udp://HOST:PORT or unix:PATH");
    for (size_t i = 0; i < ROW_COUNT; i++) {
        int status = seen & UINT64_C(1) << i ? check_row(&rows[i], plan) : 0;
        if (status != 0)
            return status;
    }
    if (!plan->is_open_loop && plan->connections == 0)
        return command_misused("load", "--rate N (an open loop: times of sending are planned) or "
                                       "--connections N (a closed loop) is needed");
    if (plan->find_rate && !plan->is_open_loop)
        return command_misused("load", "--find-rate begins at a rate: --rate N");
    if (plan->against && plan->against_target.scheme != plan->target.scheme)
        return command_misused("load", "--against: it has to be of the same scheme");
    if (plan->against_json && !plan->against)
        return command_misused("load", "--against-json goes with --against");
    if (plan->find_rate && (plan->against || plan->rounds > 1))
        return command_misused("load", "--find-rate goes without --rounds and --against");
    if (plan->source_count && plan->target.is_local)
        return command_misused("load", "--source: a local socket comes from no address");
    if (plan->own_queue && (plan->target.is_local || plan->against_target.is_local))
        return command_misused("load", "--own-queue: the kernel stamps nothing that comes over a "
                                       "local socket");
    if (plan->churn && plan->depth > 1)
        return command_misused("load", "--depth: with --churn a connection has one request");
    if (plan->arrivals.kind == ARRIVALS_RAMP && plan->count > 0)
        return command_misused("load", "--arrivals: a ramp takes a --duration, no --count");
    int status = check_length(plan);
    return status == 0 ? check_paths(plan) : status;
}

enum { OPEN_LOOP_CONNECTIONS = 64 };
static const uint64_t usual_duration_ns = UINT64_C(10000000000);

int plan_read(int argc, char **argv, struct plan *plan)
{
    uint64_t seen = 0;
    (void)argc;
    *plan = (struct plan){.depth = 1,
                          .rounds = 1,
                          .packet = "raw",
                          .size_min = 64,
                          .size_max = 64,
                          .warm_up_ns = PLAN_UNTIL_STEADY,
                          .timeout_ns = UINT64_C(10000000000),
                          .lag_bound_ns = 1000000,
                          .arrivals.seed = 1};
    for (char **argument = argv + 1; *argument;) {
        int status = read_argument(&argument, plan, &seen);
        if (status != 0)
            return status;
    }
    int status = check(plan, seen);
    if (status != 0)
        return status;
    if (plan->connections == 0)
        plan->connections = OPEN_LOOP_CONNECTIONS;
    if (plan->duration_ns == 0)
        plan->duration_ns = usual_duration_ns;
    if (plan->target.scheme == TARGET_UDP)
        plan->own_queue = true;
    plan->arrivals.duration_ns = plan->duration_ns;
    return 0;
}

FILE *plan_says_to(const struct plan *plan)
{
    const char *paths[PATH_COUNT];
    paths_of(plan, paths);
    for (size_t i = 0; i < PATH_COUNT; i++)
        if (paths[i] && strcmp(paths[i], "-") == 0)
            return stderr;
    return stdout;
}
