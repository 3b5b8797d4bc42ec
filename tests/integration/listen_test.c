/* SPDX-License-Identifier: MIT */
/* Listening, accepting, services, and what an accepted socket has of its listener. */
#include "support/loopback.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int listen_on(weir_runtime *runtime, const char *address, uint16_t port, const char *text)
{
    weir_socket listener;
    weir_option *options;
    GIVES(weir_options_parse(text, &options), 0);
    int result = weir_tcp_listen(runtime, address, port, options, &listener);
    weir_options_free(options);
    return result;
}

Test(listen, errors)
{
    struct loopback loopback = loopback_start(NULL);
    weir_runtime *runtime = loopback.runtime;
    loopback.listener = listen_with(runtime, "[]");
    uint16_t port = (uint16_t)weir_port(loopback.listener);
    GIVES(listen_on(runtime, "127.0.0.1", port, "[]"), -EADDRINUSE);
    cr_assert(strstr(weir_last_error_text(), "127.0.0.1:") != NULL, "%s", weir_last_error_text());
    GIVES(listen_on(runtime, "127.0.0.1", port, "[{reuseaddr,true}]"), -EADDRINUSE);
    GIVES(listen_on(runtime, "192.0.2.1", 0, "[]"), -EADDRNOTAVAIL);
    GIVES(listen_on(runtime, "no address", 0, "[]"), WEIR_BADARG);
    GIVES(listen_on(runtime, "127.0.0.1", 0, "[inet6]"), WEIR_BADARG);
    GIVES(listen_on(runtime, NULL, 0, "[inet,{ip,{0,0,0,0,0,0,0,1}}]"), WEIR_BADARG);
    GIVES(listen_on(runtime, NULL, 0, "[{broadcast,true}]"), WEIR_BADARG);
    GIVES(listen_on(runtime, NULL, 0, "[{line_delimiter,10}]"), WEIR_BADARG);
    GIVES(listen_on(runtime, NULL, 0, "[{ip,{0,0,0,0,0,0,0,1}}]"), 0); /* which is inet6 */
    GIVES(listen_on(runtime, NULL, 0, "[{ip,loopback}]"), 0);
    GIVES(listen_on(runtime, NULL, 0, "[{ip,any}]"), 0);
    loopback_close(&loopback);
}

Test(listen, a_service_finds_its_port_in_use)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    weir_runtime *other;
    weir_socket first;
    weir_socket second;
    weir_owner owner = weir_mailed_to(loopback.mailbox);
    GIVES(weir_start(&other, &(weir_config){.schedulers = 2}), 0);
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, WEIR_OPTIONS(), owner, &first), 0);
    uint16_t port = (uint16_t)weir_port(first);
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", port, WEIR_OPTIONS(), owner, &second),
          -EADDRINUSE);
    GIVES(weir_tcp_serve(other, "127.0.0.1", port, WEIR_OPTIONS(), owner, &second), -EADDRINUSE);
    weir_stop(other);
    weir_close(first);
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", port, WEIR_OPTIONS(WEIR_REUSEADDR(true)),
                         owner, &second),
          0);
    loopback_close(&loopback);
}

Test(listen, a_port_of_another_process_is_in_use)
{
    struct loopback loopback = loopback_start(NULL);
    int ready[2];
    int port = 0;
    cr_assert(pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        int fd = peer_listen(1, &port);
        (void)!write(ready[1], &port, sizeof(port));
        pause();
        _exit(fd < 0);
    }
    cr_assert(read(ready[0], &port, sizeof(port)) == sizeof(port));
    GIVES(listen_on(loopback.runtime, "127.0.0.1", (uint16_t)port, "[]"), -EADDRINUSE);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    loopback_close(&loopback);
}

Test(listen, low_ports_are_not_for_everybody)
{
    bool root = getuid() == 0;
    if (root)
        cr_assert(seteuid(65534) == 0);
    struct loopback loopback = loopback_start(NULL);
    int result = listen_on(loopback.runtime, "127.0.0.1", 81, "[]");
    cr_expect(result == -EACCES || result == 0, "%s", result_text(result)); /* a sysctl allows it */
    if (root)
        cr_assert(seteuid(0) == 0);
    loopback_close(&loopback);
}

Test(listen, any_address_reads_back)
{
    struct loopback loopback = loopback_start(NULL);
    weir_address address;
    char text[WEIR_ADDRESS_TEXT_SIZE];
    GIVES(weir_tcp_listen(loopback.runtime, NULL, 0, WEIR_OPTIONS(), &loopback.listener), 0);
    GIVES(weir_sockname(loopback.listener, &address), 0);
    cr_assert(strcmp(weir_address_format(&address, text), "0.0.0.0") == 0);
    cr_assert(address.port == weir_port(loopback.listener) && address.port > 0);
    GIVES(weir_peername(loopback.listener, &address), -ENOTCONN);
    loopback_close(&loopback);
}

