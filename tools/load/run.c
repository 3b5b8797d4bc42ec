/* SPDX-License-Identifier: MIT */
#include "load/run.h"

#include "base/clock.h"
#include "command.h"
#include "load/traffic.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static volatile sig_atomic_t signal_count;

static void on_signal(int number)
{
    (void)number;
    signal_count = signal_count + 1;
}

/* From the first run on, also between two. The first ends the run with what there is; who gives a
 * second has no patience. */
static void catch_signals(void)
{
    static bool is_catching;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    if (is_catching)
        return;
    is_catching = true;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int failed(const char *what, int error)
{
    const char *text = weir_last_error_text();
    fprintf(stderr, "weir load: %s: %s\n", what, *text ? text : weir_error_text(error));
    return EXIT_FAILURE;
}

static int run_on(struct traffic *traffic, void (*work)(void *data))
{
    int result = weir_run_on(traffic->runtime, 0, work, traffic);
    return result < 0 ? failed("cannot go on", result) : 0;
}

/* This thread is the alarm clock: it sleeps, wakes the scheduler, and looks at signals. */
static int keep_time(struct traffic *traffic, run_watcher *watcher, void *data)
{
    const uint64_t look_ns = 200000000;
    uint32_t watched = 0;
    bool is_told = false;
    int status = run_on(traffic, traffic_turn);
    while (status == 0) {
        enum alarm_news news = alarm_wait(&traffic->alarm, clock_now_ns() + look_ns);
        if (news == ALARM_IS_OVER)
            return 0;
        if (news == ALARM_IS_DUE)
            status = run_on(traffic, traffic_turn);
        if (signal_count > 0 && !is_told) {
            is_told = true;
            status = run_on(traffic, traffic_interrupt);
        }
        uint32_t seconds = __atomic_load_n(&traffic->results->second_count, __ATOMIC_ACQUIRE);
        if (watcher && seconds != watched)
            watcher(traffic->results, data);
        watched = seconds;
    }
    return status;
}

static int not_reached(const struct traffic *traffic)
{
    const char *error = traffic->results->connect_error;
    fprintf(stderr, "weir load: %s: %s\n", traffic->plan->url, *error ? error : "no connection");
    return EXIT_FAILURE;
}

static int make_load(struct traffic *traffic, run_watcher *watcher, void *data)
{
    prctl(PR_SET_TIMERSLACK, 1);
    catch_signals();
    traffic->phase_begin_ns = clock_now_ns();
    return keep_time(traffic, watcher, data);
}

int run_load(const struct plan *plan, struct results *results, run_watcher *watcher, void *data)
{
    const weir_config config = {.schedulers = 1};
    struct traffic traffic;
    weir_runtime *runtime;
    int result = weir_start(&runtime, &config);
    if (result < 0)
        return failed("cannot start", result);
    int status = traffic_prepare(&traffic, plan, runtime, results);
    if (status == 0)
        status = make_load(&traffic, watcher, data);
    weir_stop(runtime);
    bool is_counted = results->begin_ns != 0;
    if (status == 0 && !is_counted && !traffic.is_interrupted)
        status = not_reached(&traffic);
    traffic_free(&traffic);
    return status;
}
