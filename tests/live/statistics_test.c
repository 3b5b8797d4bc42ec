/* SPDX-License-Identifier: MIT */
/* getstat, and the figures of schedulers and of the whole runtime, against what was done. */
#include "live.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static int64_t clock_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

struct step {
    uint32_t length; /* of the data */
    uint64_t octets; /* so far, headers included */
    uint32_t average;
    uint32_t deviation;
};

static const struct step two[] = {
    {10, 12, 12, 0},    {20, 34, 17, 2}, {30, 66, 22, 5}, {5, 73, 18, 0},
    {100, 175, 35, 14}, {0, 177, 29, 7}, {7, 186, 26, 3},
};

/* Lengths of whole packets: 100, 1, 1, 1, 201. */
static const struct step one[] = {
    {99, 100, 100, 0}, {0, 101, 50, 24}, {0, 102, 34, 27}, {0, 103, 25, 26}, {200, 304, 60, 6},
};

static void expect_sent(weir_socket socket, const struct step *step, uint32_t count, uint32_t max)
{
    weir_statistics is = statistics_of(socket);
    cr_expect(is.send_oct == step->octets && is.send_cnt == count && is.send_max == max &&
                  is.send_avg == step->average && is.send_dvi == step->deviation,
              "sent %u: oct %lu, max %u, avg %u, dvi %u", count, (unsigned long)is.send_oct,
              is.send_max, is.send_avg, is.send_dvi);
}

static void expect_got(weir_socket socket, const struct step *step, uint32_t count, uint32_t max)
{
    weir_statistics is = statistics_of(socket);
    cr_expect(is.recv_oct == step->octets && is.recv_cnt == count && is.recv_max == max &&
                  is.recv_avg == step->average && is.recv_dvi == step->deviation,
              "received %u: oct %lu, max %u, avg %u, dvi %u", count, (unsigned long)is.recv_oct,
              is.recv_max, is.recv_avg, is.recv_dvi);
}

static void run_sequence(const char *options, uint32_t header, const struct step *steps,
                         uint32_t count)
{
    static const char bytes[256];
    struct loopback loopback = loopback_start(NULL);
    struct trio trio = trio_open(&loopback, "127.0.0.1", options, options);
    uint32_t max = 0;
    for (uint32_t i = 0; i < count; i++) {
        weir_packet packet;
        uint32_t size = steps[i].length + header;
        max = size > max ? size : max;
        GIVES(weir_send(trio.connected, bytes, steps[i].length), 0);
        GIVES(weir_recv(trio.accepted, 0, WAIT_MS, &packet), 0);
        weir_packet_release(&packet);
        expect_sent(trio.connected, &steps[i], i + 1, max);
        expect_got(trio.accepted, &steps[i], i + 1, max);
    }
    expect_got(trio.connected, &(struct step){0}, 0, 0);
    expect_sent(trio.accepted, &(struct step){0}, 0, 0);
    expect_got(trio.listener, &(struct step){0}, 0, 0);
    expect_sent(trio.listener, &(struct step){0}, 0, 0);
    loopback_close(&loopback);
}

Test(statistics, sequence_of_packet_2)
{
    run_sequence("[{active,false},{packet,2}]", 2, two, sizeof(two) / sizeof(two[0]));
}

Test(statistics, sequence_of_packet_1)
{
    run_sequence("[{active,false},{packet,1}]", 1, one, sizeof(one) / sizeof(one[0]));
}

/* Counted when it is delivered, as much as is delivered; an empty send counts. */
Test(statistics, count_what_is_delivered)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    peer_say(loopback.peer, "0123456789");
    expect_received(loopback.socket, 4, "0123");
    weir_statistics is = statistics_of(loopback.socket);
    cr_expect(is.recv_cnt == 1 && is.recv_oct == 4, "%u, %lu", is.recv_cnt,
              (unsigned long)is.recv_oct);
    GIVES(weir_send(loopback.socket, "", 0), 0);
    is = statistics_of(loopback.socket);
    cr_expect(is.send_cnt == 1 && is.send_oct == 0);
    loopback_close(&loopback);
}

static int64_t figure(const weir_statistics *statistics, const char *name)
{
    uint64_t value;
    int result = weir_statistic(statistics, name, &value);
    return result < 0 ? result : (int64_t)value;
}

