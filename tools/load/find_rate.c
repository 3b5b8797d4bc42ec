/* SPDX-License-Identifier: MIT */
#include "load/find_rate.h"

#include "command.h"
#include "load/live.h"
#include "load/run.h"
#include "load/verdict.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { RUNS_MAX = 3 };

static const double deviations = 1.96;
static const double close_enough = 1.05;
static const double rate_most = 1e7;

bool find_rate_parse(const char *text, struct find_rate_goal *goal)
{
    char *end;
    if (text[0] != 'p' || text[1] < '0' || text[1] > '9')
        return false;
    goal->quantile = strtod(text + 1, &end) / 100;
    return *end == '<' && goal->quantile > 0 && goal->quantile < 1 &&
           plan_parse_time(end + 1, &goal->bound_ns) && goal->bound_ns > 0;
}

enum answer { HOLDS, FAILS, UNCERTAIN };

static enum answer answer_of(const struct plan *plan, const struct results *results,
                             const struct find_rate_goal *goal)
{
    double count = (double)results->response.count, q = goal->quantile;
    double margin = deviations * sqrt(q * (1 - q) / fmax(count, 1));
    uint64_t low_ns = histogram_quantile_ns(&results->response, fmax(q - margin, 0));
    uint64_t high_ns = histogram_quantile_ns(&results->response, fmin(q + margin, 1));
    bool is_bounded = q + margin < 1; /* else what they did not meet may be over it */
    if (results_failed(results) > 0 || low_ns > goal->bound_ns)
        return FAILS;
    if (verdict_of(plan, results) != VERDICT_SERVER)
        return UNCERTAIN;
    return is_bounded && high_ns <= goal->bound_ns ? HOLDS : UNCERTAIN;
}

static void print_step(const struct plan *plan, const struct results *results,
                       const struct find_rate_goal *goal, enum answer answer)
{
    static const char *const says[] = {
        [HOLDS] = "holds", [FAILS] = "does not hold", [UNCERTAIN] = "uncertain"};
    bool is_limited = verdict_of(plan, results) != VERDICT_SERVER;
    FILE *said = plan_says_to(plan);
    fprintf(said, "%10.0f/s  p%g %9.3f ms  failed %" PRIu64 "  %s%s\n", plan->arrivals.rate,
            100 * goal->quantile,
            (double)histogram_quantile_ns(&results->response, goal->quantile) / 1e6,
            results_failed(results), says[answer], is_limited ? ", client limited" : "");
    fflush(said);
}

/* Runs it until the answer is certain. What was measured together is in `all`; a run that was
 * interrupted says nothing. */
static int ask(const struct plan *plan, struct results *all, const struct find_rate_goal *goal,
               enum answer *answer)
{
    int status = 0;
    struct results *once = results_create();
    if (!once)
        return EXIT_FAILURE;
    *answer = UNCERTAIN;
    all->rounds.count = 0;
    for (int run = 0; run < RUNS_MAX && *answer == UNCERTAIN && status == 0; run++) {
        once->begin_ns = 0;
        live_begin();
        status = run_load(plan, once, live_show, NULL);
        live_end();
        if (status != 0 || once->is_interrupted)
            break;
        results_add_round(all, once);
        *answer = answer_of(plan, all, goal);
        print_step(plan, all, goal, *answer);
    }
    all->is_interrupted = once->is_interrupted;
    results_free(once);
    return status;
}

/* Where to look next: `low` holds (0: none does yet), `high` does not (0: none is known). */
static double next_rate(double low, double high)
{
    if (high == 0)
        return 2 * low;
    return low == 0 ? high / 2 : sqrt(low * high);
}

static bool is_found(double low, double high)
{
    return high > 0 && low > 0 && high / low <= close_enough;
}

/* Below it, all runs of a step together have too few requests to be certain of anything. */
static double least_rate(const struct plan *plan, const struct find_rate_goal *goal)
{
    double q = goal->quantile, needed = deviations * deviations * q / (1 - q);
    double seconds = (double)plan->duration_ns / 1e9;
    if (plan->count > 0)
        return needed < RUNS_MAX * (double)plan->count ? 1 : INFINITY;
    return fmax(needed / (RUNS_MAX * seconds), 1);
}

static int search(struct plan *plan, struct results *tried, struct results *results,
                  const struct find_rate_goal *goal, double *low)
{
    double high = 0, rate = plan->arrivals.rate;
    const double least = least_rate(plan, goal);
    if (rate < least)
        return command_misused("load",
                               "--find-rate: so few requests say nothing of '%s'; "
                               "a longer --duration or a larger --count is needed",
                               plan->find_rate);
    while (!is_found(*low, high) && rate <= rate_most && rate >= least) {
        enum answer answer;
        plan->arrivals.rate = rate;
        int status = ask(plan, tried, goal, &answer);
        if (status != 0)
            return status;
        if (tried->is_interrupted)
            return 0;
        if (answer == HOLDS) {
            *low = rate;
            results_copy(results, tried);
        } else {
            high = rate;
        }
        rate = next_rate(*low, high);
    }
    return 0;
}

static int not_found(const struct plan *plan, const struct results *tried)
{
    FILE *said = plan_says_to(plan);
    if (tried->is_interrupted) {
        fputs("interrupted before it held at any rate\n", said);
        return EXIT_FAILURE;
    }
    if (results_failed(tried) == 0 && verdict_of(plan, tried) != VERDICT_SERVER) {
        fputs("client limited: at no rate that was tried was this program in time itself\n", said);
        return VERDICT_EXIT_LIMITED;
    }
    fputs("at no rate that was tried does it hold\n", said);
    return EXIT_FAILURE;
}

int find_rate_run(struct plan *plan, struct results *results)
{
    struct find_rate_goal goal;
    struct results *tried = results_create();
    double low = 0;
    bool is_goal = find_rate_parse(plan->find_rate, &goal);
    int status = is_goal && tried ? search(plan, tried, results, &goal, &low) : EXIT_FAILURE;
    if (status == 0 && low == 0)
        status = not_found(plan, tried);
    if (status == 0) {
        plan->arrivals.rate = low;
        fprintf(plan_says_to(plan), "highest rate with %s: %.0f/s%s\n\n", plan->find_rate, low,
                tried->is_interrupted ? " by the interruption" : "");
    }
    results_free(tried);
    return status;
}
