/* SPDX-License-Identifier: MIT */
#include "load/results.h"

#include "base/memory.h"

#include <string.h>

static const uint64_t second_ns = 1000000000;

struct results *results_create(void)
{
    struct results *results = memory_allocate_zeroed(1, sizeof(*results));
    if (!results)
        return NULL;
    /* Pages that are never written to cost nothing. */
    results->seconds = memory_map(RESULTS_SECONDS_MAX * sizeof(*results->seconds));
    if (results->seconds)
        return results;
    memory_free(results);
    return NULL;
}

void results_free(struct results *results)
{
    if (!results)
        return;
    memory_unmap(results->seconds, RESULTS_SECONDS_MAX * sizeof(*results->seconds));
    memory_free(results);
}

void results_restart(struct results *results, uint64_t now_ns)
{
    histogram_clear(&results->response);
    histogram_clear(&results->service);
    histogram_clear(&results->lag);
    histogram_clear(&results->queue);
    histogram_clear(&results->second);
    memset(results->outcomes, 0, sizeof(results->outcomes));
    results->connects = results->connect_failures = results->second_failed = 0;
    results->bytes_sent = results->bytes_received = results->system_calls = 0;
    results->second_count = 0;
    results->begin_ns = results->end_ns = now_ns;
}

void results_copy(struct results *to, const struct results *from)
{
    struct results_second *seconds = to->seconds;
    memcpy(to, from, sizeof(*to));
    to->seconds = seconds;
    memcpy(seconds, from->seconds, from->second_count * sizeof(*seconds));
}

/* The first gets what the second counted, too. The rows of seconds are the first's. */
static void results_merge(struct results *to, const struct results *from)
{
    histogram_merge(&to->response, &from->response);
    histogram_merge(&to->service, &from->service);
    histogram_merge(&to->lag, &from->lag);
    histogram_merge(&to->queue, &from->queue);
    for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
        to->outcomes[outcome] += from->outcomes[outcome];
    to->connects += from->connects;
    to->connect_failures += from->connect_failures;
    to->end_ns += from->end_ns - from->begin_ns;
    to->cpu_ns += from->cpu_ns;
    to->bytes_sent += from->bytes_sent;
    to->bytes_received += from->bytes_received;
    to->system_calls += from->system_calls;
    to->is_interrupted |= from->is_interrupted;
    to->has_server = false;
}

static void note_round(struct rounds *rounds, const struct results *run)
{
    double *figures = rounds->figures[rounds->count++];
    const struct histogram *response = &run->response;
    double elapsed_s = results_elapsed_s(run);
    figures[ROUNDS_RATE] = elapsed_s > 0 ? (double)run->outcomes[OUTCOME_OK] / elapsed_s : 0;
    figures[ROUNDS_MEAN] = histogram_mean_ns(response) / 1e3;
    figures[ROUNDS_P50] = (double)histogram_quantile_ns(response, 0.5) / 1e3;
    figures[ROUNDS_P99] = (double)histogram_quantile_ns(response, 0.99) / 1e3;
    figures[ROUNDS_P99_9] = (double)histogram_quantile_ns(response, 0.999) / 1e3;
    figures[ROUNDS_FAILED] = (double)results_failed(run);
}

void results_add_round(struct results *all, const struct results *run)
{
    if (all->rounds.count == 0)
        results_copy(all, run);
    else
        results_merge(all, run);
    if (all->rounds.count < ROUNDS_MAX)
        note_round(&all->rounds, run);
}

void results_add(struct results *results, enum outcome outcome, uint64_t response_ns)
{
    results->outcomes[outcome]++;
    results->second_failed += outcome != OUTCOME_OK;
    histogram_add(&results->response, response_ns, 1);
    histogram_add(&results->second, response_ns, 1);
}

static void note_shares(uint8_t shares[RESULTS_CLASSES], const struct histogram *histogram)
{
    uint64_t below = 0;
    for (int i = 0; i < RESULTS_CLASSES && histogram->count > 0; i++) {
        bool is_last = i == RESULTS_CLASSES - 1;
        uint64_t up_to =
            is_last ? histogram->count : histogram_count_to(histogram, RESULTS_CLASS_NS << i);
        shares[i] = (uint8_t)(((up_to - below) * 100 + histogram->count - 1) / histogram->count);
        below = up_to;
    }
}

static void end_second(struct results *results)
{
    struct histogram *second = &results->second;
    results->seconds[results->second_count] = (struct results_second){
        .answered = second->count - results->second_failed,
        .failed = results->second_failed,
        .p50_ns = histogram_quantile_ns(second, 0.5),
        .p99_ns = histogram_quantile_ns(second, 0.99),
        .max_ns = second->max_ns,
    };
    note_shares(results->seconds[results->second_count].shares, second);
    results->second_failed = 0;
    histogram_clear(second);
    /* Who looks on from another thread sees whole rows. */
    __atomic_store_n(&results->second_count, results->second_count + 1, __ATOMIC_RELEASE);
}

void results_tick(struct results *results, uint64_t now_ns)
{
    while (results->second_count < RESULTS_SECONDS_MAX &&
           now_ns >= results->begin_ns + (results->second_count + 1) * second_ns)
        end_second(results);
}

uint64_t results_requests(const struct results *results)
{
    uint64_t count = 0;
    for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
        count += results->outcomes[outcome];
    return count;
}

uint64_t results_failed(const struct results *results)
{
    return results_requests(results) - results->outcomes[OUTCOME_OK];
}

double results_elapsed_s(const struct results *results)
{
    return (double)(results->end_ns - results->begin_ns) / 1e9;
}
