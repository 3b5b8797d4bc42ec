/* SPDX-License-Identifier: MIT */
/* A program that was built with a newer header hears that this library does not know its field. */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/weir.h>

#include "runtime/ring/features.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/cpus.h"

Test(configure, a_field_of_a_newer_header_is_refused)
{
    enum { RESERVED_COUNT = sizeof((weir_config){0}.reserved) / sizeof(uint64_t) };
    for (int i = 0; i < RESERVED_COUNT; i++) {
        weir_runtime *runtime;
        weir_config config = {.schedulers = 1};
        config.reserved[i] = 1;
        cr_assert_eq(weir_start(&runtime, &config), -EINVAL);
        cr_expect(strstr(weir_last_error_text(), "reserved"));
    }
}

/* Just outside, and just inside where that costs little memory. */
static const struct {
    weir_config config;
    const char *says; /* NULL: it starts */
} bounds[] = {
    {{.schedulers = 65}, "schedulers: 65 is out of range 1..64"},
    {{.buffer_count = 65536}, "buffer_count: 65536 is out of range 1..32768"},
    {{.buffer_count = 3}, "buffer_count: 3 is not a power of two"},
    {{.buffer_size = 63}, "buffer_size: 63 is out of range 64..16777216"},
    {{.buffer_size = 16777217}, "buffer_size: 16777217 is out of range 64..16777216"},
    {{.submission_entries = 32769}, "submission_entries: 32769 is out of range 1..32768"},
    {{.submission_entries = 9, .completion_entries = 8}, "9 are more than completion_entries, 8"},
    {{.completion_entries = 1}, "completion_entries: 1 is out of range 2..65536"},
    {{.completion_entries = 65537}, "completion_entries: 65537 is out of range 2..65536"},
    {{.completion_budget = 65537}, "completion_budget: 65537 is out of range 1..65536"},
    {{.eager_submit = 32769}, "eager_submit: 32769 is out of range 1..32768"},
    {{.busy_wait_us = 1000001}, "busy_wait_us: 1000001 is out of range 0..1000000"},
    {{.gather_us = 1000001}, "gather_us: 1000001 is out of range 0..1000000"},
    {{.cpus = "0,x"}, "cpus"},
    {{.features_off = "nosuch"}, "features_off"},
    {{.default_connect_options = "[{packet,9}]"}, "default_connect_options"},
    {{.default_listen_options = "["}, "default_listen_options"},
    {{.default_connect_options = "[{backlog,5}]"}, "default_connect_options"},
    {{.default_listen_options = "[{happy_eyeballs,250}]"}, "default_listen_options"},
    {{.inet_terms = "{"}, "inet_terms"},
    {{.buffer_count = 1, .buffer_size = 64}, NULL},
    {{.buffer_count = 1, .buffer_size = 16777216}, NULL},
    {{.submission_entries = 1, .completion_entries = 2}, NULL},
    {{.submission_entries = 8, .completion_entries = 8}, NULL},
    {{.completion_budget = 65536, .eager_submit = 32768}, NULL},
    {{.completion_budget = 1, .eager_submit = 1, .busy_wait_us = 1, .gather_us = 1}, NULL},
    {{.cpus = "", .features_off = "", .inetrc = "", .inet_terms = ""}, NULL},
    {{.default_connect_options = "", .default_listen_options = ""}, NULL},
};

Test(configure, bounds_are_those_of_the_header)
{
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        weir_runtime *runtime;
        weir_config config = bounds[i].config;
        if (config.schedulers == 0)
            config.schedulers = 1;
        int result = weir_start(&runtime, &config);
        const char *text = weir_last_error_text();
        cr_expect_eq(result, bounds[i].says ? -EINVAL : 0, "row %zu: %s: %s", i,
                     weir_error_name(result), text);
        cr_expect(!bounds[i].says || strstr(text, bounds[i].says), "row %zu: %s", i, text);
        if (result == 0)
            cr_assert_eq(weir_stop(runtime), 0);
    }
}

