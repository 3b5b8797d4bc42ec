/* SPDX-License-Identifier: MIT */
/* Closed sockets that still have something to send: they count, and do not live for ever. */
#include "sending/filled.h"

#include <errno.h>
#include <sys/socket.h>
#include <time.h>

enum { CLOSE_TIMEOUT_MS = 300 };

static weir_totals totals_of(const weir_runtime *runtime)
{
    weir_totals totals;
    GIVES(weir_get_totals(runtime, -1, &totals), 0);
    return totals;
}

static struct loopback open_with_timeout(uint32_t close_timeout_ms)
{
    const weir_config config = {.schedulers = 1, .close_timeout_ms = close_timeout_ms};
    struct loopback loopback = open_small(&config, "");
    fill_queue(&loopback);
    return loopback;
}

Test(lingering, a_peer_that_takes_nothing_is_reset)
{
    struct loopback loopback = open_with_timeout(CLOSE_TIMEOUT_MS);
    uint64_t before = now_ms();
    weir_close(loopback.socket);
    EVENTUALLY(totals_of(loopback.runtime).close_timeouts == 1);
    cr_assert(now_ms() - before >= CLOSE_TIMEOUT_MS);
    EVENTUALLY(totals_of(loopback.runtime).connections == 0);
    cr_assert(totals_of(loopback.runtime).queued_bytes == 0);
    peer_expect_reset(loopback.peer);
    loopback_close(&loopback);
}

Test(lingering, several_one_after_the_other)
{
    enum { PEERS = 5 };
    int peers[PEERS];
    struct loopback loopback = open_with_timeout(CLOSE_TIMEOUT_MS);
    for (int i = 0; i < PEERS; i++) {
        peers[i] = loopback.peer;
        weir_close(loopback.socket);
        loopback.peer = -1;
        loopback_reopen(&loopback);
        if (i + 1 < PEERS)
            fill_queue(&loopback);
    }
    EVENTUALLY(totals_of(loopback.runtime).close_timeouts == PEERS);
    EVENTUALLY(totals_of(loopback.runtime).connections == 1); /* the one that nobody closed */
    for (int i = 0; i < PEERS; i++)
        peer_leave(&peers[i]);
    loopback_close(&loopback);
}

Test(lingering, a_closed_socket_counts_until_it_is_over)
{
    struct loopback loopback = open_with_timeout(0);
    weir_close(loopback.socket);
    settle(loopback.listener);
    cr_assert(totals_of(loopback.runtime).connections == 1);
    cr_assert(peer_drain(loopback.peer) == FILL_BYTES);
    EVENTUALLY(totals_of(loopback.runtime).connections == 0);
    cr_assert(totals_of(loopback.runtime).close_timeouts == 0);
    loopback_close(&loopback);
}

/* False: the machine has held this peer up, who may have been reset for that. */
static bool take_slowly(int fd)
{
    enum { PIECES = 40, PIECE_BYTES = FILL_BYTES / PIECES };
    static char bytes[PIECE_BYTES];
    const struct timespec pause = {.tv_nsec = 4 * CLOSE_TIMEOUT_MS * INT64_C(1000000) / PIECES};
    for (int i = 0; i < PIECES; i++) {
        uint64_t began_ms = now_ms();
        ssize_t count = recv(fd, bytes, PIECE_BYTES, MSG_WAITALL);
        nanosleep(&pause, NULL); /* a slow peer, and not a wait for anything */
        if (now_ms() - began_ms > CLOSE_TIMEOUT_MS / 2)
            return false;
        cr_assert(count == PIECE_BYTES, "piece %d: %zd bytes", i, count);
    }
    return true;
}

/* Several times as long as the time-out all in all. */
static bool peer_that_takes_little(void)
{
    struct loopback loopback = open_with_timeout(CLOSE_TIMEOUT_MS);
    uint64_t before_ms = now_ms();
    weir_close(loopback.socket);
    bool was_in_time = take_slowly(loopback.peer);
    if (was_in_time) {
        cr_assert(now_ms() - before_ms > 2 * CLOSE_TIMEOUT_MS);
        peer_expect_end(loopback.peer);
        cr_assert(totals_of(loopback.runtime).close_timeouts == 0);
    }
    loopback_close(&loopback);
    return was_in_time;
}

Test(lingering, a_peer_that_takes_little_is_not_reset)
{
    enum { TRIES = 10 };
    int tries = 0;
    while (!peer_that_takes_little())
        cr_assert(++tries < TRIES, "the machine holds the peer up");
}

Test(lingering, a_drain_ends_with_them)
{
    struct loopback loopback = open_with_timeout(CLOSE_TIMEOUT_MS);
    weir_close(loopback.socket);
    GIVES(weir_drain(loopback.runtime, WAIT_MS), 0);
    cr_assert(totals_of(loopback.runtime).close_timeouts == 1);
    loopback_close(&loopback);
}

Test(lingering, a_call_that_waits_for_the_queue_ends_with_it)
{
    const weir_config config = {.schedulers = 1, .close_timeout_ms = CLOSE_TIMEOUT_MS};
    struct loopback loopback = open_small(&config, ",{linger,{true,60}}");
    fill_queue(&loopback);
    uint64_t before = now_ms();
    GIVES(weir_close(loopback.socket), 0);
    cr_assert(now_ms() - before < AT_ONCE_MS);
    loopback_close(&loopback);
}
