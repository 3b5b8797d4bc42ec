/* SPDX-License-Identifier: MIT */
/* Times of turns, features in use, and the text for Prometheus. */
#include "support/loopback.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOW_MS = 30, HOUR_SECONDS = 3600 };

static void take_long(void *data)
{
    uint64_t until_ms = now_ms() + SLOW_MS + 1;
    (void)data;
    while (now_ms() < until_ms)
        continue;
}

static weir_turn_times times_of(const struct loopback *loopback, int scheduler)
{
    weir_turn_times times;
    GIVES(weir_get_turn_times(loopback->runtime, scheduler, &times), 0);
    return times;
}

static uint64_t sum_of(const weir_times *times)
{
    uint64_t sum = 0;
    for (int i = 0; i < WEIR_TIME_CLASSES; i++)
        sum += times->classes[i];
    return sum;
}

/* From class 15 on, which begins with 16.4 ms. */
static uint64_t long_ones(const weir_times *times)
{
    uint64_t sum = 0;
    for (int i = 15; i < WEIR_TIME_CLASSES; i++)
        sum += times->classes[i];
    return sum;
}

Test(metrics, a_long_turn_is_seen_where_it_was)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    for (int i = 0; i < 3; i++)
        run_there(loopback.runtime, 1, take_long, NULL);
    EVENTUALLY(times_of(&loopback, 1).turns.longest_ns >= SLOW_MS * 1000000u);
    run_there(loopback.runtime, 1, take_long, NULL);
    weir_turn_times there = times_of(&loopback, 1);
    weir_turn_times all = times_of(&loopback, -1);
    cr_expect(long_ones(&there.turns) >= 3);
    cr_expect(there.turns.sum_ns >= 3 * SLOW_MS * UINT64_C(1000000));
    cr_expect(all.turns.longest_ns >= there.turns.longest_ns);
    cr_expect(all.turns.count >= there.turns.count);
    loopback_close(&loopback);
}

/* While a turn takes long, what comes meanwhile waits. */
Test(metrics, a_completion_waits_for_the_turn_before)
{
    struct loopback loopback = loopback_open("[{active,true}]");
    cr_expect(weir_run_on(loopback.runtime, 0, take_long, NULL) == 0);
    peer_say(loopback.peer, "hello");
    expect_text(&loopback, "hello");
    EVENTUALLY(times_of(&loopback, 0).waits.longest_ns >= SLOW_MS * 1000000u);
    weir_turn_times times = times_of(&loopback, 0);
    cr_expect(times.waits.count <= times.turns.count + 1);
    loopback_close(&loopback);
}

static atomic_int fired_count;

static void take_long_at_last(weir_timer timer, void *data)
{
    (void)timer;
    atomic_fetch_add(&fired_count, 1);
    take_long(data);
}

/* In the turn itself nothing was completed. */
Test(metrics, what_comes_in_a_long_turn_has_waited_for_it)
{
    struct loopback loopback = loopback_open("[{active,true}]");
    GIVES(weir_timer_start(loopback.runtime, 0, SLOW_MS, 0, take_long_at_last, NULL, NULL), 0);
    EVENTUALLY(atomic_load(&fired_count) == 1);
    peer_say(loopback.peer, "hello");
    expect_text(&loopback, "hello");
    EVENTUALLY(times_of(&loopback, 0).waits.longest_ns >= SLOW_MS * 1000000u);
    loopback_close(&loopback);
}

static void take_long_over(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket;
    (void)packet;
    take_long(data);
}

static void ignore(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket;
    (void)packet;
    (void)data;
}

static weir_totals totals_of(const struct loopback *loopback)
{
    weir_totals totals;
    GIVES(weir_get_totals(loopback->runtime, -1, &totals), 0);
    return totals;
}

static void connect_to(const struct loopback *loopback, const weir_handler *handler, int *peers,
                       int count)
{
    weir_socket service;
    GIVES(weir_tcp_serve(loopback->runtime, "127.0.0.1", 0,
                         WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_TRUE)),
                         weir_handled_by(handler, NULL), &service),
          0);
    for (int i = 0; i < count; i++)
        peers[i] = peer_connect(weir_port(service));
    EVENTUALLY(totals_of(loopback).connections == (uint64_t)count);
}

/* What a turn has no room for waits for that turn too. */
Test(metrics, a_completion_that_is_left_waits_for_all_before_it)
{
    static const weir_handler slow = {.packet = take_long_over};
    struct loopback loopback =
        loopback_start(&(weir_config){.schedulers = 1, .completion_budget = 1});
    int peers[2];
    connect_to(&loopback, &slow, peers, 2);
    GIVES(weir_run_on(loopback.runtime, 0, take_long, NULL), 0);
    for (int i = 0; i < 2; i++)
        peer_say(peers[i], "hello");
    EVENTUALLY(totals_of(&loopback).packets_received == 2);
    EVENTUALLY(times_of(&loopback, 0).waits.longest_ns >= UINT64_C(3) * SLOW_MS * 1000000u);
    for (int i = 0; i < 2; i++)
        peer_leave(&peers[i]);
    loopback_close(&loopback);
}

