/* SPDX-License-Identifier: MIT */
/* What servers need beside bytes: timers, work for a socket, time-outs of idle ones, broadcasts. */
#include "cases.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

enum { TIMERS_MAX = 4096, TIMERS_MORE = 64 };

static void wait_for(sem_t *done)
{
    while (sem_wait(done) < 0)
        continue;
}

static void post(weir_timer timer, void *done)
{
    (void)timer;
    sem_post(done);
}

/* More of them each time than places were needed before, which are cancelled, and one that fires.
 */
int oom_timers(weir_runtime *runtime)
{
    static weir_timer timers[TIMERS_MAX];
    static int wanted;
    sem_t done;
    int count = 0;
    int result = 0;
    sem_init(&done, 0, 0);
    wanted += wanted < TIMERS_MAX ? TIMERS_MORE : 0;
    while (count < wanted && result == 0) {
        result = weir_timer_start(runtime, 0, 3600000, 0, post, &done, &timers[count]);
        count += result == 0;
    }
    for (int i = 0; i < count; i++)
        if (weir_timer_cancel(timers[i]) < 0)
            oom_fail("a timer that was started is not there");
    if (result == 0)
        result = weir_timer_start(runtime, 0, 0, 0, post, &done, NULL);
    if (result == 0)
        wait_for(&done);
    sem_destroy(&done);
    return result;
}

struct announcement {
    sem_t done;
    sem_t released;
    weir_broadcast_counts counts;
    int error;
};

static void on_released(void *data)
{
    struct announcement *announcement = data;
    sem_post(&announcement->released);
}

static void on_left_out(weir_socket socket, int error, void *socket_data, void *data)
{
    struct announcement *announcement = data;
    (void)socket;
    (void)socket_data;
    announcement->error = error;
}

static void on_done(const weir_broadcast_counts *counts, void *data)
{
    struct announcement *announcement = data;
    announcement->counts = *counts;
    sem_post(&announcement->done);
}

static int announce(weir_runtime *runtime, const void *bytes, size_t size)
{
    struct announcement announcement = {.error = 0};
    const weir_owned_bytes message = {bytes, size, on_released, &announcement};
    const weir_broadcast_plan plan = {
        .left_out = on_left_out, .done = on_done, .data = &announcement};
    sem_init(&announcement.done, 0, 0);
    sem_init(&announcement.released, 0, 0);
    int result = weir_broadcast(runtime, &message, &plan);
    if (result == 0) {
        wait_for(&announcement.done);
        result = announcement.error;
        if (announcement.counts.sent + announcement.counts.failed != 1)
            oom_fail("one connection was neither sent to nor left out");
    }
    wait_for(&announcement.released);
    sem_destroy(&announcement.done);
    sem_destroy(&announcement.released);
    return result;
}

/* Copied, and sent from where it lies. */
int oom_broadcast(weir_runtime *runtime)
{
    static const char bytes[100000];
    struct oom_pair pair;
    int result = oom_open_pair(runtime, &pair);
    if (result < 0)
        return result;
    result = announce(runtime, bytes, 100);
    if (result == 0)
        result = announce(runtime, bytes, sizeof(bytes));
    oom_close_pair(&pair);
    return result;
}

static void worked(weir_socket socket, int result, void *socket_data, void *done)
{
    (void)socket;
    (void)socket_data;
    if (result != 0)
        oom_fail("work for a socket that is open is told that it is gone");
    sem_post(done);
}

int oom_work(weir_runtime *runtime)
{
    struct oom_pair pair;
    sem_t done;
    int result = oom_open_pair(runtime, &pair);
    if (result < 0)
        return result;
    sem_init(&done, 0, 0);
    result = weir_run_for(pair.socket, worked, &done);
    if (result == 0)
        wait_for(&done);
    sem_destroy(&done);
    if (result == 0)
        result = weir_setopts(pair.socket, WEIR_OPTIONS(WEIR_IDLE_TIMEOUT(3600000)));
    oom_close_pair(&pair);
    return result;
}
