/* SPDX-License-Identifier: MIT */
/* One message for many connections: who gets it, who is left out, and what that takes. */
#include "support/loopback.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PEERS_MAX = 700, LARGE_BYTES = 1 << 20, A_TURN = 256 /* messages */ };

struct hall {
    struct loopback loopback;
    int peers[PEERS_MAX];
    int count;
    int even; /* what connections of even number are given as their data */
    int odd;
    atomic_int accepted;
    atomic_int unbusy;
};

static void on_accepted(weir_socket socket, void *data)
{
    struct hall *hall = data;
    int number = atomic_fetch_add(&hall->accepted, 1);
    cr_expect(weir_set_data(socket, number % 2 ? &hall->odd : &hall->even) == 0);
}

static atomic_int unbusy_count;

static void on_unbusy(weir_socket socket, void *data)
{
    (void)socket;
    (void)data;
    atomic_fetch_add(&unbusy_count, 1);
}

static const weir_handler handler = {.accepted = on_accepted, .unbusy = on_unbusy};

/* One after the other, so that it is known which is which. */
static void open_hall(struct hall *hall, uint32_t schedulers, int count, const weir_option *options)
{
    const weir_config config = {.schedulers = schedulers};
    weir_socket service;
    memset(hall, 0, sizeof(*hall));
    hall->loopback = loopback_start(&config);
    atomic_store(&unbusy_count, 0);
    GIVES(weir_tcp_serve(hall->loopback.runtime, "127.0.0.1", 0, options,
                         weir_handled_by(&handler, hall), &service),
          0);
    for (hall->count = 0; hall->count < count; hall->count++) {
        hall->peers[hall->count] = peer_connect_with(weir_port(service), 4096);
        EVENTUALLY(atomic_load(&hall->accepted) == hall->count + 1);
    }
}

static void close_hall(struct hall *hall)
{
    for (int i = 0; i < hall->count; i++)
        peer_leave(&hall->peers[i]);
    loopback_close(&hall->loopback);
}

/* What a broadcast has told. */
struct account {
    struct hall *hall;
    atomic_int released;
    atomic_int done;
    atomic_int asked;
    atomic_int left_out;
    atomic_int met;      /* that work has come */
    int asked_meanwhile; /* when work came that was asked for at the first */
    int error;
    bool closes;
    weir_broadcast_counts counts;
};

static void on_released(void *data)
{
    struct account *account = data;
    atomic_fetch_add(&account->released, 1);
}

static void on_done(const weir_broadcast_counts *counts, void *data)
{
    struct account *account = data;
    account->counts = *counts;
    cr_expect(weir_current_scheduler() >= 0);
    atomic_fetch_add(&account->done, 1);
}

static void on_left_out(weir_socket socket, int error, void *socket_data, void *data)
{
    struct account *account = data;
    cr_expect(socket_data == &account->hall->even || socket_data == &account->hall->odd);
    account->error = error;
    if (account->closes)
        cr_expect(weir_close(socket) == 0);
    atomic_fetch_add(&account->left_out, 1);
}

static int broadcast(struct account *account, const void *bytes, size_t size,
                     bool (*wants)(weir_socket, void *, void *))
{
    const weir_owned_bytes message = {bytes, size, on_released, account};
    const weir_broadcast_plan plan = {
        .wants = wants, .left_out = on_left_out, .done = on_done, .data = account};
    return weir_broadcast(account->hall->loopback.runtime, &message, &plan);
}

static void expect_counts(struct account *account, uint64_t sent, uint64_t busy, uint64_t failed)
{
    EVENTUALLY(atomic_load(&account->done) == 1);
    cr_expect(account->counts.sent == sent, "%lu sent", (unsigned long)account->counts.sent);
    cr_expect(account->counts.busy == busy, "%lu busy", (unsigned long)account->counts.busy);
    cr_expect(account->counts.failed == failed);
    cr_expect(atomic_load(&account->left_out) == (int)(busy + failed));
}