Test(statistics, have_the_documents_names)
{
    static const char *const names[] = {"recv_oct",  "recv_cnt", "recv_max", "recv_avg", "recv_dvi",
                                        "send_oct",  "send_cnt", "send_max", "send_avg", "send_dvi",
                                        "send_pend", "dropped",  "truncated"};
    weir_statistics statistics = {1ull << 40, 2, 3, 4, 5, 1ull << 41, 7, 8, 9, 10, 11, 12, 13};
    const int64_t values[] = {1ll << 40, 2, 3, 4, 5, 1ll << 41, 7, 8, 9, 10, 11, 12, 13};
    for (int i = 0; i < 13; i++)
        cr_expect(figure(&statistics, names[i]) == values[i], "%s", names[i]);
    cr_expect(figure(&statistics, "recv_octs") == -EINVAL);
    expect_said("recv_octs");
}

/* What is queued in weir; the figures outlive the descriptor and end with the handle. */
Test(statistics, of_a_queue_and_of_what_is_gone)
{
    struct loopback loopback = loopback_open("[{active,false}," SMALL_BUFFERS "]");
    uint64_t size = fill_queue(&loopback);
    weir_statistics is = statistics_of(loopback.socket);
    cr_expect(is.send_pend == size && is.send_oct == FILL_BYTES && is.send_cnt == 1);
    peer_reset(&loopback.peer);
    weir_packet packet;
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    EVENTUALLY(queued(loopback.socket) == 0); /* the kernel gives the last bytes back */
    cr_expect(statistics_of(loopback.socket).send_oct == FILL_BYTES);
    weir_close(loopback.socket);
    GIVES(weir_getstat(loopback.socket, &is), -EINVAL);
    loopback_close(&loopback);
}

static weir_totals totals_of(struct loopback *loopback, int scheduler)
{
    weir_totals totals;
    GIVES(weir_get_totals(loopback->runtime, scheduler, &totals), 0);
    return totals;
}

static void exchange(struct trio *trio, int count)
{
    for (int i = 0; i < count; i++) {
        weir_packet packet;
        GIVES(weir_send(trio->connected, "12345678", 8), 0);
        GIVES(weir_recv(trio->accepted, 0, WAIT_MS, &packet), 0);
        weir_packet_release(&packet);
    }
}

static void expect_totals(const weir_totals *is, uint64_t pairs, uint64_t packets)
{
    cr_expect(is->accepts == pairs && is->connects == pairs, "%lu accepts, %lu connects",
              (unsigned long)is->accepts, (unsigned long)is->connects);
    cr_expect(is->connections == 2 * pairs, "%lu connections", (unsigned long)is->connections);
    cr_expect(is->packets_sent == packets && is->packets_received == packets,
              "%lu packets sent, %lu received", (unsigned long)is->packets_sent,
              (unsigned long)is->packets_received);
    cr_expect(is->bytes_sent == 12 * packets && is->bytes_received == 12 * packets,
              "%lu bytes sent, %lu received", (unsigned long)is->bytes_sent,
              (unsigned long)is->bytes_received);
    cr_expect(is->queued_bytes == 0 && is->busy == 0 && is->starved == 0);
    cr_expect(is->send_operations <= packets && is->send_operations > 0);
    cr_expect(is->turns > 0 && is->system_calls > 0 && is->completions >= packets);
}

/* The last turn's figures are published when it ends. */
static void expect_eventual_totals(struct loopback *loopback, uint64_t pairs, uint64_t packets)
{
    weir_totals is;
    EVENTUALLY((is = totals_of(loopback, -1)).connections == 2 * pairs &&
               is.packets_received == packets && is.bytes_sent == 12 * packets &&
               is.queued_bytes == 0);
    expect_totals(&is, pairs, packets);
}

