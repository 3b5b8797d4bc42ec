/* SPDX-License-Identifier: MIT */
/* {max_connections,_} of listeners whose connections are taken by accept. */
#include "support/loopback.h"

#include <errno.h>
#include <unistd.h>

static struct loopback start(uint32_t limit, uint32_t schedulers)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = schedulers});
    GIVES(weir_tcp_listen(loopback.runtime, "127.0.0.1", 0,
                          WEIR_OPTIONS(WEIR_MAX_CONNECTIONS(limit), WEIR_ACTIVE(WEIR_ACTIVE_FALSE),
                                       WEIR_BACKLOG(200)),
                          &loopback.listener),
          0);
    return loopback;
}

static uint64_t limited(const struct loopback *loopback)
{
    weir_totals totals;
    GIVES(weir_get_totals(loopback->runtime, -1, &totals), 0);
    return totals.limited;
}

static void ask(const struct loopback *loopback, struct answer *answer)
{
    *answer = (struct answer){0};
    GIVES(weir_tcp_accept_async(loopback->listener, weir_owned_by_nobody(), WEIR_INFINITY,
                                answer_opened, answer),
          0);
}

/* With one place: the first has it, a call waits for the second, which is in hand, and the third is
 * in the backlog. */
enum { PEERS = 3 };

static void gather(struct loopback *loopback, struct answer answers[2], int peers[PEERS])
{
    *loopback = start(1, 2);
    ask(loopback, &answers[0]);
    for (int i = 0; i < PEERS; i++)
        peers[i] = peer_connect(weir_port(loopback->listener));
    GIVES(answer_wait(&answers[0]), 0);
    ask(loopback, &answers[1]);
    EVENTUALLY(limited(loopback) == 1);
    settle(loopback->listener);
    cr_expect(answer_count(&answers[1]) == 0);
}

static void expect_the_peers(weir_socket socket, int peer)
{
    GIVES(weir_send(socket, "you", 3), 0);
    peer_expect(peer, "you");
}

static void leave(int peers[PEERS])
{
    for (int i = 0; i < PEERS; i++)
        peer_leave(&peers[i]);
}

Test(limited_accept, who_comes_is_accepted_when_another_ends)
{
    struct loopback loopback;
    struct answer answers[2];
    int peers[PEERS];
    weir_socket socket;
    gather(&loopback, answers, peers);
    GIVES(weir_close(answers[0].socket), 0);
    GIVES(answer_wait(&answers[1]), 0);
    expect_the_peers(answers[1].socket, peers[1]);
    GIVES(weir_tcp_accept(loopback.listener, weir_owned_by_nobody(), 0, &socket), WEIR_TIMEOUT);
    GIVES(weir_close(answers[1].socket), 0);
    GIVES(weir_tcp_accept(loopback.listener, weir_owned_by_nobody(), WAIT_MS, &socket), 0);
    expect_the_peers(socket, peers[2]);
    leave(peers);
    loopback_close(&loopback);
}

/* It waits for the next call then. */
Test(limited_accept, a_call_that_gives_up_loses_none)
{
    struct loopback loopback;
    struct answer answers[2];
    int peers[PEERS];
    weir_socket socket;
    gather(&loopback, answers, peers);
    GIVES(weir_cancel(loopback.listener, &answers[1]), 1);
    GIVES(answer_wait(&answers[1]), -ECANCELED);
    GIVES(weir_close(answers[0].socket), 0);
    GIVES(weir_tcp_accept(loopback.listener, weir_owned_by_nobody(), WAIT_MS, &socket), 0);
    expect_the_peers(socket, peers[1]);
    leave(peers);
    loopback_close(&loopback);
}

Test(limited_accept, a_close_closes_the_one_in_hand)
{
    struct loopback loopback;
    struct answer answers[2];
    int peers[PEERS];
    gather(&loopback, answers, peers);
    GIVES(weir_close(loopback.listener), 0);
    GIVES(answer_wait(&answers[1]), WEIR_CLOSED);
    peer_expect_end(peers[1]);
    peer_expect_reset(peers[2]);
    expect_the_peers(answers[0].socket, peers[0]);
    leave(peers);
    loopback_close(&loopback);
}

Test(limited_accept, a_drain_gives_the_one_in_hand_to_who_waits)
{
    struct loopback loopback;
    struct answer answers[2];
    int peers[PEERS];
    gather(&loopback, answers, peers);
    GIVES(weir_drain(loopback.runtime, 0), WEIR_TIMEOUT);
    GIVES(answer_wait(&answers[1]), 0);
    expect_the_peers(answers[1].socket, peers[1]);
    peer_expect_reset(peers[2]);
    leave(peers);
    loopback_close(&loopback);
}

Test(limited_accept, a_stop_answers_who_waits)
{
    struct loopback loopback;
    struct answer answers[2];
    int peers[PEERS];
    gather(&loopback, answers, peers);
    GIVES(weir_stop(loopback.runtime), 0);
    int result = answer_wait(&answers[1]); /* on a scheduler that does not stop yet it has it */
    cr_expect(result == WEIR_CLOSED || result == 0, "%s", result_text(result));
    peer_expect_end(peers[1]);
    leave(peers);
    GIVES(weir_start(&loopback.runtime, NULL), 0);
    loopback_close(&loopback);
}

/* Places come back from whichever scheduler a connection has lived on. */
Test(limited_accept, there_are_never_more)
{
    enum { PLACES = 2, CROWD = 40 };
    struct loopback loopback = start(PLACES, 3);
    weir_socket open[PLACES];
    int peers[CROWD];
    for (int i = 0; i < CROWD; i++)
        peers[i] = peer_connect(weir_port(loopback.listener));
    for (int i = 0; i < CROWD; i++) {
        weir_socket *socket = &open[i % PLACES];
        if (i >= PLACES) {
            weir_socket none;
            GIVES(weir_tcp_accept(loopback.listener, weir_owned_by_nobody(), 0, &none),
                  WEIR_TIMEOUT);
            GIVES(weir_close(*socket), 0);
        }
        GIVES(weir_tcp_accept(loopback.listener, weir_owned_by_nobody(), WAIT_MS, socket), 0);
        expect_the_peers(*socket, peers[i]);
    }
    for (int i = 0; i < CROWD; i++)
        peer_leave(&peers[i]);
    loopback_close(&loopback);
}