Test(broadcast, all_on_all_schedulers_get_it_in_their_framing)
{
    enum { SIZE = 10000 };
    static uint8_t large[SIZE];
    uint8_t got[SIZE + 4];
    struct hall hall;
    open_hall(&hall, 2, 16, WEIR_OPTIONS(WEIR_PACKET(4)));
    struct account small_account = {.hall = &hall};
    struct account large_account = {.hall = &hall};
    memset(large, 'L', SIZE);
    GIVES(broadcast(&small_account, "news", 4, NULL), 0);
    GIVES(broadcast(&large_account, large, SIZE, NULL), 0);
    for (int i = 0; i < hall.count; i++) {
        peer_read(hall.peers[i], got, 8);
        cr_expect(memcmp(got, "\0\0\0\4news", 8) == 0);
        peer_read(hall.peers[i], got, sizeof(got));
        cr_expect(memcmp(got, "\0\0\x27\x10", 4) == 0 && memcmp(got + 4, large, SIZE) == 0);
    }
    expect_counts(&small_account, 16, 0, 0);
    expect_counts(&large_account, 16, 0, 0);
    EVENTUALLY(atomic_load(&small_account.released) == 1);
    EVENTUALLY(atomic_load(&large_account.released) == 1);
    close_hall(&hall);
    cr_expect(atomic_load(&small_account.released) == 1 && atomic_load(&small_account.done) == 1);
}

static bool wants_odd(weir_socket socket, void *socket_data, void *data)
{
    struct account *account = data;
    (void)socket;
    atomic_fetch_add(&account->asked, 1);
    return socket_data == &account->hall->odd;
}

Test(broadcast, those_who_want_it_get_it)
{
    struct hall hall;
    open_hall(&hall, 2, 8, NULL);
    struct account account = {.hall = &hall};
    struct account all = {.hall = &hall};
    GIVES(broadcast(&account, "odd,", 4, wants_odd), 0);
    expect_counts(&account, 4, 0, 0);
    cr_expect(atomic_load(&account.asked) == 8);
    GIVES(broadcast(&all, "all", 3, NULL), 0);
    for (int i = 0; i < 8; i++)
        peer_expect(hall.peers[i], i % 2 ? "odd,all" : "all");
    expect_counts(&all, 8, 0, 0);
    close_hall(&hall);
}

static uint64_t left_out_total(const struct hall *hall)
{
    weir_totals totals;
    GIVES(weir_get_totals(hall->loopback.runtime, -1, &totals), 0);
    return totals.left_out;
}

/* The first fills the queue of who does not read, the second would have to wait. */
Test(broadcast, who_is_too_slow_is_left_out_and_told)
{
    static uint8_t large[LARGE_BYTES];
    static uint8_t got[LARGE_BYTES];
    struct hall hall;
    open_hall(&hall, 1, 2, WEIR_OPTIONS(WEIR_SNDBUF(4096), WEIR_HIGH_WATERMARK(8192)));
    struct account first = {.hall = &hall};
    struct account crosses = {.hall = &hall};
    struct account second = {.hall = &hall};
    GIVES(broadcast(&first, large, LARGE_BYTES, NULL), 0);
    expect_counts(&first, 2, 0, 0);
    peer_read(hall.peers[1], got, LARGE_BYTES);
    GIVES(broadcast(&crosses, "x", 1, NULL), 0); /* is queued, and reaches the mark */
    expect_counts(&crosses, 2, 0, 0);
    peer_expect(hall.peers[1], "x");
    GIVES(broadcast(&second, "late", 4, NULL), 0);
    expect_counts(&second, 1, 1, 0);
    GIVES(second.error, -EAGAIN);
    cr_expect(left_out_total(&hall) == 1);
    peer_expect(hall.peers[1], "late");
    peer_read(hall.peers[0], got, LARGE_BYTES);
    peer_expect(hall.peers[0], "x");
    struct account third = {.hall = &hall};
    GIVES(broadcast(&third, "again", 5, NULL), 0);
    peer_expect(hall.peers[0], "again");
    peer_expect(hall.peers[1], "again");
    expect_counts(&third, 2, 0, 0);
    cr_expect(atomic_load(&unbusy_count) == 0);
    close_hall(&hall);
}

Test(broadcast, who_is_too_slow_may_be_closed)
{
    static uint8_t large[LARGE_BYTES];
    struct hall hall;
    open_hall(&hall, 1, 1,
              WEIR_OPTIONS(WEIR_SNDBUF(4096), WEIR_HIGH_WATERMARK(8192), WEIR_LINGER(true, 0)));
    struct account accounts[4];
    for (int i = 0; i < 4; i++) {
        memset(&accounts[i], 0, sizeof(accounts[i]));
        accounts[i].hall = &hall;
        accounts[i].closes = true;
        GIVES(broadcast(&accounts[i], large, LARGE_BYTES, NULL), 0);
        EVENTUALLY(atomic_load(&accounts[i].done) == 1);
        cr_expect(accounts[i].counts.sent == (i < 2) && accounts[i].counts.busy == (i == 2));
    }
    close_hall(&hall);
    for (int i = 0; i < 4; i++)
        cr_expect(atomic_load(&accounts[i].released) == 1);
}

