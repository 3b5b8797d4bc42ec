/* SPDX-License-Identifier: MIT */
#include "load/report.h"
#include "load/verdict.h"

#include <inttypes.h>

/* Three digits that count, with a unit. */
static void print_time(FILE *to, uint64_t time_ns)
{
    static const struct {
        const char *unit;
        double unit_ns;
    } units[] = {{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
    size_t i = 0;
    while (i < 3 && (double)time_ns < units[i].unit_ns)
        i++;
    double value = (double)time_ns / units[i].unit_ns;
    int digits = value < 10 ? 2 : value < 100 ? 1 : 0;
    fprintf(to, " %7.*f %-2s", i == 3 ? 0 : digits, value, units[i].unit);
}

static const double quantiles[] = {0.5, 0.9, 0.99, 0.999, 0.9999};

enum { QUANTILE_COUNT = sizeof(quantiles) / sizeof(quantiles[0]) };

static void print_histogram(FILE *to, const char *name, const struct histogram *histogram)
{
    fprintf(to, "%-9s", name);
    for (size_t i = 0; i < QUANTILE_COUNT; i++)
        print_time(to, histogram_quantile_ns(histogram, quantiles[i]));
    print_time(to, histogram->max_ns);
    print_time(to, (uint64_t)histogram_mean_ns(histogram));
    fputc('\n', to);
}

static void print_settings(FILE *to, const struct plan *plan)
{
    fprintf(to, "%s, ", plan->url);
    if (plan->is_open_loop)
        fprintf(to, "open loop, %s, %g/s, ", arrivals_name(plan->arrivals.kind),
                plan->arrivals.rate);
    else
        fprintf(to, "closed loop, ");
    fprintf(to, "%u connection%s", plan->connections, plan->connections == 1 ? "" : "s");
    if (plan->depth > 1)
        fprintf(to, ", depth %u", plan->depth);
    fprintf(to, "%s\n", plan->churn ? ", a new one for each request" : "");
}

/* How much of the response was the client's own: where it is not known, why. */
static void print_queue(FILE *to, const struct plan *plan, const struct results *results)
{
    if (results->queue.count > 0)
        print_histogram(to, "own queue", &results->queue);
    else if (plan->target.is_local)
        fputs("own queue not known: the kernel stamps nothing that comes over a local socket\n",
              to);
    else if (plan->own_queue)
        fputs("own queue not known: the kernel has put a time stamp on no reply\n", to);
    else
        fputs("own queue not asked for: --own-queue\n", to);
}

static void print_failures(FILE *to, const struct results *results)
{
    for (int outcome = OUTCOME_OK + 1; outcome < OUTCOME_COUNT; outcome++)
        if (results->outcomes[outcome] > 0)
            fprintf(to, "failed    %10" PRIu64 "  %s\n", results->outcomes[outcome],
                    outcome_text(outcome));
    if (results->connect_failures > 0)
        fprintf(to, "connects  %10" PRIu64 "  failed, the last: %s\n", results->connect_failures,
                results->connect_error);
}

static void print_verdict(FILE *to, const struct plan *plan, const struct results *results)
{
    switch (verdict_of(plan, results)) {
    case VERDICT_LAG:
        fputs("client limited: the 99th percentile of the send lag is over --lag-bound\n", to);
        break;
    case VERDICT_CPU:
        fputs("client limited: this program's thread was busy all the time\n", to);
        break;
    case VERDICT_SERVER:
        break;
    }
}

static void print_warm_up(FILE *to, const struct plan *plan, const struct results *results)
{
    fprintf(to, "warm-up   %10.1f s", (double)results->warm_up_ns / 1e9);
    if (plan->warm_up_ns == PLAN_UNTIL_STEADY)
        fputs(results->is_steady ? ", then steady" : ", and not steady by then", to);
    fputc('\n', to);
}

static void print_server(FILE *to, const struct results *results, double count)
{
    const struct process_sample *begin = &results->server_begin, *end = &results->server_end;
    struct process_use used = process_used(begin, end);
    fprintf(to,
            "server    %10.2f  us of CPU user and %.2f system, %.2f read and write calls, %.2f "
            "waits per request; %.1f MiB, %+.1f since the begin\n",
            used.user_us / count, used.system_us / count,
            (double)(end->calls - begin->calls) / count,
            (double)(end->switches - begin->switches) / count, (double)end->memory_bytes / 0x1p20,
            ((double)end->memory_bytes - (double)begin->memory_bytes) / 0x1p20);
}

void report_text(FILE *to, const struct plan *plan, const struct results *results)
{
    uint64_t requests = results_requests(results);
    double elapsed_s = results_elapsed_s(results), count = requests ? (double)requests : 1;
    print_settings(to, plan);
    print_warm_up(to, plan, results);
    fprintf(to, "requests  %10" PRIu64 "  in %.2f s: %.1f/s answered%s\n", requests, elapsed_s,
            (double)results->outcomes[OUTCOME_OK] / elapsed_s,
            results->is_interrupted ? ", interrupted" : "");
    print_failures(to, results);
    fputs("              p50        p90        p99      p99.9     p99.99        max       mean\n",
          to);
    print_histogram(to, "response", &results->response);
    print_histogram(to, "service", &results->service);
    print_histogram(to, "send lag", &results->lag);
    print_queue(to, plan, results);
    if (results->rounds.count > 1)
        fprintf(to, "rounds    %10u\n", results->rounds.count);
    fprintf(to, "bytes     %10" PRIu64 "  sent, %" PRIu64 " received\n", results->bytes_sent,
            results->bytes_received);
    fprintf(to, "client    %10.2f  us of CPU and %.2f system calls per request, %.0f%% busy\n",
            (double)results->cpu_ns / 1e3 / count, (double)results->system_calls / count,
            (double)results->cpu_ns / 1e7 / elapsed_s);
    if (results->has_server)
        print_server(to, results, count);
    print_verdict(to, plan, results);
}