/* While a scheduler looks all the time nothing waits for it. */
Test(metrics, an_idle_scheduler_that_looks_is_waited_for_by_nobody)
{
    static const weir_handler quick = {.packet = ignore};
    struct loopback loopback =
        loopback_start(&(weir_config){.schedulers = 1, .busy_wait_us = 1000000});
    int peer;
    connect_to(&loopback, &quick, &peer, 1);
    for (uint64_t i = 1; i <= 10; i++) {
        take_long(NULL);
        peer_say(peer, "hello");
        EVENTUALLY(totals_of(&loopback).packets_received == i);
    }
    weir_turn_times times = times_of(&loopback, 0);
    cr_expect(times.waits.sum_ns < times.turns.sum_ns + 5 * SLOW_MS * UINT64_C(1000000));
    peer_leave(&peer);
    loopback_close(&loopback);
}

Test(metrics, classes_add_up)
{
    struct loopback loopback = loopback_open("[{active,true}]");
    for (int i = 0; i < 100; i++)
        settle(loopback.socket);
    run_there(loopback.runtime, 0, take_long, NULL);
    weir_turn_times times;
    EVENTUALLY((times = times_of(&loopback, 0), sum_of(&times.turns) == times.turns.count));
    cr_expect(times.turns.count >= 100);
    GIVES(weir_get_turn_times(loopback.runtime, 1, &times), -EINVAL);
    weir_runtime *runtime = loopback.runtime;
    loopback_close(&loopback);
    GIVES(weir_get_turn_times(runtime, 0, &times), WEIR_CLOSED);
}

Test(metrics, features_are_those_of_the_profile)
{
    struct loopback loopback = loopback_start(&(weir_config){.features_off = "send_zc"});
    const char *name;
    int in_use = -1;
    bool seen = false;
    for (uint32_t i = 0; (name = weir_feature(loopback.runtime, i, &in_use)); i++) {
        bool is_send_zc = strcmp(name, "send_zc") == 0;
        cr_expect(in_use == 0 || in_use == 1);
        cr_expect(!is_send_zc || in_use == 0);
        seen |= is_send_zc;
    }
    cr_expect(seen);
    loopback_close(&loopback);
}

static double value_of(const char *text, const char *line)
{
    const char *place = strstr(text, line);
    cr_assert(place, "no line \"%s\" in\n%s", line, text);
    return strtod(place + strlen(line), NULL);
}

static int count_features(const struct loopback *loopback, const char *text)
{
    uint32_t count = 0;
    const char *name;
    int in_use;
    for (; (name = weir_feature(loopback->runtime, count, &in_use)); count++) {
        char line[128];
        snprintf(line, sizeof(line), "\nweir_feature{feature=\"%s\"} ", name);
        cr_expect(value_of(text, line) == in_use, "%s", line);
    }
    return (int)count;
}

static int count_of(const char *text, const char *line)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, line)); at++)
        count++;
    return count;
}

Test(metrics, the_text_has_what_happened)
{
    static char text[65536];
    char cut[64];
    struct loopback loopback = loopback_open("[{active,true}]");
    peer_say(loopback.peer, "hello");
    expect_text(&loopback, "hello");
    run_there(loopback.runtime, 0, take_long, NULL);
    run_there(loopback.runtime, 0, take_long, NULL);
    int length = weir_metrics(loopback.runtime, text, sizeof(text));
    cr_assert(length > 0 && (size_t)length < sizeof(text));
    cr_expect((size_t)length == strlen(text) && text[length - 1] == '\n');
    cr_expect(value_of(text, "\nweir_bytes_received_total{scheduler=\"0\"} ") == 5);
    cr_expect(value_of(text, "\nweir_connections{scheduler=\"0\"} ") == 1);
    double below = value_of(text, "\nweir_turn_seconds_bucket{scheduler=\"0\",le=\"0.016384\"} ");
    double all = value_of(text, "\nweir_turn_seconds_bucket{scheduler=\"0\",le=\"+Inf\"} ");
    cr_expect(below < all);
    cr_expect(count_of(text, "\nweir_turn_seconds_bucket{scheduler=\"0\"") == WEIR_TIME_CLASSES);
    cr_expect(value_of(text, "\nweir_turn_seconds_sum{scheduler=\"0\"} ") >= 2 * SLOW_MS / 1e3);
    cr_expect(value_of(text, "\nweir_turn_seconds_count{scheduler=\"0\"} ") == all);
    cr_expect(value_of(text, "\nweir_turn_longest_seconds{scheduler=\"0\"} ") >= 0.03);
    double core = value_of(text, "\nweir_core_seconds_total{scheduler=\"0\"} ");
    cr_expect(core > 0 && core < HOUR_SECONDS);
    cr_expect(value_of(text, "\nweir_turn_seconds_sum{scheduler=\"0\"} ") < HOUR_SECONDS);
    cr_expect(value_of(text, "\nweir_turn_longest_seconds{scheduler=\"0\"} ") < HOUR_SECONDS);
    cr_expect(count_of(text, "\nweir_feature{") == count_features(&loopback, text));
    cr_expect(strstr(text, "# TYPE weir_turn_seconds histogram\n"));
    cr_expect(weir_metrics(loopback.runtime, cut, sizeof(cut)) > (int)sizeof(cut));
    cr_expect(strlen(cut) == sizeof(cut) - 1 && memcmp(cut, text, sizeof(cut) - 1) == 0);
    loopback_close(&loopback);
}

