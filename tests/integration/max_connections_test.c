/* SPDX-License-Identifier: MIT */
/* {max_connections,_}: who has to wait, that everybody gets a place in the end, and what becomes of
 * those that wait when the service ends. */
#include "integration/local_peer.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_int accepted_count;
static atomic_int live_count; /* of connections whose descriptor may be open */
static atomic_int most_live;

static void on_accepted(weir_socket socket, void *data)
{
    int live = atomic_fetch_add(&live_count, 1) + 1;
    int most = atomic_load(&most_live);
    (void)socket;
    (void)data;
    while (live > most && !atomic_compare_exchange_weak(&most_live, &most, live))
        continue;
    atomic_fetch_add(&accepted_count, 1);
}

static void on_closed(weir_socket socket, void *data)
{
    (void)socket;
    (void)data;
    atomic_fetch_sub(&live_count, 1);
}

/* Says the same, and that was it. */
static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    cr_expect(weir_send_packet(socket, packet) == 0);
    atomic_fetch_sub(&live_count, 1);
    weir_close(socket);
}

static const weir_handler handler = {
    .accepted = on_accepted, .packet = on_packet, .closed = on_closed};

static weir_owner everybody(void)
{
    return weir_handled_by(&handler, NULL);
}

static int serve(struct loopback *loopback, const char *address, uint32_t limit)
{
    return weir_tcp_serve(loopback->runtime, address, 0, WEIR_OPTIONS(WEIR_MAX_CONNECTIONS(limit)),
                          everybody(), &loopback->listener);
}

static uint64_t limited(const struct loopback *loopback)
{
    weir_totals totals;
    GIVES(weir_get_totals(loopback->runtime, -1, &totals), 0);
    return totals.limited;
}

/* On one scheduler, with a place for one: the first has it, the second waits in the service's hand
 * and the others in the backlog. */
enum { WAITING = 4 };

static void gather(struct loopback *loopback, int peers[WAITING])
{
    *loopback = loopback_start(NULL);
    GIVES(serve(loopback, "127.0.0.1", 1), 0);
    for (int i = 0; i < WAITING; i++)
        peers[i] = peer_connect(weir_port(loopback->listener));
    EVENTUALLY(limited(loopback) == 1);
    settle(loopback->listener);
    cr_expect(accepted_count == 1);
}

Test(max_connections, who_comes_is_served_when_another_ends)
{
    struct loopback loopback;
    int peers[WAITING];
    gather(&loopback, peers);
    for (int i = 1; i < WAITING; i++)
        peer_say(peers[i], "q");
    peer_leave(&peers[0]);
    for (int i = 1; i < WAITING; i++) {
        peer_expect(peers[i], "q");
        peer_expect_end(peers[i]);
        peer_leave(&peers[i]);
    }
    cr_expect(accepted_count == WAITING && most_live == 1, "%d, %d", accepted_count, most_live);
    cr_expect(limited(&loopback) <= WAITING - 1);
    loopback_close(&loopback);
}

/* One that it has closed, and whose peer takes nothing of what it is owed, has its descriptor. */
static void flood(weir_socket socket, const weir_packet *packet, void *data)
{
    static const char bytes[1 << 16];
    (void)packet;
    (void)data;
    while (weir_send(socket, bytes, sizeof(bytes)) == 0)
        continue;
    weir_close(socket);
}

Test(max_connections, one_that_is_still_sending_counts)
{
    static const weir_handler flooding = {.accepted = on_accepted, .packet = flood};
    struct loopback loopback = loopback_start(NULL);
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0,
                         WEIR_OPTIONS(WEIR_MAX_CONNECTIONS(1), WEIR_SNDBUF(4096)),
                         weir_handled_by(&flooding, NULL), &loopback.listener),
          0);
    int slow = peer_connect_with(weir_port(loopback.listener), 4096);
    peer_say(slow, "q");
    EVENTUALLY(accepted_count == 1);
    int next = peer_connect(weir_port(loopback.listener));
    EVENTUALLY(limited(&loopback) == 1);
    settle(loopback.listener);
    cr_expect(accepted_count == 1);
    cr_assert(peer_drain(slow) > 0);
    EVENTUALLY(accepted_count == 2);
    close(slow);
    close(next);
    loopback_close(&loopback);
}

/* But the first, who has a place, and the second, who is in hand. All leave. */
static void expect_others_reset(int peers[WAITING])
{
    for (int i = 2; i < WAITING; i++)
        peer_expect_reset(peers[i]);
    for (int i = 0; i < WAITING; i++)
        peer_leave(&peers[i]);
}

Test(max_connections, a_drain_serves_the_one_in_hand)
{
    struct loopback loopback;
    int peers[WAITING];
    gather(&loopback, peers);
    GIVES(weir_drain(loopback.runtime, 0), WEIR_TIMEOUT);
    peer_say(peers[1], "q");
    peer_expect(peers[1], "q");
    expect_others_reset(peers);
    GIVES(weir_drain(loopback.runtime, AT_ONCE_MS), 0);
    cr_expect(accepted_count == 2);
    loopback_close(&loopback);
}

Test(max_connections, a_stop_ends_the_one_in_hand_as_others)
{
    struct loopback loopback;
    int peers[WAITING];
    gather(&loopback, peers);
    GIVES(weir_stop(loopback.runtime), 0);
    peer_expect_end(peers[0]);
    peer_expect_end(peers[1]);
    expect_others_reset(peers);
    cr_expect(accepted_count == 2);
    GIVES(weir_start(&loopback.runtime, NULL), 0);
    loopback_close(&loopback);
}

