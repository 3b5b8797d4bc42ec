/* SPDX-License-Identifier: MIT */
/* Time-outs on a scheduler whose callbacks take their time. */
#include "support/loopback.h"

#include <stdatomic.h>
#include <time.h>

enum { SHORT_MS = 60, LONG_MS = 1000, MOST_OF_IT_MS = 900, TOO_LATE_MS = 1500, TRIES = 5 };

static void work_for(uint64_t ms)
{
    uint64_t until = now_ms() + ms;
    while (now_ms() < until)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

struct wait {
    weir_socket socket;
    int64_t timeout_ms;
    uint64_t asked_ms;
    atomic_uint_least64_t waited_ms; /* 0: still waits */
};

static void over(weir_socket socket, int result, const weir_packet *packet, void *data)
{
    struct wait *wait = data;
    (void)socket;
    (void)packet;
    cr_assert_eq(result, WEIR_TIMEOUT);
    atomic_store(&wait->waited_ms, now_ms() - wait->asked_ms + 1);
}

static void ask(struct wait *wait)
{
    wait->asked_ms = now_ms();
    GIVES(weir_recv_async(wait->socket, 0, wait->timeout_ms, over, wait), 0);
}

static void work_then_ask(void *data)
{
    work_for(2 * SHORT_MS);
    ask(data);
}

static void just_ask(void *data)
{
    ask(data);
}

static void work_most_of_it(void *data)
{
    (void)data;
    work_for(MOST_OF_IT_MS);
}

static uint64_t wait_over(struct wait *wait)
{
    EVENTUALLY(atomic_load(&wait->waited_ms) > 0);
    return atomic_load(&wait->waited_ms);
}

Test(timeout, begins_when_it_is_asked_for)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    struct wait wait = {.socket = loopback.socket, .timeout_ms = SHORT_MS};
    run_there(loopback.runtime, 0, work_then_ask, &wait);
    cr_expect_geq(wait_over(&wait), (uint64_t)SHORT_MS);
    loopback_close(&loopback);
}

/* A busy machine may delay it too, but not each time. */
Test(timeout, is_not_delayed_by_a_slow_callback)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    uint64_t least_ms = UINT64_MAX;
    for (int i = 0; i < TRIES && least_ms > TOO_LATE_MS; i++) {
        struct wait wait = {.socket = loopback.socket, .timeout_ms = LONG_MS};
        run_there(loopback.runtime, 0, just_ask, &wait);
        run_there(loopback.runtime, 0, work_most_of_it, NULL);
        uint64_t waited_ms = wait_over(&wait);
        least_ms = waited_ms < least_ms ? waited_ms : least_ms;
    }
    cr_expect_leq(least_ms, (uint64_t)TOO_LATE_MS);
    loopback_close(&loopback);
}
