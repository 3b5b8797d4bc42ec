/* SPDX-License-Identifier: MIT */
/*
 * Each scene has a server of known slowness. What must be reported follows from what the server
 * noted: when it paused, how long it held each request, and for how long the machine kept threads
 * from their cores meanwhile: a scene in which that was long is not judged but played again.
 *
 * The control is the mistake that this program exists to avoid: a closed loop against the server
 * that pauses, whose one connection sends nothing while it waits.
 */
#include "load/selftest.h"

#include "base/memory.h"
#include "command.h"
#include "load/plan.h"
#include "load/results.h"
#include "load/run.h"
#include "load/sham.h"
#include "load/verdict.h"
#include "load/witness.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JUDGED_MAX = 5, PLAYED_MAX = 12, QUANTILES_MAX = 3 };

enum judgement { FOLLOWS, DIFFERS, NOT_JUDGED };

struct expectation {
    struct histogram response;
    struct histogram late; /* what the machine kept threads from their cores */
    uint64_t timeouts;
};

struct scene {
    const char *name;
    const char *says;
    enum sham_temper temper;
    const char *arguments[12];
    /* What follows from the server's notes. */
    void (*expect)(const struct sham *sham, const struct plan *plan, const struct results *results,
                   struct expectation *expectation);
    double quantiles[QUANTILES_MAX]; /* that are compared; 0: no more */
    bool is_control;
};

/* A request planned within a pause is answered at its end, any other at once. */
static void expect_pauses(const struct sham *sham, const struct plan *plan,
                          const struct results *results, struct expectation *expectation)
{
    struct arrivals_shape shape = plan->arrivals;
    struct arrivals arrivals;
    if (!plan->is_open_loop) {
        shape.kind = ARRIVALS_CONSTANT;
        shape.rate = 500;
    }
    arrivals_begin(&arrivals, &shape);
    for (;;) {
        uint64_t offset_ns = arrivals_next(&arrivals), response_ns = 0;
        uint64_t planned_ns = results->begin_ns + offset_ns;
        if (offset_ns >= plan->duration_ns)
            return;
        for (size_t i = 0; i < sham->pause_count; i++)
            if (planned_ns >= sham->pauses[i].begin_ns && planned_ns < sham->pauses[i].end_ns)
                response_ns = sham->pauses[i].end_ns - planned_ns;
        histogram_add(&expectation->response, response_ns, 1);
    }
}

static void expect_held(const struct sham *sham, const struct plan *plan,
                        const struct results *results, struct expectation *expectation)
{
    (void)plan;
    (void)results;
    histogram_merge(&expectation->response, &sham->held);
}

/* One in twenty takes the whole time-out. */
static void expect_dead(const struct sham *sham, const struct plan *plan,
                        const struct results *results, struct expectation *expectation)
{
    uint64_t count = results_requests(results);
    (void)sham;
    expectation->timeouts = count / 20;
    histogram_add(&expectation->response, plan->timeout_ns, expectation->timeouts);
    histogram_add(&expectation->response, 0, count - expectation->timeouts);
}

static void expect_prompt(const struct sham *sham, const struct plan *plan,
                          const struct results *results, struct expectation *expectation)
{
    (void)sham;
    (void)results;
    histogram_add(&expectation->response, 0,
                  (uint64_t)(plan->arrivals.rate * (double)plan->duration_ns / 1e9));
}