Test(listen, names_of_both_ends)
{
    struct loopback loopback = loopback_open("[]");
    struct sockaddr_in peer;
    socklen_t size = sizeof(peer);
    weir_address address;
    getsockname(loopback.peer, (struct sockaddr *)&peer, &size);
    GIVES(weir_peername(loopback.socket, &address), 0);
    cr_assert(address.port == ntohs(peer.sin_port) && address.family == WEIR_INET);
    cr_assert(memcmp(address.bytes, "\177\0\0\1", 4) == 0);
    GIVES(weir_port(loopback.socket), weir_port(loopback.listener));
    loopback_close(&loopback);
}

Test(listen, over_ipv6)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket connected;
    weir_socket accepted;
    GIVES(weir_tcp_listen(loopback.runtime, "::1", 0, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                          &loopback.listener),
          0);
    GIVES(weir_tcp_connect(loopback.runtime, "::1", (uint16_t)weir_port(loopback.listener),
                           WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)), weir_owned_by_nobody(),
                           WAIT_MS, &connected),
          0);
    GIVES(weir_tcp_accept(loopback.listener, weir_owned_by_nobody(), WAIT_MS, &accepted), 0);
    GIVES(weir_send(connected, "abc", 3), 0);
    expect_received(accepted, 0, "abc");
    loopback_close(&loopback);
}

/* Accepting. */
Test(accept, times_out_and_polls)
{
    struct loopback loopback = loopback_open("[]");
    weir_socket socket;
    uint64_t before = now_ms();
    GIVES(weir_tcp_accept(loopback.listener, weir_mailed_to(loopback.mailbox), 0, &socket),
          WEIR_TIMEOUT);
    cr_expect(now_ms() - before < AT_ONCE_MS);
    before = now_ms();
    GIVES(weir_tcp_accept(loopback.listener, weir_mailed_to(loopback.mailbox), 100, &socket),
          WEIR_TIMEOUT);
    cr_expect(now_ms() - before >= 100);
    int peer = peer_connect(weir_port(loopback.listener));
    int result; /* the peer is connected before its last segment has come here */
    EVENTUALLY((result = weir_tcp_accept(loopback.listener, weir_mailed_to(loopback.mailbox), 0,
                                         &socket)) != WEIR_TIMEOUT);
    GIVES(result, 0);
    peer_leave(&peer);
    loopback_close(&loopback);
}

/* A connection that comes while nobody waits any more is the next one's. */
Test(accept, loses_no_connection_to_a_time_out)
{
    enum { ROUNDS = 200 };
    struct loopback loopback = loopback_open("[{active,false},{backlog,300}]");
    int taken = 0;
    int peers[ROUNDS];
    weir_socket socket;
    for (int i = 0; i < ROUNDS; i++) {
        struct answer answer = {0};
        GIVES(weir_tcp_accept_async(loopback.listener, weir_owned_by_nobody(), i % 2, answer_opened,
                                    &answer),
              0);
        peers[i] = peer_connect(weir_port(loopback.listener));
        taken += answer_wait(&answer) == 0;
    }
    while (taken < ROUNDS) {
        GIVES(weir_tcp_accept(loopback.listener, weir_owned_by_nobody(), WAIT_MS, &socket), 0);
        taken++;
    }
    GIVES(weir_tcp_accept(loopback.listener, weir_owned_by_nobody(), 0, &socket), WEIR_TIMEOUT);
    for (int i = 0; i < ROUNDS; i++)
        peer_leave(&peers[i]);
    loopback_close(&loopback);
}

