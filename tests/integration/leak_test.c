/* SPDX-License-Identifier: MIT */
/* What connections and runtimes leave behind: nothing. */
#include "support/loopback.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

static int thread_count(void)
{
    int count = -2;
    DIR *folder = opendir("/proc/self/task");
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static weir_totals totals_of(weir_runtime *runtime)
{
    weir_totals totals;
    weir_get_totals(runtime, -1, &totals);
    return totals;
}

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    (void)!weir_send_packet(socket, packet);
}

static const weir_handler echo_handler = {.packet = echo};

static weir_socket serve_echo(weir_runtime *runtime)
{
    weir_socket listener;
    GIVES(weir_tcp_serve(runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_PACKET(4), WEIR_BACKLOG(100)),
                         weir_handled_by(&echo_handler, NULL), &listener),
          0);
    return listener;
}

/* One round of everything that a connection does; how it ends changes. */
static void visit(int port, int round)
{
    char back[5];
    int peer = peer_connect(port);
    peer_write(peer, "\0\0\0\1a", 5);
    peer_read(peer, back, sizeof(back));
    if (round % 3 == 0)
        peer_reset(&peer);
    else
        peer_leave(&peer);
}

Test(leak, ten_thousand_connections, .timeout = 240)
{
    enum { VISITS = 10000, WARM = 100 };
    struct loopback loopback = loopback_start(NULL);
    loopback.listener = serve_echo(loopback.runtime);
    int port = weir_port(loopback.listener);
    for (int i = 0; i < WARM; i++)
        visit(port, i);
    EVENTUALLY(totals_of(loopback.runtime).connections == 0);
    settle(loopback.listener);
    int descriptors = descriptor_count();
    int64_t blocks = memory_live_count();
    for (int i = 0; i < VISITS; i++)
        visit(port, i);
    EVENTUALLY(totals_of(loopback.runtime).accepts == VISITS + WARM);
    EVENTUALLY(totals_of(loopback.runtime).connections == 0);
    EVENTUALLY(descriptor_count() <= descriptors);
    EVENTUALLY(memory_live_count() <= blocks);
    loopback_close(&loopback);
}

Test(leak, a_thousand_connects)
{
    struct loopback loopback = loopback_start(NULL);
    loopback.listener = serve_echo(loopback.runtime);
    uint16_t port = (uint16_t)weir_port(loopback.listener);
    int descriptors = 0;
    int64_t blocks = 0;
    for (int i = 0; i < 1000; i++) {
        weir_socket socket;
        GIVES(weir_tcp_connect(loopback.runtime, "127.0.0.1", port,
                               WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_PACKET(4)),
                               weir_owned_by_nobody(), WAIT_MS, &socket),
              0);
        GIVES(weir_send(socket, "abc", 3), 0);
        expect_received(socket, 0, "abc");
        weir_close(socket);
        EVENTUALLY(totals_of(loopback.runtime).connections == 0);
        settle(loopback.listener);
        if (i == 10) {
            descriptors = descriptor_count();
            blocks = memory_live_count();
        }
    }
    EVENTUALLY(descriptor_count() <= descriptors);
    EVENTUALLY(memory_live_count() <= blocks);
    loopback_close(&loopback);
}

/* Traffic from threads that go on until the other side is gone. */
struct visitor {
    pthread_t thread;
    int peer;
    uint64_t rounds;
};

static void *talk(void *data)
{
    struct visitor *visitor = data;
    char bytes[1004] = "\0\0\3\350";
    while (send(visitor->peer, bytes, sizeof(bytes), MSG_NOSIGNAL) == sizeof(bytes) &&
           recv(visitor->peer, bytes, sizeof(bytes), MSG_WAITALL) == sizeof(bytes))
        __atomic_fetch_add(&visitor->rounds, 1, __ATOMIC_RELEASE);
    return NULL;
}

Test(leak, stop_while_traffic_runs)
{
    enum { VISITORS = 8 };
    int threads = thread_count();
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    struct visitor visitors[VISITORS] = {0};
    loopback.listener = serve_echo(loopback.runtime);
    for (int i = 0; i < VISITORS; i++) {
        visitors[i].peer = peer_connect(weir_port(loopback.listener));
        pthread_create(&visitors[i].thread, NULL, talk, &visitors[i]);
    }
    for (int i = 0; i < VISITORS; i++)
        EVENTUALLY(__atomic_load_n(&visitors[i].rounds, __ATOMIC_ACQUIRE) > 20);
    weir_stop(loopback.runtime);
    for (int i = 0; i < VISITORS; i++) {
        pthread_join(visitors[i].thread, NULL);
        peer_leave(&visitors[i].peer);
    }
    weir_mailbox_destroy(loopback.mailbox);
    EVENTUALLY(thread_count() == threads); /* a thread that was joined has yet to leave /proc */
    cr_expect(descriptor_count() == loopback.descriptors);
    cr_expect(memory_live_count() == loopback.blocks, "%ld blocks more",
              (long)(memory_live_count() - loopback.blocks));
}

