/* SPDX-License-Identifier: MIT */
/* The kernel has no room and the peer has shut its own side down: poll would report that for ever,
 * and a send left to the kernel would be tried over and over, then block a thread of the kernel's
 * (6.18). */
#include "sending/filled.h"

#include <stdatomic.h>
#include <sys/socket.h>

static uint64_t blocked_sends(const struct loopback *loopback)
{
    weir_totals totals;
    GIVES(weir_get_totals(loopback->runtime, -1, &totals), 0);
    return totals.blocked_sends;
}

static atomic_int released_count;

static void released(void *data)
{
    (void)data;
    atomic_fetch_add(&released_count, 1);
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

/* Memory of one's own is a piece for each call, and several are one operation; with zero copy or
 * without. */
static void block_in_pieces(uint32_t zero_copy_from_bytes)
{
    enum { PIECES = 20, PIECE = FILL_BYTES / PIECES };
    static char bytes[PIECE];
    struct loopback loopback =
        open_small(&(weir_config){.zero_copy_from_bytes = zero_copy_from_bytes}, "");
    cr_assert(shutdown(loopback.peer, SHUT_WR) == 0);
    for (int i = 0; i < PIECES; i++)
        GIVES(weir_send_owned(loopback.socket, bytes, PIECE, released, NULL), 0);
    GIVES(weir_close(loopback.socket), 0);
    expect_to_wait_for_the_peer(&loopback);
    EVENTUALLY(atomic_load(&released_count) == PIECES);
    loopback_close(&loopback);
}

Test(blocked, several_pieces)
{
    block_in_pieces(0);
}

Test(blocked, several_pieces_that_are_not_copied)
{
    block_in_pieces(4096);
}