static struct scheduler_limits limits_of(const weir_config *config)
{
    weir_runtime *runtime;
    cr_assert_eq(runtime_create(&runtime, config), 0, "%s", weir_last_error_text());
    struct scheduler_limits limits = runtime->limits;
    runtime_free(runtime);
    return limits;
}

/* Created, and not started. */
static void expect_cpus(const weir_config *config, uint32_t schedulers, int least, int most)
{
    weir_runtime *runtime;
    cr_assert_eq(runtime_create(&runtime, config), 0, "%s", weir_last_error_text());
    cr_expect_eq(runtime->scheduler_count, schedulers);
    for (uint32_t i = 0; i < schedulers; i++)
        cr_expect(runtime->cpus[i] >= least && runtime->cpus[i] <= most, "%u is on %d", i,
                  runtime->cpus[i]);
    runtime_free(runtime);
}

/* One scheduler for each processor is pinned to it, fewer or more are not; to those that are named
 * they are in turn, however many they are. */
Test(configure, schedulers_are_where_they_are_to_be)
{
    enum { MOST = 64 };
    int allowed[MOST];
    uint32_t count = (uint32_t)cpus_allowed(allowed, MOST);
    char first[16];
    snprintf(first, sizeof(first), "%d", allowed[0]);
    expect_cpus(&(weir_config){.schedulers = MOST, .cpus = first}, MOST, allowed[0], allowed[0]);
    expect_cpus(&(weir_config){.cpus = first}, 1, allowed[0], allowed[0]);
    expect_cpus(&(weir_config){.schedulers = count}, count, 0, INT_MAX);
    expect_cpus(NULL, count, 0, INT_MAX);
    if (count < MOST)
        expect_cpus(&(weir_config){.schedulers = count + 1}, count + 1, -1, -1);
}

static void expect_limits(const struct scheduler_limits *limits,
                          const struct scheduler_limits *expected)
{
    cr_expect_eq(limits->ring.buffer_count, expected->ring.buffer_count);
    cr_expect_eq(limits->ring.buffer_size, expected->ring.buffer_size);
    cr_expect_eq(limits->ring.completion_entries, expected->ring.completion_entries);
    cr_expect_eq(limits->ring.submission_entries, expected->ring.submission_entries);
    cr_expect_eq(limits->completion_budget, expected->completion_budget);
    cr_expect_eq(limits->eager_submit, expected->eager_submit);
    cr_expect_eq(limits->close_timeout_ms, expected->close_timeout_ms);
    cr_expect_eq(limits->busy_wait_ns, expected->busy_wait_ns);
    cr_expect_eq(limits->slow_callback_ns, expected->slow_callback_ns);
    cr_expect_eq(limits->queued_bytes, expected->queued_bytes);
    cr_expect_eq(limits->zero_copy_from_bytes, expected->zero_copy_from_bytes);
}

Test(configure, what_is_not_given_is_standard)
{
    const struct scheduler_limits standard = {
        .ring = {.submission_entries = 512,
                 .completion_entries = 8192,
                 .buffer_count = 1024,
                 .buffer_size = 16384},
        .completion_budget = 256,
        .eager_submit = 128,
        .close_timeout_ms = 30000,
        .queued_bytes = 1u << 30,
    };
    struct scheduler_limits limits = limits_of(NULL);
    expect_limits(&limits, &standard);
    limits = limits_of(&(weir_config){.schedulers = 1});
    expect_limits(&limits, &standard);
    limits = limits_of(&(weir_config){.completion_entries = 511});
    cr_expect_eq(limits.ring.submission_entries, 511, "no more than completions");
    limits = limits_of(&(weir_config){.completion_entries = 513});
    cr_expect_eq(limits.ring.submission_entries, 512);
}