Test(accept, serves_in_order)
{
    enum { CALLERS = 5 };
    struct loopback loopback = loopback_open("[{active,false}]");
    struct answer answers[CALLERS] = {0};
    int peers[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        GIVES(weir_tcp_accept_async(loopback.listener, weir_owned_by_nobody(), WEIR_INFINITY,
                                    answer_opened, &answers[i]),
              0);
    for (int i = 0; i < CALLERS; i++) {
        peers[i] = peer_connect(weir_port(loopback.listener));
        GIVES(answer_wait(&answers[i]), 0);
        for (int later = i + 1; later < CALLERS; later++)
            cr_assert(answer_count(&answers[later]) == 0);
        GIVES(weir_send(answers[i].socket, "abc", 3), 0);
        peer_expect(peers[i], "abc");
        peer_leave(&peers[i]);
    }
    loopback_close(&loopback);
}

Test(accept, is_for_listeners)
{
    struct loopback loopback = loopback_open("[]");
    weir_socket socket;
    GIVES(weir_tcp_accept(loopback.socket, weir_mailed_to(loopback.mailbox), 0, &socket), -EINVAL);
    loopback_close(&loopback);
}

Test(accept, a_closed_listener_answers)
{
    struct loopback loopback = loopback_open("[]");
    struct background accepting = {
        .work = accept_in_background, .socket = loopback.listener, .mailbox = loopback.mailbox};
    background_start(&accepting);
    weir_close(loopback.listener);
    GIVES(background_join(&accepting), WEIR_CLOSED);
    loopback_close(&loopback);
}

/* What is inherited, and from when. */
Test(inherit, options_of_the_listener)
{
    struct loopback loopback = loopback_open(
        "[{active,7},{packet,2},{packet_size,1000},{header,3},{deliver,port},binary,{buffer,2000},"
        "{exit_on_close,false},{high_watermark,5000},{low_watermark,3000},{send_timeout,700},"
        "{send_timeout_close,true},{delay_send,true},{show_econnreset,true},{nodelay,true},"
        "{keepalive,true},{priority,3},{tos,16},{ttl,33},{linger,{true,4}}]");
    weir_socket socket = loopback.socket;
    cr_expect(get(socket, WEIR_OPTION_ACTIVE) == 7);
    cr_expect(get(socket, WEIR_OPTION_PACKET) == WEIR_2);
    cr_expect(get(socket, WEIR_OPTION_PACKET_SIZE) == 1000);
    cr_expect(get(socket, WEIR_OPTION_HEADER) == 3);
    cr_expect(get(socket, WEIR_OPTION_DELIVER) == WEIR_PORT);
    cr_expect(get(socket, WEIR_OPTION_MODE) == WEIR_BINARY);
    cr_expect(get(socket, WEIR_OPTION_BUFFER) == 2000);
    cr_expect(get(socket, WEIR_OPTION_EXIT_ON_CLOSE) == false);
    cr_expect(get(socket, WEIR_OPTION_HIGH_WATERMARK) == 5000);
    cr_expect(get(socket, WEIR_OPTION_LOW_WATERMARK) == 3000);
    cr_expect(get(socket, WEIR_OPTION_SEND_TIMEOUT) == 700);
    cr_expect(get(socket, WEIR_OPTION_SEND_TIMEOUT_CLOSE) == true);
    cr_expect(get(socket, WEIR_OPTION_DELAY_SEND) == true);
    cr_expect(get(socket, WEIR_OPTION_SHOW_ECONNRESET) == true);
    cr_expect(get(socket, WEIR_OPTION_NODELAY) == true);
    cr_expect(get(socket, WEIR_OPTION_KEEPALIVE) == true);
    cr_expect(get(socket, WEIR_OPTION_PRIORITY) == 3);
    cr_expect(get(socket, WEIR_OPTION_TOS) == 16);
    cr_expect(get(socket, WEIR_OPTION_TTL) == 33);
    weir_option linger = WEIR_REQUEST(LINGER);
    GIVES(weir_getopts(socket, &linger, 1), 1);
    cr_expect(linger.value.linger.on && linger.value.linger.seconds == 4);
    GIVES(set(socket, "[{packet,4}]"), 0); /* its own, from here on */
    cr_expect(get(loopback.listener, WEIR_OPTION_PACKET) == WEIR_2);
    cr_expect(get(socket, WEIR_OPTION_HEADER) == 3);
    loopback_close(&loopback);
}

Test(inherit, what_is_set_while_a_connection_waits)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,false}]");
    peer_leave(&loopback.peer);
    weir_close(loopback.socket);
    loopback.peer = peer_connect(weir_port(loopback.listener)); /* in the backlog */
    GIVES(
        set(loopback.listener, "[{packet,4},{nodelay,true},{tos,8},{active,3},{linger,{true,9}}]"),
        0);
    GIVES(weir_tcp_accept(loopback.listener, weir_mailed_to(loopback.mailbox), WAIT_MS,
                          &loopback.socket),
          0);
    cr_expect(get(loopback.socket, WEIR_OPTION_PACKET) == WEIR_4);
    cr_expect(get(loopback.socket, WEIR_OPTION_NODELAY) == true);
    cr_expect(get(loopback.socket, WEIR_OPTION_TOS) == 8);
    cr_expect(get(loopback.socket, WEIR_OPTION_ACTIVE) == 3);
    weir_option linger = WEIR_REQUEST(LINGER);
    GIVES(weir_getopts(loopback.socket, &linger, 1), 1);
    cr_expect(linger.value.linger.on && linger.value.linger.seconds == 9);
    loopback_close(&loopback);
}