/* It is one message in memory, however many have yet to be sent it. */
Test(broadcast, memory_is_bounded)
{
    enum { PEERS = 100 };
    uint8_t *large = malloc(LARGE_BYTES);
    struct hall hall;
    cr_assert(large != NULL);
    memset(large, 'm', LARGE_BYTES);
    open_hall(&hall, 1, PEERS, WEIR_OPTIONS(WEIR_SNDBUF(4096), WEIR_PACKET(4)));
    struct account account = {.hall = &hall};
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    GIVES(broadcast(&account, large, LARGE_BYTES, NULL), 0);
    expect_counts(&account, PEERS, 0, 0);
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    cr_expect(after < before + LARGE_BYTES, "%zu bytes more", after - before);
    cr_expect(atomic_load(&account.released) == 0);
    close_hall(&hall);
    cr_expect(atomic_load(&account.released) == 1);
    free(large);
}

static void look_meanwhile(void *data)
{
    struct account *account = data;
    account->asked_meanwhile = atomic_load(&account->asked);
    atomic_store(&account->met, 1);
}

/* Which nobody is to hear who is called later. */
static void say_something(void *unused)
{
    weir_address address;
    (void)unused;
    cr_expect(weir_address_parse("stale", &address) == -EINVAL);
}

static bool wants_and_asks_for_work(weir_socket socket, void *socket_data, void *data)
{
    struct account *account = data;
    (void)socket;
    (void)socket_data;
    cr_expect(weir_last_error_text()[0] == '\0', "who asks has said '%s'", weir_last_error_text());
    if (atomic_fetch_add(&account->asked, 1) == 0)
        cr_expect(weir_run_on(account->hall->loopback.runtime, 0, look_meanwhile, account) == 0);
    return true;
}

/* Two at the same time: in order, and others have their turn in between. */
Test(broadcast, many_connections_hold_up_nobody)
{
    struct hall hall;
    open_hall(&hall, 1, PEERS_MAX, NULL);
    struct account first = {.hall = &hall};
    struct account second = {.hall = &hall};
    run_there(hall.loopback.runtime, 0, say_something, NULL);
    GIVES(broadcast(&first, "one ", 4, wants_and_asks_for_work), 0);
    GIVES(broadcast(&second, "two", 3, NULL), 0);
    for (int i = 0; i < PEERS_MAX; i++)
        peer_expect(hall.peers[i], "one two");
    expect_counts(&first, PEERS_MAX, 0, 0);
    expect_counts(&second, PEERS_MAX, 0, 0);
    cr_expect(first.asked_meanwhile == A_TURN, "work came after %d", first.asked_meanwhile);
    close_hall(&hall);
}

static bool wants_none_and_asks_for_work(weir_socket socket, void *socket_data, void *data)
{
    (void)wants_and_asks_for_work(socket, socket_data, data);
    return false;
}

static int64_t connection_count(const struct hall *hall)
{
    weir_totals totals;
    GIVES(weir_get_totals(hall->loopback.runtime, -1, &totals), 0);
    return (int64_t)totals.connections;
}

/* Those that are gone and those that do not want it: what is looked at in a turn is counted by what
 * is sent. */
Test(broadcast, only_what_is_sent_takes_a_turn)
{
    enum { PEERS = 2 * A_TURN + 88, GONE = A_TURN + 44 };
    struct hall hall;
    open_hall(&hall, 1, PEERS, NULL);
    for (int i = 0; i < GONE; i++)
        peer_leave(&hall.peers[i]);
    EVENTUALLY(connection_count(&hall) == PEERS - GONE);
    struct account account = {.hall = &hall};
    GIVES(broadcast(&account, "x", 1, wants_none_and_asks_for_work), 0);
    expect_counts(&account, 0, 0, 0);
    EVENTUALLY(atomic_load(&account.met) == 1);
    cr_expect(account.asked_meanwhile == PEERS - GONE, "work came after %d",
              account.asked_meanwhile);
    close_hall(&hall);
}

