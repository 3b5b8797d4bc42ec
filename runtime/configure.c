/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "address/inet_config.h"
#include "base/error.h"
#include "base/memory.h"
#include "options/options.h"
#include "runtime/ring/features.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/cpus.h"

struct bound {
    const char *name;
    uint32_t value;
    uint32_t standard;
    uint32_t least;
    uint32_t most;
    uint32_t *place;
};

static int place_bounded(const struct bound *bound)
{
    uint32_t value = bound->value ? bound->value : bound->standard;
    if (value < bound->least || value > bound->most)
        return error_say(-EINVAL, "%s: %u is out of range %u..%u", bound->name, value, bound->least,
                         bound->most);
    *bound->place = value;
    return 0;
}

static int place_limits(struct scheduler_limits *limits, const weir_config *config)
{
    uint32_t busy_wait_us = 0;
    uint32_t completions = config->completion_entries;
    uint32_t submissions = completions > 0 && completions < 512 ? completions : 512;
    const struct bound bounds[] = {
        {"buffer_count", config->buffer_count, 1024, 1, 32768, &limits->ring.buffer_count},
        {"buffer_size", config->buffer_size, 16384, 64, 1 << 24, &limits->ring.buffer_size},
        {"completion_entries", config->completion_entries, 8192, 2, 65536,
         &limits->ring.completion_entries},
        {"submission_entries", config->submission_entries, submissions, 1, 32768,
         &limits->ring.submission_entries},
        {"completion_budget", config->completion_budget, 256, 1, 65536, &limits->completion_budget},
        {"eager_submit", config->eager_submit, 128, 1, 32768, &limits->eager_submit},
        {"close_timeout_ms", config->close_timeout_ms, 30000, 1, UINT32_MAX,
         &limits->close_timeout_ms},
        {"busy_wait_us", config->busy_wait_us, 0, 0, 1000000, &busy_wait_us},
        {"gather_us", config->gather_us, 0, 0, 1000000, &limits->ring.gather_us},
    };
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        int result = place_bounded(&bounds[i]);
        if (result < 0)
            return result;
    }
    if (limits->ring.buffer_count & (limits->ring.buffer_count - 1))
        return error_say(-EINVAL, "buffer_count: %u is not a power of two",
                         limits->ring.buffer_count);
    if (limits->ring.submission_entries > limits->ring.completion_entries)
        return error_say(-EINVAL, "submission_entries: %u are more than completion_entries, %u",
                         limits->ring.submission_entries, limits->ring.completion_entries);
    limits->busy_wait_ns = (uint64_t)busy_wait_us * 1000;
    return 0;
}

/* Puts before the last error's text where it stands. */
static int say_where(const char *where, int error)
{
    char reason[ERROR_TEXT_SIZE];
    error_copy_text(reason);
    return error_say(error, "%s: %s", where, reason);
}

static int add_features(const char *where, const char *text, uint32_t *features)
{
    uint32_t more;
    int result = features_parse(text, &more);
    if (result < 0)
        return say_where(where, result);
    *features |= more;
    return 0;
}

static int place_features(struct scheduler_limits *limits, const weir_config *config)
{
    uint32_t *off = &limits->ring.features_off;
    *off = 0;
    int result = add_features("features_off", config->features_off, off);
    return result < 0 ? result
                      : add_features("WEIR_FEATURES_OFF", getenv("WEIR_FEATURES_OFF"), off);
}

/* Own configuration before the environment's: the caller knows better than the caller's shell. */
struct defaults {
    weir_option **place;
    const char *text;
    const char *name;
    const char *variable;
    enum option_scope scope;
};

static int read_defaults(const struct defaults *defaults, const char *text)
{
    struct option_setup setup;
    int result = weir_options_parse(text, defaults->place);
    if (result >= 0 && options_set_up(&setup, defaults->scope, *defaults->place, NULL) < 0)
        result = -EINVAL;
    return result;
}

/* An empty one is none. */
static bool is_given(const char *text)
{
    return text && *text;
}

static int place_defaults(const struct defaults *defaults)
{
    bool is_own = is_given(defaults->text);
    const char *name = is_own ? defaults->name : defaults->variable;
    const char *text = is_own ? defaults->text : getenv(defaults->variable);
    if (!is_given(text))
        return 0;
    int result = read_defaults(defaults, text);
    return result < 0 ? say_where(name, result) : result;
}