/* Services. */
enum { SCHEDULERS = 3, CONNECTIONS = 120 };

struct census {
    uint32_t accepted[SCHEDULERS];
    uint32_t total;
    uint32_t elsewhere; /* packets that came on another scheduler than their connection */
    uint32_t packets;
};

static void count_accepted(weir_socket socket, void *data)
{
    struct census *census = data;
    (void)socket;
    __atomic_fetch_add(&census->accepted[weir_current_scheduler()], 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&census->total, 1, __ATOMIC_RELEASE);
}

static void reply_with_scheduler(weir_socket socket, const weir_packet *packet, void *data)
{
    struct census *census = data;
    char number = (char)weir_current_scheduler();
    (void)packet;
    if ((uint32_t)number != (uint32_t)(socket.id >> 56) % SCHEDULERS)
        __atomic_fetch_add(&census->elsewhere, 1, __ATOMIC_RELAXED);
    (void)!weir_send(socket, &number, 1);
}

static const weir_handler census_handler = {.accepted = count_accepted,
                                            .packet = reply_with_scheduler};

/* Those that listen stand first. What follows may be tens of thousands that other tests have left
 * to time out, and is not read. */
static uint32_t count_listening(int port)
{
    uint32_t count = 0;
    char line[256];
    char wanted[32];
    FILE *table = fopen("/proc/net/tcp", "r");
    snprintf(wanted, sizeof(wanted), "0100007F:%04X 00000000:0000 0A", (unsigned)port);
    (void)!fgets(line, sizeof(line), table);
    while (fgets(line, sizeof(line), table) && strstr(line, " 00000000:0000 0A "))
        count += strstr(line, wanted) != NULL;
    fclose(table);
    return count;
}

/* Who waits with a mailbox that is destroyed gets nothing; a connection is the next one's. */
Test(listen, a_destroyed_mailbox_takes_no_connection_away)
{
    struct loopback loopback = loopback_start(NULL);
    weir_mailbox *dying;
    GIVES(weir_mailbox_create(&dying), 0);
    loopback.listener = listen_with(loopback.runtime, "[{active,false}]");
    struct answer early = {0};
    struct answer living = {0};
    GIVES(weir_tcp_accept_async(loopback.listener, weir_mailed_to(dying), WEIR_INFINITY,
                                answer_opened, &early),
          0);
    GIVES(weir_tcp_accept_async(loopback.listener, weir_mailed_to(loopback.mailbox), WEIR_INFINITY,
                                answer_opened, &living),
          0);
    settle(loopback.listener);
    weir_mailbox_destroy(dying);
    GIVES(answer_wait(&early), WEIR_BADARG);
    loopback.peer = peer_connect(weir_port(loopback.listener));
    GIVES(answer_wait(&living), 0);
    loopback.socket = living.socket;
    peer_say(loopback.peer, "abc");
    expect_received(loopback.socket, 0, "abc");
    loopback_close(&loopback);
}

Test(serve, every_scheduler_gets_connections)
{
    struct census census = {0};
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = SCHEDULERS});
    int peers[CONNECTIONS];
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_BACKLOG(200)),
                         weir_handled_by(&census_handler, &census), &loopback.listener),
          0);
    int port = weir_port(loopback.listener);
    cr_expect(count_listening(port) == SCHEDULERS);
    for (int i = 0; i < CONNECTIONS; i++)
        peers[i] = peer_connect(port);
    EVENTUALLY(__atomic_load_n(&census.total, __ATOMIC_ACQUIRE) == CONNECTIONS);
    for (int i = 0; i < SCHEDULERS; i++)
        cr_expect(census.accepted[i] > 0, "scheduler %d has none of %d", i, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
        uint8_t number;
        peer_say(peers[i], "x");
        peer_read(peers[i], &number, 1);
        cr_expect(number < SCHEDULERS);
    }
    cr_expect(census.elsewhere == 0);

    /* What is set on the service is set on each of its listeners... */
    GIVES(set(loopback.listener, "[{packet,1},{nodelay,true}]"), 0);
    for (int i = 0; i < CONNECTIONS; i++)
        peer_leave(&peers[i]);
    for (int i = 0; i < CONNECTIONS; i++) {
        char reply[2];
        peers[i] = peer_connect(port);
        peer_say(peers[i], "\1x");
        peer_read(peers[i], reply, 2);
        cr_expect(reply[0] == 1, "the reply has no header");
        peer_leave(&peers[i]);
    }
    /* ... and closing it closes all. */
    weir_close(loopback.listener);
    EVENTUALLY(count_listening(port) == 0);
    loopback_close(&loopback);
}

