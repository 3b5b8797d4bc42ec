/* SPDX-License-Identifier: MIT */
/* The kernel has no room and the peer has shut its own side down: poll would report that for ever,
 * and a send left to the kernel would be tried over and over, then block a thread of the kernel's
 * (6.18). */
#include "sending/filled.h"

#include <sys/socket.h>

static uint64_t blocked_sends(const struct loopback *loopback)
{
    weir_totals totals;
    GIVES(weir_get_totals(loopback->runtime, -1, &totals), 0);
    return totals.blocked_sends;
}

static void expect_to_wait_for_the_peer(struct loopback *loopback)
{
    EVENTUALLY(blocked_sends(loopback) > 0);
    settle(loopback->listener);
    cr_expect(kernel_workers() == 0, "%d threads of the kernel", kernel_workers());
    cr_expect(peer_drain(loopback->peer) == FILL_BYTES);
}

Test(blocked, the_peer_shuts_down_before)
{
    struct loopback loopback = open_small(NULL, "");
    cr_assert(shutdown(loopback.peer, SHUT_WR) == 0);
    fill_queue(&loopback);
    GIVES(weir_close(loopback.socket), 0);
    expect_to_wait_for_the_peer(&loopback);
    loopback_close(&loopback);
}

Test(blocked, the_peer_shuts_down_meanwhile)
{
    uint64_t queue;
    struct loopback loopback = open_filled("", &queue);
    cr_assert(shutdown(loopback.peer, SHUT_WR) == 0);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &(weir_packet){0}), WEIR_CLOSED);
    GIVES(weir_close(loopback.socket), 0);
    expect_to_wait_for_the_peer(&loopback);
    loopback_close(&loopback);
}

Test(blocked, its_own_reading_side_is_shut_down)
{
    uint64_t queue;
    struct loopback loopback = open_filled("", &queue);
    GIVES(weir_shutdown(loopback.socket, WEIR_READ_WRITE), 0);
    expect_to_wait_for_the_peer(&loopback);
    loopback_close(&loopback);
}