static int connect_nowhere(struct background *background)
{
    return weir_tcp_connect((weir_runtime *)background->bytes, "127.0.0.1",
                            (uint16_t)background->size,
                            WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)), weir_owned_by_nobody(),
                            WEIR_INFINITY, &background->opened);
}

/* Calls that wait come back. */
Test(leak, stop_while_calls_wait)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    loopback.listener =
        listen_with(loopback.runtime, "[" SMALL_BUFFERS ",{active,false},{high_watermark,10}]");
    loopback.peer = peer_connect_with(weir_port(loopback.listener), 4096);
    GIVES(weir_tcp_accept(loopback.listener, weir_mailed_to(loopback.mailbox), WAIT_MS,
                          &loopback.socket),
          0);
    uint64_t size = fill_queue(&loopback);
    int port;
    int full = peer_listen(0, &port);
    int filling = peer_connect(port);
    int descriptors = descriptor_count();
    struct background calls[] = {
        {.work = send_in_background, .socket = loopback.socket, .bytes = "11111", .size = 5},
        {.work = receive_in_background, .socket = loopback.socket},
        {.work = accept_in_background, .socket = loopback.listener, .mailbox = loopback.mailbox},
        {.work = connect_nowhere, .bytes = loopback.runtime, .size = (size_t)port},
    };
    enum { CALLS = sizeof(calls) / sizeof(calls[0]) };
    for (int i = 0; i < CALLS; i++)
        background_start(&calls[i]);
    EVENTUALLY(queued(loopback.socket) == size + 5);
    EVENTUALLY(descriptor_count() == descriptors + 1); /* it connects */
    weir_packet packet;
    EVENTUALLY(weir_recv(loopback.socket, 0, 0, &packet) == -EALREADY);
    weir_stop(loopback.runtime);
    for (int i = 0; i < CALLS; i++)
        GIVES(background_join(&calls[i]), WEIR_CLOSED);
    peer_leave(&filling);
    peer_leave(&full);
    peer_leave(&loopback.peer);
    weir_mailbox_destroy(loopback.mailbox);
    cr_expect(descriptor_count() == loopback.descriptors);
    cr_expect(memory_live_count() == loopback.blocks, "%ld blocks more",
              (long)(memory_live_count() - loopback.blocks));
}

/* A packet may be kept past the end of everything. */
Test(leak, packets_outlive_the_runtime)
{
    enum { PACKETS = 5, SIZE = 9000 };
    struct loopback loopback = loopback_open("[{packet,4},binary,{active,true}]");
    weir_message messages[PACKETS];
    char *bytes = malloc(SIZE + 4);
    for (int i = 0; i < PACKETS; i++) {
        memset(bytes, 'a' + i, SIZE + 4);
        memcpy(bytes, "\0\0\43\50", 4);
        peer_write(loopback.peer, bytes, SIZE + 4);
    }
    for (int i = 0; i < PACKETS; i++)
        messages[i] = next_message(loopback.mailbox);
    peer_leave(&loopback.peer);
    weir_stop(loopback.runtime);
    weir_mailbox_destroy(loopback.mailbox);
    for (int i = 0; i < PACKETS; i++) {
        cr_assert(messages[i].packet.size == SIZE);
        for (size_t at = 0; at < SIZE; at++)
            cr_assert(messages[i].packet.bytes[at] == 'a' + i);
        weir_packet_release(&messages[i].packet);
    }
    free(bytes);
    cr_expect(descriptor_count() == loopback.descriptors);
    cr_expect(memory_live_count() == loopback.blocks, "%ld blocks more",
              (long)(memory_live_count() - loopback.blocks));
}

Test(leak, stop_and_start_again)
{
    weir_socket old = {0};
    int64_t blocks = memory_live_count();
    int descriptors = descriptor_count();
    for (int i = 0; i < 30; i++) {
        struct loopback loopback = loopback_open("[{active,false}]");
        if (old.id) {
            cr_expect(!weir_same_socket(old, loopback.socket));
            GIVES(weir_send(old, "a", 1), WEIR_CLOSED); /* of an earlier runtime */
        }
        old = loopback.socket;
        loopback_close(&loopback);
        GIVES(weir_port(old), -EINVAL);
    }
    cr_expect(memory_live_count() == blocks);
    cr_expect(descriptor_count() == descriptors);
}

