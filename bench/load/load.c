/* SPDX-License-Identifier: MIT */
/* The load generator: one thread, one core, every reply checked. README.md has the method. */
#include "base/clock.h"
#include "base/memory.h"
#include "common/fail.h"
#include "common/process.h"
#include "common/switches.h"
#include "load/dial.h"
#include "load/idle.h"
#include "load/traffic.h"

#include <stdio.h>
#include <unistd.h>

static struct {
    const char *connect;
    long core, connections, size, pipeline, packet, seconds, milliseconds, warm_up_ms;
    long server_process, idle, churn;
    bool busy, json;
} options = {.core = PROCESS_NONE,
             .connections = 1,
             .size = 64,
             .pipeline = 1,
             .seconds = 2,
             .warm_up_ms = 300};

static const struct switch_row rows[] = {
    {"connect", SWITCH_TEXT, &options.connect, "ADDRESS:PORT of the server"},
    {"connections", SWITCH_NUMBER, &options.connections, "how many"},
    {"size", SWITCH_NUMBER, &options.size, "payload bytes of a frame"},
    {"pipeline", SWITCH_NUMBER, &options.pipeline, "frames sent before any reply is awaited"},
    {"packet", SWITCH_NUMBER, &options.packet,
     "0, or 1, 2, 4: a big-endian length before each frame"},
    {"seconds", SWITCH_NUMBER, &options.seconds, "measured time"},
    {"milliseconds", SWITCH_NUMBER, &options.milliseconds, "measured time, added to it"},
    {"warm-up-ms", SWITCH_NUMBER, &options.warm_up_ms, "time before it"},
    {"cpu", SWITCH_NUMBER, &options.core, "core to stay on"},
    {"server-pid", SWITCH_NUMBER, &options.server_process, "also measure this one's CPU time"},
    {"busy", SWITCH_FLAG, &options.busy, "poll instead of sleeping"},
    {"idle", SWITCH_NUMBER, &options.idle, "only hold so many connections until stdin ends"},
    {"churn", SWITCH_NUMBER, &options.churn, "only connect, exchange and close so many times"},
    {"json", SWITCH_FLAG, &options.json, "print one line of JSON"},
    {0},
};

struct figure {
    const char *name;
    double value;
};

static void print_figures(const struct figure *figures)
{
    const char *separator = "";
    if (options.json)
        putchar('{');
    for (; figures->name; figures++) {
        if (options.json)
            printf("%s\"%s\":%.3f", separator, figures->name, figures->value);
        else
            printf("%-20s %16.3f\n", figures->name, figures->value);
        separator = ",";
    }
    if (options.json)
        puts("}");
}

static double quantile_us(const struct traffic_result *result, double fraction)
{
    return (double)histogram_quantile_ns(&result->latencies, fraction) / 1e3;
}

/* How many cores others kept from us, all the time; what the clock ticks of 10 ms let see of it. */
static double others_busy(const struct traffic_result *result)
{
    double ours_ns = (double)(result->server_cpu_ns + result->load_cpu_ns);
    double others_ns = (double)result->machine_busy_ns - ours_ns;
    return others_ns > 0 ? others_ns / (double)result->elapsed_ns : 0;
}

static void run_traffic(const struct sockaddr_in *server, struct frame_batch *batch)
{
    struct traffic_plan plan = {
        .server = *server,
        .server_process = (pid_t)options.server_process,
        .connections = (unsigned)options.connections,
        .warm_up_ns = (uint64_t)options.warm_up_ms * 1000000U,
        .measured_ns = (uint64_t)(options.seconds * 1000 + options.milliseconds) * 1000000U,
        .busy = options.busy,
    };
    struct traffic_result *result = memory_allocate(sizeof(*result));
    if (!result)
        fail("out of memory");
    traffic_run(&plan, batch, result);
    double requests = (double)result->latencies.count;
    if (requests == 0)
        fail("no reply in the measured time");
    const struct figure figures[] = {
        {"requests", requests},
        {"requests_per_second", requests * 1e9 / (double)result->elapsed_ns},
        {"p50_us", quantile_us(result, 0.5)},
        {"p99_us", quantile_us(result, 0.99)},
        {"p999_us", quantile_us(result, 0.999)},
        {"max_us", (double)result->latencies.max_ns / 1e3},
        {"server_cpu_us", (double)result->server_cpu_ns / 1e3 / requests},
        {"server_busy", (double)result->server_cpu_ns / (double)result->elapsed_ns},
        {"load_cpu_us", (double)result->load_cpu_ns / 1e3 / requests},
        {"others_busy", options.server_process ? others_busy(result) : 0},
        {0},
    };
    print_figures(figures);
    memory_free(result);
}

static void run_churn(const struct sockaddr_in *server, struct frame_batch *batch)
{
    pid_t process = (pid_t)options.server_process;
    double count = (double)options.churn;
    uint64_t begin_ns = clock_now_ns(), begin_cpu_ns = process ? process_cpu_ns(process) : 0;
    idle_churn(server, batch, (unsigned)options.churn, (unsigned)options.connections);
    uint64_t cpu_ns = process ? process_cpu_ns(process) - begin_cpu_ns : 0;
    const struct figure figures[] = {
        {"connections", count},
        {"connections_per_second", count * 1e9 / (double)(clock_now_ns() - begin_ns)},
        {"server_cpu_us", (double)cpu_ns / 1e3 / count},
        {0},
    };
    print_figures(figures);
}

int main(int argc, char **argv)
{
    (void)argc;
    switches_parse(rows, argv);
    struct sockaddr_in server = dial_parse(options.connect);
    if (options.packet > 4 || options.packet == 3)
        fail("--packet: 0, 1, 2 or 4");
    if (options.size == 0 || options.pipeline == 0 || options.connections == 0)
        fail("--size, --pipeline and --connections begin at 1");
    process_raise_descriptor_limit();
    process_pin(options.core);
    struct frame_batch batch;
    frame_batch_open(&batch, (size_t)options.size, (size_t)options.packet,
                     (unsigned)options.pipeline);
    if (options.idle)
        idle_hold(&server, &batch, (unsigned)options.idle);
    else if (options.churn)
        run_churn(&server, &batch);
    else
        run_traffic(&server, &batch);
    return 0;
}