Test(totals, are_what_was_done)
{
    enum { PAIRS = 4, PACKETS = 10 };
    weir_config config = {.schedulers = 2};
    struct loopback loopback = loopback_start(&config);
    struct trio trios[PAIRS];
    uint64_t began = now_ms();
    for (int i = 0; i < PAIRS; i++) {
        trios[i] = trio_open(&loopback, "127.0.0.1", "[{active,false},{packet,4}]",
                             "[{active,false},{packet,4}]");
        exchange(&trios[i], PACKETS);
    }
    expect_eventual_totals(&loopback, PAIRS, PAIRS * PACKETS);
    weir_totals first = totals_of(&loopback, 0);
    weir_totals second = totals_of(&loopback, 1);
    weir_totals sum = totals_of(&loopback, -1);
    cr_expect(first.packets_sent + second.packets_sent == sum.packets_sent);
    cr_expect(first.accepts + second.accepts == sum.accepts && first.accepts && second.accepts);
    cr_expect(first.fallbacks == second.fallbacks);
    cr_expect(sum.busy_ns > 0 && sum.busy_ns / 1000000 <= 2 * (now_ms() - began + 1),
              "busy for %lu ns", (unsigned long)sum.busy_ns);
    for (int i = 0; i < PAIRS; i++)
        trio_close(&trios[i]);
    EVENTUALLY(totals_of(&loopback, -1).connections == 0);
    GIVES(weir_get_totals(loopback.runtime, 2, &sum), -EINVAL);
    GIVES(weir_get_totals(loopback.runtime, -2, &sum), -EINVAL);
    loopback_close(&loopback);
}

/* A sender that is told to wait is counted as busy. */
Test(totals, count_busy_senders)
{
    struct loopback loopback = loopback_open("[{active,false},{send_timeout,1}," SMALL_BUFFERS "]");
    uint64_t size = fill_queue(&loopback);
    EVENTUALLY(totals_of(&loopback, -1).queued_bytes == size);
    GIVES(set(loopback.socket, "[{high_watermark,1000}]"), 0);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_TIMEOUT);
    EVENTUALLY(totals_of(&loopback, -1).busy == 1);
    loopback_close(&loopback);
}

struct sockets {
    weir_socket each[8];
};

static void activate(void *data)
{
    struct sockets *sockets = data;
    for (int i = 0; i < 8; i++)
        cr_assert(weir_setopts(sockets->each[i], WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_TRUE))) == 0);
}

/* Eight receives are asked for at once, and there are two buffers. */
Test(totals, count_starved_receives)
{
    static char bytes[8192];
    weir_config config = {.schedulers = 1, .buffer_count = 2, .buffer_size = 4096};
    struct loopback loopback = loopback_start(&config);
    loopback.listener = listen_with(loopback.runtime, "[{active,false}]");
    int peers[8];
    struct sockets sockets;
    for (int i = 0; i < 8; i++) {
        peers[i] = peer_connect(weir_port(loopback.listener));
        sockets.each[i] = accept_from(&loopback, loopback.listener);
        peer_write(peers[i], bytes, sizeof(bytes));
    }
    run_there(loopback.runtime, 0, activate, &sockets);
    EVENTUALLY(totals_of(&loopback, -1).bytes_received == 8 * sizeof(bytes));
    uint64_t starved = totals_of(&loopback, -1).starved;
    cr_expect(starved > 0 && starved < UINT32_MAX);
    for (int i = 0; i < 8; i++)
        peer_leave(&peers[i]);
    weir_message message;
    while (weir_mailbox_receive(loopback.mailbox, 0, &message) == 0)
        weir_packet_release(&message.packet);
    loopback_close(&loopback);
}

static int fallbacks_with(const char *features_off)
{
    weir_config config = {.schedulers = 1, .features_off = features_off};
    struct loopback loopback = loopback_start(&config);
    int fallbacks;
    EVENTUALLY(totals_of(&loopback, 0).turns > 0);
    fallbacks = (int)totals_of(&loopback, 0).fallbacks;
    loopback_close(&loopback);
    return fallbacks;
}

static void spend(void *data)
{
    static char bytes[1 << 16];
    const int64_t *ns = data;
    int64_t until_ns = clock_of(CLOCK_THREAD_CPUTIME_ID) + *ns;
    while (clock_of(CLOCK_THREAD_CPUTIME_ID) < until_ns)
        cr_assert(getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes));
}

/* Most of the work of serving sockets is done in the kernel: it has to be in the figure. */
Test(totals, say_how_busy_a_scheduler_is)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    int64_t ns = 50000000;
    uint64_t idle_ns = totals_of(&loopback, 0).busy_ns;
    uint64_t before_ns = totals_of(&loopback, 1).busy_ns;
    run_there(loopback.runtime, 1, spend, &ns);
    cr_expect(totals_of(&loopback, 1).busy_ns - before_ns >= (uint64_t)ns);
    cr_expect(totals_of(&loopback, 0).busy_ns - idle_ns < (uint64_t)ns);
    loopback_close(&loopback);
}

Test(totals, count_features_that_are_not_used)
{
    int none = fallbacks_with("");
    cr_expect(fallbacks_with("multishot_accept,multishot_receive") == none + 2);
}
