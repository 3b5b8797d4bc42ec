/* SPDX-License-Identifier: MIT */
/* Too few buffers, too few completions, too many signals: slower, and nothing else. */
#include "support/loopback.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    (void)!weir_send_packet(socket, packet);
}

static const weir_handler echo_handler = {.packet = echo};

static struct loopback serve_with(const weir_config *config)
{
    struct loopback loopback = loopback_start(config);
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0,
                         WEIR_OPTIONS(WEIR_PACKET(2), WEIR_BACKLOG(200)),
                         weir_handled_by(&echo_handler, NULL), &loopback.listener),
          0);
    return loopback;
}

/* Floods, and reads what comes back at the same time, until it has had enough. */
struct flooder {
    pthread_t reader;
    pthread_t writer;
    int peer;
    uint32_t packets;
    uint32_t wrong;
};

enum { PACKET = 700 };

static void *flood(void *data)
{
    struct flooder *flooder = data;
    for (uint32_t i = 0; i < flooder->packets; i++) {
        char bytes[PACKET + 2] = {PACKET >> 8, (char)PACKET};
        memcpy(bytes + 2, &i, sizeof(i));
        if (send(flooder->peer, bytes, sizeof(bytes), MSG_NOSIGNAL) != sizeof(bytes)) {
            flooder->wrong++;
            break;
        }
    }
    return NULL;
}

static void *check_echo(void *data)
{
    struct flooder *flooder = data;
    for (uint32_t i = 0; i < flooder->packets; i++) {
        char bytes[PACKET + 2];
        if (recv(flooder->peer, bytes, sizeof(bytes), MSG_WAITALL) != sizeof(bytes) ||
            memcmp(bytes + 2, &i, sizeof(i)) != 0) {
            flooder->wrong++;
            break;
        }
    }
    return NULL;
}

static void flood_all(struct loopback *loopback, int count, uint32_t packets)
{
    struct flooder *flooders = calloc((size_t)count, sizeof(*flooders));
    for (int i = 0; i < count; i++) {
        flooders[i].peer = peer_connect(weir_port(loopback->listener));
        flooders[i].packets = packets;
    }
    for (int i = 0; i < count; i++) {
        pthread_create(&flooders[i].reader, NULL, check_echo, &flooders[i]);
        pthread_create(&flooders[i].writer, NULL, flood, &flooders[i]);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(flooders[i].writer, NULL);
        pthread_join(flooders[i].reader, NULL);
        cr_expect(flooders[i].wrong == 0, "flooder %d of %d", i, count);
        peer_leave(&flooders[i].peer);
    }
    free(flooders);
}

static weir_totals totals_of(const struct loopback *loopback)
{
    weir_totals totals;
    weir_get_totals(loopback->runtime, -1, &totals);
    return totals;
}

Test(scarce, two_buffers_serve_everybody)
{
    static const weir_config config = {.schedulers = 1, .buffer_count = 2, .buffer_size = 1024};
    struct loopback loopback = serve_with(&config);
    flood_all(&loopback, 12, 300);
    uint64_t starved = totals_of(&loopback).starved;
    cr_expect(starved > 0, "nobody ever lacked a buffer");
    cr_expect(starved < UINT32_MAX, "%" PRIu64 " times", starved);
    loopback_close(&loopback);
}

Test(scarce, one_buffer_serves_everybody)
{
    static const weir_config config = {.schedulers = 1, .buffer_count = 1, .buffer_size = 64};
    struct loopback loopback = serve_with(&config);
    flood_all(&loopback, 5, 100);
    loopback_close(&loopback);
}

static void serve_idle(const weir_config *config)
{
    enum { IDLE = 12 };
    struct loopback loopback = serve_with(config);
    int peers[IDLE];
    for (int i = 0; i < IDLE; i++) {
        peers[i] = peer_connect(weir_port(loopback.listener));
        settle(loopback.listener);
    }
    for (int round = 0; round < 3; round++) {
        for (int i = IDLE; i-- > 0;) {
            char back[3];
            peer_write(peers[i], "\0\1a", 3);
            peer_read(peers[i], back, 3);
        }
    }
    for (int i = 0; i < IDLE; i++)
        peer_leave(&peers[i]);
    loopback_close(&loopback);
}

/* Connections that say nothing hold no buffer, or leave some where there is no buffer ring. */
Test(scarce, idle_connections_leave_buffers)
{
    for (uint32_t count = 1; count <= 8; count *= 2) {
        serve_idle(&(weir_config){.schedulers = 1, .buffer_count = count});
        serve_idle(
            &(weir_config){.schedulers = 1, .buffer_count = count, .features_off = "buffer_ring"});
    }
}