static const struct scene scenes[] = {
    {"prompt",
     "a server without pauses",
     SHAM_PROMPT,
     {"--rate=1000", "--duration=2s"},
     expect_prompt,
     {0.5},
     false},
    {"pauses",
     "does nothing for 100 ms of each second",
     SHAM_PAUSES,
     {"--rate=250", "--connections=8", "--duration=4s"},
     expect_pauses,
     {0.95, 0.99, 0.999},
     false},
    {"bimodal",
     "holds 9 of 10 for 40 ms, 1 for 200 ms",
     SHAM_BIMODAL,
     {"--rate=200", "--duration=2s"},
     expect_held,
     {0.5, 0.95, 0.99},
     false},
    {"dead",
     "1 of 20 is never answered",
     SHAM_DEAD,
     {"--rate=1000", "--duration=2s", "--timeout=200ms"},
     expect_dead,
     {0.5, 0.96, 0.99},
     false},
    {"slow",
     "reads 128 KiB a tenth at a time",
     SHAM_SLOW,
     {"--rate=20", "--duration=2s", "--size=131072"},
     expect_held,
     {0.5, 0.9},
     false},
    {"control",
     "as 'pauses', by a closed loop: has to differ",
     SHAM_PAUSES,
     {"--connections=1", "--think=1ms", "--duration=4s"},
     expect_pauses,
     {0.95, 0.99, 0.999},
     true},
};

enum { SCENE_COUNT = sizeof(scenes) / sizeof(scenes[0]) };

/* Within 1%, and what the server and its client may each have been kept from their cores. What
 * should be nothing may be what two threads take to speak to each other. */
static bool is_close(uint64_t got_ns, uint64_t expected_ns, uint64_t late_ns)
{
    const double speaking_ns = 5e6;
    double bound_ns = expected_ns ? (double)expected_ns / 100 : speaking_ns;
    return fabs((double)got_ns - (double)expected_ns) <= bound_ns + 2 * (double)late_ns;
}

static bool compare_quantile(const struct results *results, const struct expectation *expectation,
                             double quantile)
{
    uint64_t got_ns = histogram_quantile_ns(&results->response, quantile);
    uint64_t expected_ns = histogram_quantile_ns(&expectation->response, quantile);
    uint64_t late_ns = histogram_quantile_ns(&expectation->late, quantile);
    bool is_good = is_close(got_ns, expected_ns, late_ns);
    printf("    p%-5g %9.3f ms, follows %9.3f ms, threads were late by %6.3f ms%s\n",
           100 * quantile, (double)got_ns / 1e6, (double)expected_ns / 1e6, (double)late_ns / 1e6,
           is_good ? "" : "  <- differs");
    return is_good;
}

static bool compare_count(const char *what, uint64_t got, uint64_t expected, uint64_t slack)
{
    bool is_good = got + slack >= expected && got <= expected + slack;
    if (!is_good)
        printf("    %s: %" PRIu64 ", follows %" PRIu64 "  <- differs\n", what, got, expected);
    return is_good;
}

static bool compare(const struct scene *scene, const struct results *results,
                    const struct expectation *expectation)
{
    bool is_good = true;
    for (size_t i = 0; i < QUANTILES_MAX && scene->quantiles[i] > 0; i++)
        is_good &= compare_quantile(results, expectation, scene->quantiles[i]);
    is_good &=
        compare_count("time-outs", results->outcomes[OUTCOME_TIMEOUT], expectation->timeouts, 1);
    is_good &= compare_count("other failures",
                             results_failed(results) - results->outcomes[OUTCOME_TIMEOUT], 0, 0);
    if (scene->expect != expect_held && !scene->is_control)
        is_good &=
            compare_count("requests", results_requests(results), expectation->response.count, 0);
    return is_good;
}

static int read_scene_plan(const struct scene *scene, const char *url, struct plan *plan)
{
    enum { ARGUMENTS_MAX = 16, TEXT_SIZE = 64 };
    static char texts[ARGUMENTS_MAX][TEXT_SIZE]; /* reading takes them apart */
    char *arguments[ARGUMENTS_MAX + 1] = {NULL};
    int count = 0;
    const char *first[] = {"load", url, "--warm-up=300ms"};
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
        snprintf(texts[count++], TEXT_SIZE, "%s", first[i]);
    for (size_t i = 0; scene->arguments[i]; i++)
        snprintf(texts[count++], TEXT_SIZE, "%s", scene->arguments[i]);
    for (int i = 0; i < count; i++)
        arguments[i] = texts[i];
    return plan_read(count, arguments, plan);
}