Test(max_connections, a_close_closes_the_one_in_hand)
{
    struct loopback loopback;
    int peers[WAITING];
    gather(&loopback, peers);
    GIVES(weir_close(loopback.listener), 0);
    peer_expect_end(peers[1]);
    expect_others_reset(peers);
    EVENTUALLY(live_count == 0);
    cr_expect(accepted_count == 1);
    loopback_close(&loopback);
}

static atomic_int successors_count;

static void count_successors(weir_socket socket, void *data)
{
    (void)socket;
    (void)data;
    atomic_fetch_add(&successors_count, 1);
}

/* The one in hand is served by who has accepted it, those of the backlog by the successor. */
Test(max_connections, a_successor_gets_those_of_the_backlog)
{
    static const weir_handler successors = {.accepted = count_successors};
    struct loopback loopback;
    weir_runtime *next;
    int fds[WEIR_FDS_MAX];
    int peers[WAITING];
    gather(&loopback, peers);
    GIVES(weir_start(&next, &(weir_config){.schedulers = 1}), 0);
    GIVES(weir_duplicate_fds(loopback.listener, fds), 1);
    GIVES(weir_tcp_serve_fds(next, fds, 1, NULL, weir_handled_by(&successors, NULL), NULL), 0);
    GIVES(weir_leave(loopback.listener), 0);
    peer_say(peers[1], "q");
    peer_expect(peers[1], "q");
    EVENTUALLY(successors_count == WAITING - 2);
    cr_expect(accepted_count == 2);
    for (int i = 0; i < WAITING; i++)
        peer_leave(&peers[i]);
    GIVES(weir_stop(next), 0);
    loopback_close(&loopback);
}

enum { SCHEDULERS = 3, PLACES = 5, CROWD = 90 };

/* Each is answered and closed, whichever is first. */
static void expect_answers(int peers[CROWD])
{
    for (int i = 0; i < CROWD; i++) {
        peer_expect(peers[i], "q");
        peer_expect_end(peers[i]);
        peer_leave(&peers[i]);
    }
    cr_expect(accepted_count == CROWD && most_live <= PLACES, "%d, %d", accepted_count, most_live);
}

/* Places are given back and waited for on all schedulers at once: nobody is forgotten. */
Test(max_connections, everybody_gets_a_place_in_the_end)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = SCHEDULERS});
    int peers[CROWD];
    GIVES(serve(&loopback, "127.0.0.1", PLACES), 0);
    for (int i = 0; i < CROWD; i++) {
        peers[i] = peer_connect(weir_port(loopback.listener));
        if (i % 2)
            peer_say(peers[i], "q");
    }
    for (int i = 0; i < CROWD; i += 2)
        peer_say(peers[i], "q");
    expect_answers(peers);
    loopback_close(&loopback);
}

Test(max_connections, schedulers_that_share_a_socket_share_the_places)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = SCHEDULERS});
    int peers[CROWD];
    char name[64];
    snprintf(name, sizeof(name), "unix:@weir places %d", (int)getpid());
    GIVES(serve(&loopback, name, PLACES), 0);
    for (int i = 0; i < CROWD; i++) {
        peers[i] = local_peer(name, SOCK_STREAM, connect);
        peer_say(peers[i], "q");
    }
    expect_answers(peers);
    loopback_close(&loopback);
}

/* A drain of those too takes what there is room for. */
Test(max_connections, a_drain_of_a_local_service_serves_those_that_have_places)
{
    struct loopback loopback = loopback_start(NULL);
    int peers[WAITING];
    char name[64];
    snprintf(name, sizeof(name), "unix:@weir drain %d", (int)getpid());
    GIVES(serve(&loopback, name, 1), 0);
    for (int i = 0; i < WAITING; i++)
        peers[i] = local_peer(name, SOCK_STREAM, connect);
    EVENTUALLY(limited(&loopback) == 1);
    GIVES(weir_drain(loopback.runtime, 0), WEIR_TIMEOUT);
    peer_say(peers[1], "q");
    peer_expect(peers[1], "q");
    expect_others_reset(peers);
    GIVES(weir_drain(loopback.runtime, AT_ONCE_MS), 0);
    cr_expect(accepted_count == 2);
    loopback_close(&loopback);
}

Test(max_connections, is_for_what_listens_and_from_the_beginning)
{
    struct loopback loopback = loopback_start(NULL);
    weir_option limit[] = {WEIR_MAX_CONNECTIONS(1), WEIR_REQUEST(END)};
    GIVES(weir_udp_serve(loopback.runtime, "127.0.0.1", 0, limit, everybody(), NULL), WEIR_BADARG);
    GIVES(serve(&loopback, "127.0.0.1", 0), WEIR_BADARG);
    GIVES(serve(&loopback, "127.0.0.1", 1), 0);
    GIVES(weir_setopts(loopback.listener, limit), -EINVAL);
    GIVES(weir_getopts(loopback.listener, limit, 1), -EINVAL);
    loopback_close(&loopback);
}

/* The runtime's options of listeners are each one's own, with places of its own. */
Test(max_connections, may_be_the_runtimes)
{
    struct loopback loopback =
        loopback_start(&(weir_config){.default_listen_options = "[{max_connections,1}]"});
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, NULL, everybody(), &loopback.listener),
          0);
    int first = peer_connect(weir_port(loopback.listener));
    int second = peer_connect(weir_port(loopback.listener));
    EVENTUALLY(limited(&loopback) == 1);
    peer_leave(&first);
    peer_say(second, "q");
    peer_expect(second, "q");
    peer_leave(&second);
    loopback_close(&loopback);
}