/* Those that found no buffer bound are told that there is something to receive, and what is closed
 * or passive meanwhile is told no more. */
Test(scarce, floods_without_a_buffer_ring)
{
    static const weir_config config = {
        .schedulers = 1, .buffer_count = 4, .buffer_size = 1024, .features_off = "buffer_ring"};
    struct loopback loopback = serve_with(&config);
    flood_all(&loopback, 12, 300);
    loopback_close(&loopback);
}

/* A poll sees what the kernel has, whoever else waits. */
Test(scarce, a_poll_without_a_buffer_ring)
{
    static const weir_config config = {
        .schedulers = 1, .buffer_count = 1, .features_off = "buffer_ring"};
    struct loopback loopback = loopback_start(&config);
    weir_packet packet;
    loopback.listener = listen_with(loopback.runtime, "[{active,false}]");
    loopback_reopen(&loopback);
    GIVES(weir_recv(loopback.socket, 0, 0, &packet), WEIR_TIMEOUT);
    for (int i = 0; i < 3; i++) {
        peer_say(loopback.peer, "ab");
        GIVES(weir_recv(loopback.socket, 0, 0, &packet), 0);
        weir_packet_release(&packet);
    }
    GIVES(weir_recv(loopback.socket, 0, 0, &packet), WEIR_TIMEOUT);
    loopback_close(&loopback);
}

/* All buffers are kept by somebody: whoever releases one, from wherever, lets the rest go on. */
Test(scarce, kept_packets_come_back)
{
    static const weir_config config = {.schedulers = 1, .buffer_count = 4, .buffer_size = 16384};
    enum { PACKETS = 60, SIZE = 8000 };
    struct loopback loopback = loopback_start(&config);
    loopback.listener = listen_with(loopback.runtime, "[{packet,2},binary,{active,true}]");
    loopback_reopen(&loopback);
    char *bytes = calloc(1, SIZE + 2);
    bytes[0] = (char)(SIZE >> 8);
    bytes[1] = (char)SIZE;
    weir_message kept[PACKETS];
    for (int i = 0; i < PACKETS; i++) {
        memset(bytes + 2, 'a' + i % 20, SIZE);
        peer_write(loopback.peer, bytes, SIZE + 2);
        kept[i] = next_message(loopback.mailbox);
        cr_assert(kept[i].packet.size == SIZE);
    }
    for (int i = 0; i < PACKETS; i++) {
        for (size_t at = 0; at < SIZE; at++)
            cr_assert(kept[i].packet.bytes[at] == 'a' + i % 20, "packet %d was overwritten", i);
        weir_packet_release(&kept[i].packet);
    }
    free(bytes);
    loopback_close(&loopback);
}

Test(scarce, four_completions_serve_sixty_four)
{
    static const weir_config config = {
        .schedulers = 1, .submission_entries = 2, .completion_entries = 4};
    struct loopback loopback = serve_with(&config);
    flood_all(&loopback, 64, 30);
    loopback_close(&loopback);
}

Test(scarce, one_completion_a_turn)
{
    static const weir_config config = {.schedulers = 1, .completion_budget = 1, .eager_submit = 1};
    struct loopback loopback = serve_with(&config);
    flood_all(&loopback, 8, 50);
    loopback_close(&loopback);
}

static void ignore(int signal)
{
    (void)signal;
}

Test(scarce, signals_interrupt_nothing)
{
    const struct itimerval storm = {{0, 200}, {0, 200}};
    const struct itimerval calm = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};
    struct loopback loopback = serve_with(&(weir_config){.schedulers = 2});
    weir_socket socket;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &storm, NULL);
    for (int i = 0; i < 50; i++) {
        GIVES(weir_tcp_connect(loopback.runtime, "127.0.0.1",
                               (uint16_t)weir_port(loopback.listener),
                               WEIR_OPTIONS(WEIR_PACKET(2), WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                               weir_owned_by_nobody(), WAIT_MS, &socket),
              0);
        for (int round = 0; round < 20; round++) {
            GIVES(weir_send(socket, "abc", 3), 0);
            expect_received(socket, 0, "abc");
        }
        weir_packet packet;
        GIVES(weir_recv(socket, 0, 5, &packet), WEIR_TIMEOUT);
        weir_close(socket);
    }
    setitimer(ITIMER_REAL, &calm, NULL);
    loopback_close(&loopback);
}