static void close_it(void *listener)
{
    weir_close(*(weir_socket *)listener);
}

/* Wherever it is closed from. */
Test(serve, a_scheduler_closes_all_of_it)
{
    struct census census = {0};
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = SCHEDULERS});
    for (uint32_t i = 0; i < SCHEDULERS; i++) {
        GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, WEIR_OPTIONS(),
                             weir_handled_by(&census_handler, &census), &loopback.listener),
              0);
        int port = weir_port(loopback.listener);
        cr_expect(count_listening(port) == SCHEDULERS);
        run_there(loopback.runtime, i, close_it, &loopback.listener);
        EVENTUALLY(count_listening(port) == 0);
    }
    loopback_close(&loopback);
}

Test(serve, tells_a_mailbox)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_PACKET(1)),
                         weir_mailed_to(loopback.mailbox), &loopback.listener),
          0);
    loopback.peer = peer_connect(weir_port(loopback.listener));
    peer_say(loopback.peer, "\1a");
    weir_message message = next_message(loopback.mailbox);
    cr_assert(message.kind == WEIR_MESSAGE_ACCEPTED);
    loopback.socket = message.socket;
    expect_text(&loopback, "a");
    loopback_close(&loopback);
}

Test(serve, ends_with_its_mailbox)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, WEIR_OPTIONS(),
                         weir_mailed_to(loopback.mailbox), &loopback.listener),
          0);
    int port = weir_port(loopback.listener);
    loopback.peer = peer_connect(port);
    weir_message message = next_message(loopback.mailbox);
    cr_assert(message.kind == WEIR_MESSAGE_ACCEPTED);
    weir_mailbox_destroy(loopback.mailbox);
    peer_expect_end(loopback.peer);
    EVENTUALLY(count_listening(port) == 0);
    GIVES(weir_port(loopback.listener), -EINVAL);
    GIVES(weir_mailbox_create(&loopback.mailbox), 0);
    loopback_close(&loopback);
}

Test(serve, needs_an_owner)
{
    struct loopback loopback = loopback_start(NULL);
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, WEIR_OPTIONS(), weir_owned_by_nobody(),
                         NULL),
          WEIR_BADARG);
    loopback_close(&loopback);
}

/* A service's listener gives nothing to accept. */
Test(serve, accepts_for_itself)
{
    struct census census = {0};
    struct loopback loopback = loopback_start(NULL);
    weir_socket socket;
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, WEIR_OPTIONS(),
                         weir_handled_by(&census_handler, &census), &loopback.listener),
          0);
    GIVES(weir_tcp_accept(loopback.listener, weir_mailed_to(loopback.mailbox), 0, &socket),
          -EINVAL);
    loopback_close(&loopback);
}

Test(serve, drains)
{
    struct census census = {0};
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, WEIR_OPTIONS(),
                         weir_handled_by(&census_handler, &census), &loopback.listener),
          0);
    int port = weir_port(loopback.listener);
    loopback.peer = peer_connect(port);
    EVENTUALLY(__atomic_load_n(&census.total, __ATOMIC_ACQUIRE) == 1);
    GIVES(weir_drain(loopback.runtime, 50), WEIR_TIMEOUT);
    EVENTUALLY(count_listening(port) == 0);
    char number;
    peer_say(loopback.peer, "x"); /* who is there is still served */
    peer_read(loopback.peer, &number, 1);
    peer_leave(&loopback.peer);
    GIVES(weir_drain(loopback.runtime, INT64_MAX), 0);
    loopback_close(&loopback);
}

/* An address as text, the port as an option. */
Test(listen, an_address_beside_the_option_of_its_port)
{
    int port;
    struct loopback loopback = loopback_start(NULL);
    int holder = peer_bind(&port);
    peer_leave(&holder);
    GIVES(weir_tcp_listen(loopback.runtime, "127.0.0.1", 0,
                          WEIR_OPTIONS(WEIR_PORT(port), WEIR_REUSEADDR(true)), &loopback.listener),
          0);
    GIVES(weir_port(loopback.listener), port);
    loopback.peer = peer_connect(port);
    loopback_close(&loopback);
}

/* The kernel begins each connection without one. */
Test(listen, its_priority_is_its_connections)
{
    struct loopback loopback = loopback_open("[{active,false},{priority,5}]");
    GIVES((int)get(loopback.socket, WEIR_OPTION_PRIORITY), 5);
    loopback_close(&loopback);
}