static int run_witnessed(const struct plan *plan, struct results *results, struct histogram *late)
{
    struct witness *witness = witness_start();
    if (!witness)
        return command_misused("load", "--selftest: no witness: %s", strerror(errno));
    int status = run_load(plan, results, NULL, NULL);
    witness_end(witness, late);
    if (status == 0 && results->is_interrupted)
        status = EXIT_FAILURE;
    return status;
}

/* Whether whoever does not see the pauses, which the control does not, would be seen to differ. */
static bool is_fit(const struct histogram *late)
{
    const uint64_t late_most_ns = 5000000;
    return histogram_quantile_ns(late, 0.99) <= late_most_ns;
}

static enum judgement judge(const struct scene *scene, const struct results *results,
                            const struct expectation *expectation)
{
    bool is_good = compare(scene, results, expectation);
    if (is_fit(&expectation->late))
        return is_good ? FOLLOWS : DIFFERS;
    puts("    not judged: this machine is too busy");
    return NOT_JUDGED;
}

/* `status` becomes what kept it from being tried. */
static enum judgement play(const struct scene *scene, struct results *results,
                           struct expectation *expectation, int *status)
{
    struct plan plan;
    char url[64];
    size_t request_bytes = scene->temper == SHAM_SLOW ? 131072 : 64;
    struct sham *sham = sham_start(scene->temper, request_bytes);
    if (!sham) {
        *status = command_misused("load", "--selftest: no server: %s", strerror(errno));
        return NOT_JUDGED;
    }
    snprintf(url, sizeof(url), "tcp://127.0.0.1:%u", sham->port);
    *status = read_scene_plan(scene, url, &plan);
    results->begin_ns = 0;
    memset(expectation, 0, sizeof(*expectation));
    if (*status == 0)
        *status = run_witnessed(&plan, results, &expectation->late);
    sham_stop(sham);
    if (*status == 0)
        scene->expect(sham, &plan, results, expectation);
    sham_free(sham);
    return *status == 0 ? judge(scene, results, expectation) : NOT_JUDGED;
}

/* A scene whose figures do not follow is played again, as is one that was not judged. */
static int try_scene(const struct scene *scene, struct results *results,
                     struct expectation *expectation)
{
    int status = 0, judged = 0, judged_max = scene->is_control ? 1 : JUDGED_MAX;
    printf("%s: %s\n", scene->name, scene->says);
    for (int played = 0; played < PLAYED_MAX && judged < judged_max; played++) {
        enum judgement judgement = play(scene, results, expectation, &status);
        fflush(stdout);
        if (status != 0)
            return status;
        if (judgement == (scene->is_control ? DIFFERS : FOLLOWS))
            return EXIT_SUCCESS;
        judged += judgement != NOT_JUDGED;
    }
    return judged == judged_max ? EXIT_FAILURE : VERDICT_EXIT_LIMITED;
}

/* Where it may, it goes before others, so that it is the tool that is tested and not the machine.
 */
static void go_first(void)
{
    const struct sched_param priority = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_RR, &priority) < 0)
        puts("(without real-time priority: a busy machine may leave nothing to judge)");
}

int selftest_run(void)
{
    go_first();
    struct results *results = results_create();
    struct expectation *expectation = memory_allocate(sizeof(*expectation));
    int status = results && expectation ? 0 : command_misused("load", "no memory for the results");
    for (size_t i = 0; i < SCENE_COUNT && status == 0; i++) {
        status = try_scene(&scenes[i], results, expectation);
        if (status != 0)
            printf("%s: %s\n", scenes[i].name,
                   status == VERDICT_EXIT_LIMITED ? "nothing to judge on a machine so busy"
                                                  : "not as it has to be");
    }
    if (status == 0)
        puts("each scene gave what follows, and the control did not");
    memory_free(expectation);
    results_free(results);
    return status;
}