/* What their framing has no room for. */
Test(broadcast, what_cannot_be_sent_is_counted_and_told)
{
    static const uint8_t large[256];
    struct hall hall;
    open_hall(&hall, 2, 3, WEIR_OPTIONS(WEIR_PACKET(1)));
    struct account account = {.hall = &hall};
    struct account then = {.hall = &hall};
    GIVES(broadcast(&account, large, sizeof(large), NULL), 0);
    expect_counts(&account, 0, 0, 3);
    GIVES(account.error, -EMSGSIZE);
    GIVES(broadcast(&then, "ok", 2, NULL), 0);
    expect_counts(&then, 3, 0, 0);
    close_hall(&hall);
}

/* The last that it asks of. */
static bool wants_last(weir_socket socket, void *socket_data, void *data)
{
    struct account *account = data;
    (void)socket;
    (void)socket_data;
    return atomic_fetch_add(&account->asked, 1) == account->hall->count - 1;
}

struct pair {
    struct account all;
    struct account last;
};

static void broadcast_both(void *data)
{
    struct pair *pair = data;
    cr_expect(broadcast(&pair->all, "one ", 4, NULL) == 0);
    cr_expect(broadcast(&pair->last, "two", 3, wants_last) == 0);
}

/* One that goes through its connections faster gets to none before those that were before it. */
Test(broadcast, none_overtakes_another)
{
    struct hall hall;
    open_hall(&hall, 1, PEERS_MAX, NULL);
    struct pair pair = {.all.hall = &hall, .last.hall = &hall};
    run_there(hall.loopback.runtime, 0, broadcast_both, &pair);
    for (int i = 0; i < PEERS_MAX; i++)
        peer_expect(hall.peers[i], "one ");
    expect_counts(&pair.all, PEERS_MAX, 0, 0);
    expect_counts(&pair.last, 1, 0, 0);
    close_hall(&hall);
}

static bool wants_none(weir_socket socket, void *socket_data, void *data)
{
    (void)socket;
    (void)socket_data;
    (void)data;
    return false;
}

Test(broadcast, what_is_refused_is_released)
{
    struct hall hall;
    open_hall(&hall, 2, 2, NULL);
    struct account none = {.hall = &hall};
    struct account refused = {.hall = &hall};
    struct account late = {.hall = &hall};
    const weir_owned_bytes message = {"x", 1, on_released, &late};
    weir_runtime *runtime = hall.loopback.runtime;
    GIVES(broadcast(&none, "x", 1, wants_none), 0);
    expect_counts(&none, 0, 0, 0);
    EVENTUALLY(atomic_load(&none.released) == 1);
    GIVES(broadcast(&refused, NULL, 1, NULL), -EINVAL);
    cr_expect_str_eq(weir_last_error_text(), "send: no bytes were given");
    GIVES(broadcast(&refused, "x", SIZE_MAX, NULL), -EINVAL);
    cr_assert_str_eq(weir_last_error_text(),
                     "send: 18446744073709551615 bytes are more than memory has");
    cr_expect(atomic_load(&refused.released) == 2);
    close_hall(&hall);
    GIVES(weir_broadcast(runtime, &message, NULL), WEIR_CLOSED);
    cr_expect(atomic_load(&late.released) == 1);
    cr_expect(atomic_load(&refused.done) == 0 && atomic_load(&late.done) == 0);
}

/* On a scheduler: what it asks of a runtime that has stopped meanwhile. */
struct latecomer {
    weir_runtime *stopped;
    struct account account;
    int released_at_once;
};

static void broadcast_too_late(void *data)
{
    struct latecomer *latecomer = data;
    const weir_owned_bytes message = {"x", 1, on_released, &latecomer->account};
    GIVES(weir_broadcast(latecomer->stopped, &message, NULL), WEIR_CLOSED);
    latecomer->released_at_once = atomic_load(&latecomer->account.released);
}

Test(broadcast, what_is_refused_on_a_scheduler_is_released_from_its_turn)
{
    struct latecomer latecomer = {.released_at_once = 0};
    struct loopback loopback = loopback_start(NULL);
    GIVES(weir_start(&latecomer.stopped, &(weir_config){.schedulers = 1}), 0);
    GIVES(weir_stop(latecomer.stopped), 0);
    run_there(loopback.runtime, 0, broadcast_too_late, &latecomer);
    EVENTUALLY(atomic_load(&latecomer.account.released) == 1);
    cr_expect(latecomer.released_at_once == 0, "released is called under the broadcast");
    loopback_close(&loopback);
}