Test(configure, what_is_given_counts)
{
    const weir_config config = {
        .schedulers = 1,
        .buffer_count = 64,
        .buffer_size = 1000,
        .completion_entries = 600,
        .submission_entries = 600,
        .completion_budget = 7,
        .eager_submit = 9,
        .close_timeout_ms = 11,
        .busy_wait_us = 13,
        .slow_callback_us = 17,
        .queued_bytes_limit = 19,
        .zero_copy_from_bytes = 23,
    };
    const struct scheduler_limits expected = {
        .ring = {.submission_entries = 600,
                 .completion_entries = 600,
                 .buffer_count = 64,
                 .buffer_size = 1000},
        .completion_budget = 7,
        .eager_submit = 9,
        .close_timeout_ms = 11,
        .busy_wait_ns = 13000,
        .slow_callback_ns = 17000,
        .queued_bytes = 19,
        .zero_copy_from_bytes = 23,
    };
    struct scheduler_limits limits = limits_of(&config);
    expect_limits(&limits, &expected);
}

static int create_with(const char *variable, const char *value, const weir_config *config,
                       weir_runtime **runtime)
{
    cr_assert_eq(setenv(variable, value, 1), 0);
    return runtime_create(runtime, config);
}

static void expect_refused(const char *variable, const char *value)
{
    weir_runtime *runtime;
    cr_expect_eq(create_with(variable, value, &(weir_config){.schedulers = 1}, &runtime), -EINVAL);
    cr_expect(strstr(weir_last_error_text(), variable), "%s", weir_last_error_text());
    unsetenv(variable);
}

/* The caller's own options are instead of those of the environment, features are beside them. */
Test(configure, the_environment_counts)
{
    const weir_config own = {
        .schedulers = 1, .default_connect_options = "[{packet,2}]", .features_off = "send_zc"};
    weir_runtime *runtime;
    expect_refused("WEIR_FEATURES_OFF", "nosuch");
    expect_refused("WEIR_DEFAULT_CONNECT_OPTIONS", "[{packet,9}]");
    expect_refused("WEIR_DEFAULT_LISTEN_OPTIONS", "[{packet,9}]");
    setenv("WEIR_DEFAULT_CONNECT_OPTIONS", "[{packet,4}]", 1);
    setenv("WEIR_DEFAULT_LISTEN_OPTIONS", "[{backlog,7}]", 1);
    cr_assert_eq(create_with("WEIR_FEATURES_OFF", "buffer_ring", &own, &runtime), 0);
    cr_expect_eq(runtime->limits.ring.features_off,
                 FEATURE_BIT(SEND_ZC) | FEATURE_BIT(BUFFER_RING));
    cr_expect(runtime->default_connect[0].id == WEIR_OPTION_PACKET &&
              runtime->default_connect[0].value.number == 2);
    cr_expect(runtime->default_listen[0].id == WEIR_OPTION_BACKLOG &&
              runtime->default_listen[0].value.number == 7);
    runtime_free(runtime);
}

/* As one that is not there. */
Test(configure, an_empty_text_leaves_it_to_the_environment)
{
    const weir_config empty = {
        .schedulers = 1, .inetrc = "", .default_connect_options = "", .default_listen_options = ""};
    weir_runtime *runtime;
    setenv("WEIR_DEFAULT_CONNECT_OPTIONS", "[{packet,4}]", 1);
    setenv("WEIR_DEFAULT_LISTEN_OPTIONS", "[{backlog,7}]", 1);
    cr_assert_eq(runtime_create(&runtime, &empty), 0);
    cr_expect(runtime->default_connect && runtime->default_connect[0].value.number == 4);
    cr_expect(runtime->default_listen && runtime->default_listen[0].value.number == 7);
    runtime_free(runtime);
    setenv("WEIR_INETRC", "/nowhere/rc", 1);
    cr_assert_eq(weir_start(&runtime, &empty), 0);
    cr_expect(strstr(weir_last_error_text(), "/nowhere/rc"), "%s", weir_last_error_text());
    cr_assert_eq(weir_stop(runtime), 0);
}
