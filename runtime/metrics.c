/* SPDX-License-Identifier: MIT */
/* Times, features, and the text of all figures. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "runtime/ring/features.h"
#include "runtime/runtime.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/totals.h"
#include <weir/metrics.h>

static int get_times(const weir_runtime *runtime, int scheduler, weir_turn_times *times)
{
    int count = (int)runtime->scheduler_count;
    if (scheduler < -1 || scheduler >= count)
        return error_say(-EINVAL, "scheduler %d: there are %d", scheduler, count);
    memset(times, 0, sizeof(*times));
    for (int i = 0; i < count; i++)
        if (scheduler < 0 || scheduler == i)
            turn_times_add(times, &runtime->schedulers[i]->turn_clock);
    return 0;
}

int weir_get_turn_times(const weir_runtime *runtime, int scheduler, weir_turn_times *times)
{
    error_clear_text();
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    result = get_times(runtime, scheduler, times);
    runtimes_leave(runtime);
    return result;
}

const char *weir_feature(const weir_runtime *runtime, uint32_t number, int *in_use)
{
    uint32_t features = 0;
    if (number < FEATURE_COUNT && runtimes_enter(runtime) == 0) {
        features = runtime->schedulers[0]->profile.features;
        runtimes_leave(runtime);
    }
    error_clear_text(); /* one that has stopped is no failure here */
    if (number >= FEATURE_COUNT)
        return NULL;
    if (in_use)
        *in_use = (features >> number) & 1;
    return feature_rows[number].name;
}

struct text {
    char *bytes;
    size_t size;
    size_t length; /* of all that was said, whether it had room or not */
};

static void say(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct text *text, const char *format, ...)
{
    size_t room = text->length < text->size ? text->size - text->length : 0;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(room ? text->bytes + text->length : NULL, room, format, arguments);
    va_end(arguments);
    text->length += length > 0 ? (size_t)length : 0;
}

static void say_head(struct text *text, const char *name, const char *type, const char *help)
{
    say(text, "# HELP weir_%s %s\n# TYPE weir_%s %s\n", name, help, name, type);
}

enum figure_type { COUNTER, GAUGE };

static const struct figure {
    const char *name;
    enum figure_type type;
    size_t offset;
    const char *help;
} figures[] = {
#define FIGURE(field, type, name, help)                \
    {                                                  \
        name, type, offsetof(weir_totals, field), help \
    }
    FIGURE(turns, COUNTER, "turns_total", "Turns of the scheduler"),
    FIGURE(system_calls, COUNTER, "system_calls_total", "System calls of the ring"),
    FIGURE(completions, COUNTER, "completions_total", "Completions of the kernel"),
    FIGURE(accepts, COUNTER, "accepts_total", "Connections accepted"),
    FIGURE(connects, COUNTER, "connects_total", "Connections made"),
    FIGURE(connections, GAUGE, "connections", "Connections that have a descriptor"),
    FIGURE(packets_received, COUNTER, "packets_received_total", "Packets received"),
    FIGURE(bytes_received, COUNTER, "bytes_received_total", "Bytes received"),
    FIGURE(packets_sent, COUNTER, "packets_sent_total", "Packets sent"),
    FIGURE(bytes_sent, COUNTER, "bytes_sent_total", "Bytes sent"),
    FIGURE(send_operations, COUNTER, "send_operations_total", "Send operations"),
    FIGURE(busy, COUNTER, "busy_total", "Times a sender was told to wait"),
    FIGURE(starved, COUNTER, "starved_total", "Receives that found no buffer"),
    FIGURE(accept_pauses, COUNTER, "accept_pauses_total", "Accepts that failed"),
    FIGURE(limited, COUNTER, "limited_total", "Connections that waited for max_connections"),
    FIGURE(proxy_refused, COUNTER, "proxy_refused_total",
           "Connections closed for want of a right PROXY header"),
    FIGURE(memory_pauses, COUNTER, "memory_pauses_total",
           "Operations the kernel had no memory for"),
    FIGURE(short_sends, COUNTER, "short_sends_total", "Sends that went out in part"),
    FIGURE(blocked_sends, COUNTER, "blocked_sends_total", "Sends the kernel had no room for"),
    FIGURE(close_timeouts, COUNTER, "close_timeouts_total", "Closed sockets that were reset"),
    FIGURE(idle_timeouts, COUNTER, "idle_timeouts_total", "Sockets closed by idle_timeout"),
    FIGURE(left_out, COUNTER, "left_out_total", "Busy connections a broadcast left out"),
    FIGURE(stale_completions, COUNTER, "stale_completions_total", "Completions of nobody"),
    FIGURE(missed_cancels, COUNTER, "missed_cancels_total", "Cancels that had to be repeated"),
    FIGURE(completion_overflows, COUNTER, "completion_overflows_total", "Overflows of the ring"),
    FIGURE(queued_bytes, GAUGE, "queued_bytes", "Bytes that wait to be sent"),
    FIGURE(waiting_bytes, GAUGE, "waiting_bytes",
           "Bytes of sends that wait for busy sockets or names"),
    FIGURE(refused_runs, COUNTER, "refused_runs_total",
           "Runs of datagrams that a route would not have cut apart"),
    FIGURE(datagrams_dropped, COUNTER, "datagrams_dropped_total",
           "Datagrams that the kernel had no room for"),
    FIGURE(datagrams_truncated, COUNTER, "datagrams_truncated_total",
           "Datagrams that were longer than buffer"),
    FIGURE(copied_bytes, COUNTER, "copied_bytes_total", "Received bytes moved in user space"),
#undef FIGURE
};