static int place_both_defaults(struct weir_runtime *runtime, const weir_config *config)
{
    const struct defaults connect = {
        &runtime->default_connect,
        config->default_connect_options,
        "default_connect_options",
        "WEIR_DEFAULT_CONNECT_OPTIONS",
        OPTION_CONNECT,
    };
    const struct defaults listen = {
        &runtime->default_listen,
        config->default_listen_options,
        "default_listen_options",
        "WEIR_DEFAULT_LISTEN_OPTIONS",
        OPTION_LISTEN,
    };
    int result = place_defaults(&connect);
    return result < 0 ? result : place_defaults(&listen);
}

static int place_schedulers(struct weir_runtime *runtime, const weir_config *config)
{
    int allowed[RUNTIME_SCHEDULERS_MAX];
    int count = cpus_allowed(allowed, RUNTIME_SCHEDULERS_MAX);
    bool named = config->cpus && *config->cpus;
    if (named) {
        count = cpus_parse(config->cpus, allowed, RUNTIME_SCHEDULERS_MAX);
        if (count < 0)
            return count;
    }
    uint32_t wanted = config->schedulers ? config->schedulers : count > 0 ? (uint32_t)count : 1;
    if (wanted < 1 || wanted > RUNTIME_SCHEDULERS_MAX)
        return error_say(-EINVAL, "schedulers: %u is out of range 1..%d", wanted,
                         RUNTIME_SCHEDULERS_MAX);
    bool pinned = named || wanted == (uint32_t)count;
    for (uint32_t i = 0; i < wanted; i++)
        runtime->cpus[i] = pinned ? allowed[i % (uint32_t)count] : -1;
    runtime->scheduler_count = wanted;
    return 0;
}

/* What is wrong with the file is no reason to begin without the terms. */
static int read_inet(struct inet_config *inet, const struct inet_sources *sources, int *of_file)
{
    char text[ERROR_TEXT_SIZE];
    const char *path = is_given(sources->inetrc) ? sources->inetrc : getenv("WEIR_INETRC");
    *of_file = is_given(path) ? inet_config_load(inet, path) : 0;
    error_copy_text(text);
    if (*of_file == -ENOMEM || !sources->inet_terms)
        return *of_file == -ENOMEM ? -ENOMEM : 0;
    int result = inet_config_load_text(inet, "inet_terms", sources->inet_terms);
    if (result == 0)
        error_set_text(text);
    return result;
}

int runtime_read_inet(struct inet_config **out, const struct inet_sources *sources, int *of_file)
{
    struct inet_config *inet;
    *of_file = 0;
    int result = inet_config_create(&inet);
    if (result < 0)
        return error_say(result, "no memory for the inet configuration");
    result = read_inet(inet, sources, of_file);
    if (result < 0)
        inet_config_free(inet);
    else
        *out = inet;
    return result;
}

/* As in the document, a file that is missing or wrong is no reason not to start: it is said only.
 */
static int place_inet(struct weir_runtime *runtime, const weir_config *config)
{
    const struct inet_sources sources = {config->inetrc, config->inet_terms};
    int of_file;
    return runtime_read_inet(&runtime->naming.inet, &sources, &of_file);
}

/* A program that is newer than this library may ask for what it does not have. */
static int check_reserved(const weir_config *config)
{
    for (size_t i = 0; i < sizeof(config->reserved) / sizeof(config->reserved[0]); i++)
        if (config->reserved[i])
            return error_say(-EINVAL, "reserved: weir %s has no such field", weir_version());
    return 0;
}

int runtime_configure(struct weir_runtime *runtime, const weir_config *config)
{
    static const weir_config standard;
    config = config ? config : &standard;
    int result = check_reserved(config);
    if (result >= 0)
        result = place_schedulers(runtime, config);
    if (result >= 0)
        result = place_limits(&runtime->limits, config);
    if (result >= 0)
        result = place_features(&runtime->limits, config);
    if (result >= 0)
        result = place_both_defaults(runtime, config);
    if (result >= 0)
        result = place_inet(runtime, config);
    runtime->limits.zero_copy_from_bytes = config->zero_copy_from_bytes;
    runtime->limits.slow_callback_ns = config->slow_callback_us * UINT64_C(1000);
    runtime->limits.slow_callback = config->slow_callback;
    uint64_t queued = config->queued_bytes_limit ? config->queued_bytes_limit : 1ull << 30;
    if (result >= 0)
        runtime->limits.queued_bytes = queued;
    return result;
}
