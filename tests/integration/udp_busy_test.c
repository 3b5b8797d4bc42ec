/* SPDX-License-Identifier: MIT */
/* Watermarks of UDP sockets: who is told to wait, and until when. They lie where they lie by
 * default: {high_watermark,_} and {send_timeout,_} are a connection's, and do nothing here. */
#include "integration/plain.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { HIGH = 8192 * 1024, LOW = 4096 * 1024, SIZE = 60000 };

struct sender {
    weir_address to;
    atomic_int accepted;
    atomic_int refused;
    atomic_int unbusy;
    atomic_llong pending; /* bytes that were queued when it was told */
    weir_socket socket;
};

static void on_unbusy(weir_socket socket, void *data)
{
    struct sender *sender = data;
    weir_statistics statistics;
    if (weir_getstat(socket, &statistics) == 0)
        atomic_store(&sender->pending, (long long)statistics.send_pend);
    atomic_fetch_add(&sender->unbusy, 1);
}

static const weir_handler handler = {.unbusy = on_unbusy};

/* In one turn, so that all of it is queued. */
static void fill(void *data)
{
    static char bytes[SIZE];
    struct sender *sender = data;
    for (int i = 0; i < 2 * (HIGH / SIZE); i++) {
        int result = weir_udp_send(sender->socket, &sender->to, bytes, SIZE);
        cr_assert(result == 0 || result == -EAGAIN, "%s", weir_error_name(result));
        atomic_fetch_add(result == 0 ? &sender->accepted : &sender->refused, 1);
    }
}

static weir_socket open_sender(struct loopback *loopback, struct sender *sender,
                               const char *options)
{
    sender->socket = open_with(loopback, options, weir_handled_by(&handler, sender));
    GIVES(set(sender->socket, "[{high_watermark,100},{low_watermark,50},{send_timeout,1}]"), 0);
    return sender->socket;
}

Test(udp_busy, from_the_high_mark_on_a_handler_is_refused_and_told_at_the_low_one)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    struct sender sender = {.to = plain.address};
    (void)open_sender(&loopback, &sender, "[{ip,{127,0,0,1}}]");
    run_there(loopback.runtime, 0, fill, &sender);
    int accepted = atomic_load(&sender.accepted);
    cr_expect((accepted - 1) * (SIZE + 1) < HIGH && accepted * (SIZE + 1) >= HIGH,
              "%d were accepted", accepted);
    cr_expect(atomic_load(&sender.refused) == 2 * (HIGH / SIZE) - accepted);
    EVENTUALLY(atomic_load(&sender.unbusy) == 1);
    cr_expect(atomic_load(&sender.pending) <= LOW, "%lld bytes are queued", sender.pending);
    EVENTUALLY(statistics_of(sender.socket).send_pend == 0);
    weir_totals totals;
    GIVES(weir_get_totals(loopback.runtime, -1, &totals), 0);
    cr_expect(totals.busy == (uint64_t)atomic_load(&sender.refused));
    GIVES(weir_udp_send(sender.socket, &plain.address, "x", 1), 0);
    cr_expect(atomic_load(&sender.unbusy) == 1, "told %d times", sender.unbusy);
    end(&loopback, &plain);
}

/* A network of its own, slow enough that the kernel's buffer is full, and fast enough to wait for.
 */
static bool be_alone_with_a_slow_network(void)
{
    return unshare(CLONE_NEWNET) == 0 &&
           system("ip link set lo up && tc qdisc add dev lo root tbf rate 200mbit burst 70kb "
                  "limit 20mb") == 0;
}

Test(udp_busy, a_thread_waits_until_it_may_send_however_long)
{
    if (!be_alone_with_a_slow_network())
        cr_skip_test("no network of its own, or no tc");
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    struct sender sender = {.to = plain.address};
    (void)open_sender(&loopback, &sender, "[{ip,{127,0,0,1}},{sndbuf,70000}]");
    run_there(loopback.runtime, 0, fill, &sender);
    cr_expect(statistics_of(sender.socket).send_pend > LOW, "it is too fast here");
    GIVES(weir_udp_send(sender.socket, &plain.address, "x", 1), 0);
    cr_expect(statistics_of(sender.socket).send_pend <= LOW);
    weir_totals totals;
    GIVES(weir_get_totals(loopback.runtime, -1, &totals), 0);
    cr_expect(totals.blocked_sends > 0, "there was always room");
    EVENTUALLY(atomic_load(&sender.unbusy) == 1);
    end(&loopback, &plain);
}

Test(udp_busy, who_waits_is_told_that_it_was_closed)
{
    if (!be_alone_with_a_slow_network())
        cr_skip_test("no network of its own, or no tc");
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    struct sender sender = {.to = plain.address};
    struct answer waiting = {0};
    (void)open_sender(&loopback, &sender, "[{ip,{127,0,0,1}},{sndbuf,70000}]");
    run_there(loopback.runtime, 0, fill, &sender);
    GIVES(weir_udp_send_async(sender.socket, &plain.address, "x", 1, answer_sent, &waiting), 0);
    GIVES(weir_close(sender.socket), 0);
    GIVES(answer_wait(&waiting), WEIR_CLOSED);
    end(&loopback, &plain);
}

/* What waits without being waited for is bounded, and counted. */

enum { LIMIT = 100000, PIECE = 1000, PIECES = 2 * LIMIT / PIECE };

struct crowd {
    struct loopback loopback;
    struct answer answers[PIECES];
    weir_socket socket;
};

static weir_totals totals_of(const struct crowd *crowd)
{
    weir_totals totals;
    GIVES(weir_get_totals(crowd->loopback.runtime, -1, &totals), 0);
    return totals;
}

/* How many are refused: those that come when as much as the limit waits. */
static void expect_bounded(struct crowd *crowd)
{
    settle(crowd->socket);
    EVENTUALLY(totals_of(crowd).waiting_bytes == LIMIT);
    for (int i = 0; i < PIECES; i++)
        if (i < LIMIT / PIECE)
            cr_expect(answer_count(&crowd->answers[i]) == 0, "%d is answered", i);
        else
            cr_expect(answer_wait(&crowd->answers[i]) == -ENOBUFS, "%d is taken", i);
}

static void expect_all_dropped(struct crowd *crowd)
{
    GIVES(weir_close(crowd->socket), 0);
    for (int i = 0; i < LIMIT / PIECE; i++)
        cr_expect(answer_wait(&crowd->answers[i]) == WEIR_CLOSED, "%d is kept", i);
    EVENTUALLY(totals_of(crowd).waiting_bytes == 0);
}

Test(udp_busy, what_waits_for_a_name_is_bounded)
{
    static const char bytes[PIECE];
    static struct crowd crowd;
    struct plain silent = plain_open();
    char terms[128];
    snprintf(terms, sizeof(terms), "{lookup,[dns]}. {nameserver,{127,0,0,1},%d}. {timeout,%d}.",
             silent.address.port, WAIT_MS);
    const weir_config config = {.schedulers = 1, .queued_bytes_limit = LIMIT, .inet_terms = terms};
    crowd.loopback = loopback_start(&config);
    crowd.socket = open_with(&crowd.loopback, "[{active,false}]", weir_owned_by_nobody());
    for (int i = 0; i < PIECES; i++)
        GIVES(weir_udp_send_to_async(crowd.socket, "host.example", 9, bytes, PIECE, WEIR_INFINITY,
                                     answer_sent, &crowd.answers[i]),
              0);
    expect_bounded(&crowd);
    expect_all_dropped(&crowd);
    loopback_close(&crowd.loopback);
    close(silent.fd);
}