Test(leak, a_start_that_fails_leaves_nothing)
{
    static const weir_config bad[] = {
        {.schedulers = 65},
        {.buffer_count = 3},
        {.features_off = "no_such_feature"},
        {.cpus = "0,x"},
        {.default_listen_options = "[{packet,5}]"},
        {.schedulers = 2, .default_connect_options = "[nonsense"},
    };
    int64_t blocks = memory_live_count();
    int descriptors = descriptor_count();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        weir_runtime *runtime;
        int result = weir_start(&runtime, &bad[i]);
        cr_expect(result == -EINVAL, "%zu: %s", i, result_text(result));
        cr_expect(weir_last_error_text()[0] != '\0');
    }
    struct rlimit limit = {(rlim_t)descriptors + 4, (rlim_t)descriptors + 4};
    setrlimit(RLIMIT_NOFILE, &limit);
    weir_runtime *runtime;
    GIVES(weir_start(&runtime, &(weir_config){.schedulers = 4}), -EMFILE);
    cr_expect(memory_live_count() == blocks);
    cr_expect(descriptor_count() == descriptors);
}

static uint64_t cpu_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

/* Takes all descriptors but so many that are still to be had. */
static void take_descriptors(int left)
{
    int last = -1;
    for (int fd; (fd = dup(0)) >= 0;)
        last = fd;
    for (; left > 0; left--)
        close(last--);
}

/* The kernel notes the limit when it is asked for connections, so it is set before. */
static void limit_descriptors(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 64;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* After a pause that finds no descriptor, whoever waits is told; the connection is still there for
 * whoever comes when there is one. */
Test(leak, an_accept_without_a_descriptor_says_so)
{
    limit_descriptors();
    struct loopback loopback = loopback_start(NULL);
    loopback.listener = listen_with(loopback.runtime, "[{active,false}]");
    struct answer first = {0};
    struct answer second = {0};
    take_descriptors(2);
    int freed = dup(0);
    int peer = peer_connect(weir_port(loopback.listener));
    weir_owner owner = weir_mailed_to(loopback.mailbox);
    GIVES(weir_tcp_accept_async(loopback.listener, owner, WEIR_INFINITY, answer_opened, &first), 0);
    GIVES(weir_tcp_accept_async(loopback.listener, owner, WEIR_INFINITY, answer_opened, &second),
          0);
    GIVES(answer_wait(&first), -EMFILE);
    GIVES(answer_wait(&second), -EMFILE);
    GIVES(weir_tcp_accept(loopback.listener, owner, WAIT_MS, &loopback.socket), -EMFILE);
    GIVES(weir_tcp_accept(loopback.listener, owner, 0, &loopback.socket), WEIR_TIMEOUT);
    close(freed);
    GIVES(weir_tcp_accept(loopback.listener, owner, WAIT_MS, &loopback.socket), 0);
    peer_say(peer, "abc");
    expect_received(loopback.socket, 0, "abc");
    peer_leave(&peer);
    weir_stop(loopback.runtime);
    weir_mailbox_destroy(loopback.mailbox);
}

/* No descriptor is to be had: the scheduler waits for one without spinning, and the connection
 * waits too. */
Test(leak, a_connection_without_a_descriptor_waits)
{
    char back[5];
    limit_descriptors();
    struct loopback loopback = loopback_start(NULL);
    loopback.listener = serve_echo(loopback.runtime);
    int port = weir_port(loopback.listener);
    int early = peer_connect(port);
    EVENTUALLY(totals_of(loopback.runtime).accepts == 1);
    take_descriptors(1);
    int starved = peer_connect(port);
    EVENTUALLY(totals_of(loopback.runtime).accept_pauses > 0);

    weir_totals first = totals_of(loopback.runtime);
    uint64_t cpu = cpu_ms();
    uint64_t before = now_ms();
    const struct timespec half_a_second = {.tv_nsec = 500000000};
    nanosleep(&half_a_second, NULL); /* what is measured is what is done meanwhile */
    weir_totals then = totals_of(loopback.runtime);
    cpu = cpu_ms() - cpu;
    uint64_t passed = now_ms() - before;
    cr_expect(then.turns - first.turns < passed / 25, "%lu turns",
              (unsigned long)(then.turns - first.turns));
    cr_expect(cpu < passed / 2, "%lu ms of %lu", (unsigned long)cpu, (unsigned long)passed);

    peer_leave(&early);
    peer_write(starved, "\0\0\0\1a", 5);
    peer_read(starved, back, 5);
    EVENTUALLY(totals_of(loopback.runtime).accepts == 2); /* published when the turn is over */
    peer_leave(&starved);
    weir_stop(loopback.runtime);
    weir_mailbox_destroy(loopback.mailbox);
    cr_expect(memory_live_count() == loopback.blocks);
}