/* Of "weir_turn_seconds_bucket{...} 3": a histogram's lines are told of under one name. */
static bool has_head(const char *text, const char *line)
{
    static const char *const parts[] = {"_bucket", "_sum", "_count"};
    char name[128];
    char head[160];
    size_t size = strcspn(line, "{ ");
    snprintf(name, sizeof(name), "%.*s", (int)size, line);
    snprintf(head, sizeof(head), "# TYPE %s ", name);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !strstr(text, head); i++) {
        size_t part = strlen(parts[i]);
        if (size > part && strcmp(name + size - part, parts[i]) == 0)
            snprintf(head, sizeof(head), "# TYPE %.*s histogram", (int)(size - part), name);
    }
    const char *at = strstr(text, head);
    return at && at < line;
}

static bool is_named(const char *line)
{
    return line[strspn(line, "abcdefghijklmnopqrstuvwxyz_")] == '{';
}

Test(metrics, each_figure_has_its_head_before_it)
{
    static char text[65536];
    struct loopback loopback = loopback_start(NULL);
    int length = weir_metrics(loopback.runtime, text, sizeof(text));
    cr_assert(length > 0 && (size_t)length < sizeof(text));
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        int size = (int)strcspn(line, "\n");
        char head[200];
        snprintf(head, sizeof(head), "%.*s", size, line);
        cr_expect(*line == '#' || has_head(text, line), "%s", head);
        cr_expect(*line == '#' || is_named(line), "%s", head);
        cr_expect(*line != '#' || count_of(text, head) == 1, "%s, twice", head);
    }
    loopback_close(&loopback);
}

static weir_socket serve_with(const struct loopback *loopback, const weir_option *options)
{
    static const weir_handler quiet = {.packet = ignore};
    weir_socket service;
    GIVES(weir_tcp_serve(loopback->runtime, "127.0.0.1", 0, options, weir_handled_by(&quiet, NULL),
                         &service),
          0);
    return service;
}

/* In different numbers, so that neither line can stand for the other. */
Test(metrics, the_text_counts_who_had_to_wait_and_who_was_refused)
{
    enum { CLIENTS = 2, PROXIES = 3 };
    static char text[65536];
    int peers[CLIENTS + PROXIES];
    struct loopback loopback = loopback_start(NULL);
    weir_socket narrow = serve_with(&loopback, WEIR_OPTIONS(WEIR_MAX_CONNECTIONS(1)));
    weir_socket proxied = serve_with(&loopback, WEIR_OPTIONS(WEIR_PROXY_PROTOCOL(true)));
    for (int i = 0; i < CLIENTS + PROXIES; i++)
        peers[i] = peer_connect(weir_port(i < CLIENTS ? narrow : proxied));
    for (int i = CLIENTS; i < CLIENTS + PROXIES; i++)
        peer_say(peers[i], "no header");
    EVENTUALLY(totals_of(&loopback).limited == CLIENTS - 1);
    EVENTUALLY(totals_of(&loopback).proxy_refused == PROXIES);
    int length = weir_metrics(loopback.runtime, text, sizeof(text));
    cr_assert(length > 0 && (size_t)length < sizeof(text));
    cr_expect(value_of(text, "\nweir_limited_total{scheduler=\"0\"} ") == CLIENTS - 1);
    cr_expect(value_of(text, "\nweir_proxy_refused_total{scheduler=\"0\"} ") == PROXIES);
    for (int i = 0; i < CLIENTS + PROXIES; i++)
        peer_leave(&peers[i]);
    loopback_close(&loopback);
}
