/* SPDX-License-Identifier: MIT */
#include "load/report.h"
#include "load/verdict.h"

#include <inttypes.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <weir/version.h>

static void write_text(FILE *to, const char *text)
{
    fputc('"', to);
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at < ' ' || *at == '"' || *at == '\\' || *at > 126)
            fprintf(to, "\\u%04x", *at);
        else
            fputc(*at, to);
    }
    fputc('"', to);
}

static void write_histogram(FILE *to, const char *name, const struct histogram *histogram)
{
    static const struct {
        const char *name;
        double quantile;
    } rows[] = {{"p50_us", 0.5},  {"p75_us", 0.75},    {"p90_us", 0.9},      {"p95_us", 0.95},
                {"p99_us", 0.99}, {"p99_9_us", 0.999}, {"p99_99_us", 0.9999}};
    fprintf(to, "  \"%s\": {\"count\": %" PRIu64 ", \"mean_us\": %.3f", name, histogram->count,
            histogram_mean_ns(histogram) / 1e3);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        fprintf(to, ", \"%s\": %.3f", rows[i].name,
                (double)histogram_quantile_ns(histogram, rows[i].quantile) / 1e3);
    fprintf(to, ", \"max_us\": %.3f},\n", (double)histogram->max_ns / 1e3);
}

static void write_machine(FILE *to)
{
    struct utsname name;
    uname(&name);
    fprintf(to, "  \"machine\": {\"kernel\": ");
    write_text(to, name.release);
    fprintf(to, ", \"architecture\": ");
    write_text(to, name.machine);
    fprintf(to, ", \"cores\": %ld, \"weir\": \"%s\"},\n", sysconf(_SC_NPROCESSORS_ONLN),
            weir_version());
}

static void write_settings(FILE *to, const struct plan *plan)
{
    fprintf(to, "  \"settings\": {\"url\": ");
    write_text(to, plan->url);
    fprintf(to, ", \"loop\": \"%s\"", plan->is_open_loop ? "open" : "closed");
    if (plan->is_open_loop)
        fprintf(to, ", \"arrivals\": \"%s\", \"rate\": %.3f", arrivals_name(plan->arrivals.kind),
                plan->arrivals.rate);
    fprintf(to,
            ", \"connections\": %u, \"depth\": %u, \"think_ms\": %.3f, \"churn\": %s, "
            "\"own_queue\": %s, \"timeout_ms\": %.3f, \"lag_bound_ms\": %.3f",
            plan->connections, plan->depth, (double)plan->think_ns / 1e6,
            plan->churn ? "true" : "false", plan->own_queue ? "true" : "false",
            (double)plan->timeout_ns / 1e6, (double)plan->lag_bound_ns / 1e6);
    if (plan->target.scheme == TARGET_TCP)
        fprintf(to, ", \"packet\": \"%s\"", plan->packet);
    if (plan->target.scheme != TARGET_HTTP)
        fprintf(to, ", \"size_min\": %u, \"size_max\": %u", plan->size_min, plan->size_max);
    fprintf(to, "},\n");
}

static void write_counts(FILE *to, const struct results *results)
{
    fprintf(to, "  \"outcomes\": {");
    for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
        fprintf(to, "%s\"%s\": %" PRIu64, outcome ? ", " : "", outcome_name(outcome),
                results->outcomes[outcome]);
    fprintf(to, "},\n  \"connects\": %" PRIu64 ", \"connect_failures\": %" PRIu64 ",\n",
            results->connects, results->connect_failures);
    fprintf(to, "  \"bytes_sent\": %" PRIu64 ", \"bytes_received\": %" PRIu64 ",\n",
            results->bytes_sent, results->bytes_received);
}

static void write_server(FILE *to, const struct results *results)
{
    const struct process_sample *begin = &results->server_begin, *end = &results->server_end;
    struct process_use used = process_used(begin, end);
    fprintf(to,
            "  \"server\": {\"user_s\": %.6f, \"system_s\": %.6f, \"calls\": %" PRIu64
            ", \"waits\": %" PRIu64 ", \"memory_bytes\": %" PRIu64 "},\n",
            used.user_us / 1e6, used.system_us / 1e6, end->calls - begin->calls,
            end->switches - begin->switches, end->memory_bytes);
}

static void write_seconds(FILE *to, const struct results *results)
{
    fprintf(to, "  \"seconds\": [");
    for (uint32_t i = 0; i < results->second_count; i++) {
        const struct results_second *second = &results->seconds[i];
        fprintf(to,
                "%s\n    {\"answered\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"p50_us\": %.3f, "
                "\"p99_us\": %.3f, \"max_us\": %.3f}",
                i ? "," : "", second->answered, second->failed, (double)second->p50_ns / 1e3,
                (double)second->p99_ns / 1e3, (double)second->max_ns / 1e3);
    }
    fprintf(to, "],\n");
}

static void write_rounds(FILE *to, const struct rounds *rounds)
{
    fprintf(to, "  \"rounds\": [");
    for (uint32_t i = 0; i < rounds->count; i++) {
        for (int figure = 0; figure < ROUNDS_FIGURES; figure++)
            fprintf(to, "%s\"%s\": %.3f",
                    figure ? ", "
                    : i    ? ",\n    {"
                           : "\n    {",
                    rounds_name(figure), rounds->figures[i][figure]);
        fprintf(to, "}");
    }
    fprintf(to, "]\n}\n");
}

void report_json(FILE *to, const struct plan *plan, const struct results *results)
{
    static const char *const verdicts[] = {
        [VERDICT_SERVER] = "none", [VERDICT_LAG] = "lag", [VERDICT_CPU] = "cpu"};
    double elapsed_s = results_elapsed_s(results);
    fprintf(to, "{\n  \"format\": 1,\n");
    write_machine(to);
    write_settings(to, plan);
    fprintf(to,
            "  \"warm_up_s\": %.3f, \"steady\": %s, \"interrupted\": %s, \"elapsed_s\": %.6f,\n"
            "  \"client_limited\": \"%s\", \"answered_per_second\": %.3f,\n"
            "  \"client_cpu_s\": %.6f, \"client_system_calls\": %" PRIu64 ",\n",
            (double)results->warm_up_ns / 1e9, results->is_steady ? "true" : "false",
            results->is_interrupted ? "true" : "false", elapsed_s,
            verdicts[verdict_of(plan, results)],
            elapsed_s > 0 ? (double)results->outcomes[OUTCOME_OK] / elapsed_s : 0,
            (double)results->cpu_ns / 1e9, results->system_calls);
    write_counts(to, results);
    if (results->has_server)
        write_server(to, results);
    write_histogram(to, "response", &results->response);
    write_histogram(to, "service", &results->service);
    write_histogram(to, "send_lag", &results->lag);
    if (results->queue.count > 0)
        write_histogram(to, "own_queue", &results->queue);
    write_seconds(to, results);
    write_rounds(to, &results->rounds);
}