static uint64_t figure_of(const weir_totals *totals, const struct figure *figure)
{
    uint64_t value;
    memcpy(&value, (const char *)totals + figure->offset, sizeof(value));
    return value;
}

static void say_figure(struct text *text, const weir_runtime *runtime, const struct figure *figure)
{
    say_head(text, figure->name, figure->type == COUNTER ? "counter" : "gauge", figure->help);
    for (uint32_t i = 0; i < runtime->scheduler_count; i++) {
        weir_totals totals = {0};
        totals_add(&totals, &runtime->schedulers[i]->published);
        say(text, "weir_%s{scheduler=\"%u\"} %" PRIu64 "\n", figure->name, i,
            figure_of(&totals, figure));
    }
}

static void say_core_seconds(struct text *text, const weir_runtime *runtime)
{
    say_head(text, "core_seconds_total", "counter", "Time of the scheduler's thread on a core");
    for (uint32_t i = 0; i < runtime->scheduler_count; i++)
        say(text, "weir_core_seconds_total{scheduler=\"%u\"} %.9f\n", i,
            (double)clock_thread_ns(runtime->schedulers[i]->thread) / 1e9);
}

/* Prometheus' classes hold all that is less: each has those before it too. */
static void say_histogram(struct text *text, const char *name, uint32_t scheduler,
                          const weir_times *times)
{
    uint64_t sum = 0;
    for (int i = 0; i < WEIR_TIME_CLASSES - 1; i++) {
        sum += times->classes[i];
        say(text, "weir_%s_bucket{scheduler=\"%u\",le=\"%.6f\"} %" PRIu64 "\n", name, scheduler,
            (double)(1u << i) / 1e6, sum);
    }
    sum += times->classes[WEIR_TIME_CLASSES - 1];
    say(text, "weir_%s_bucket{scheduler=\"%u\",le=\"+Inf\"} %" PRIu64 "\n", name, scheduler, sum);
    say(text, "weir_%s_sum{scheduler=\"%u\"} %.9f\n", name, scheduler, (double)times->sum_ns / 1e9);
    say(text, "weir_%s_count{scheduler=\"%u\"} %" PRIu64 "\n", name, scheduler, sum);
}

static const struct time_kind {
    const char *name;
    const char *longest_name;
    const char *help;
    const char *longest_help;
    size_t offset;
} time_kinds[] = {
    {"turn_seconds", "turn_longest_seconds", "How long turns take", "The longest turn so far",
     offsetof(weir_turn_times, turns)},
    {"completion_wait_seconds", "completion_wait_longest_seconds",
     "How long the completions of a turn can have waited",
     "The longest that a completion can have waited so far", offsetof(weir_turn_times, waits)},
};

static weir_times times_of(const weir_runtime *runtime, uint32_t scheduler,
                           const struct time_kind *kind)
{
    weir_turn_times all = {0};
    weir_times times;
    turn_times_add(&all, &runtime->schedulers[scheduler]->turn_clock);
    memcpy(&times, (const char *)&all + kind->offset, sizeof(times));
    return times;
}

static void say_times(struct text *text, const weir_runtime *runtime, const struct time_kind *kind)
{
    say_head(text, kind->name, "histogram", kind->help);
    for (uint32_t i = 0; i < runtime->scheduler_count; i++) {
        weir_times times = times_of(runtime, i, kind);
        say_histogram(text, kind->name, i, &times);
    }
    say_head(text, kind->longest_name, "gauge", kind->longest_help);
    for (uint32_t i = 0; i < runtime->scheduler_count; i++)
        say(text, "weir_%s{scheduler=\"%u\"} %.9f\n", kind->longest_name, i,
            (double)times_of(runtime, i, kind).longest_ns / 1e9);
}

static void say_features(struct text *text, const weir_runtime *runtime)
{
    uint32_t features = runtime->schedulers[0]->profile.features;
    say_head(text, "feature", "gauge", "Whether a feature of the kernel is in use");
    for (uint32_t i = 0; i < FEATURE_COUNT; i++)
        say(text, "weir_feature{feature=\"%s\"} %u\n", feature_rows[i].name, (features >> i) & 1);
}

int weir_metrics(const weir_runtime *runtime, char *bytes, size_t size)
{
    struct text text = {bytes, size, 0};
    error_clear_text();
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
        say_figure(&text, runtime, &figures[i]);
    say_core_seconds(&text, runtime);
    for (size_t i = 0; i < sizeof(time_kinds) / sizeof(time_kinds[0]); i++)
        say_times(&text, runtime, &time_kinds[i]);
    say_features(&text, runtime);
    runtimes_leave(runtime);
    return (int)text.length;
}
