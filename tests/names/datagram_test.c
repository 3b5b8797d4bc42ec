/* SPDX-License-Identifier: MIT */
/* Sending datagrams to a host by its name. */
#include "asked.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A plain socket on loopback, and its port. */
static int plain_open(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval wait = {WAIT_MS / 1000, 0};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void expect_bytes(int fd, const char *text)
{
    char bytes[256];
    ssize_t size = recv(fd, bytes, sizeof(bytes), 0);
    cr_assert_eq(size, (ssize_t)strlen(text), "%zd bytes instead of '%s'", size, text);
    cr_assert_eq(memcmp(bytes, text, strlen(text)), 0, "'%.*s' instead of '%s'", (int)size, bytes,
                 text);
}

static void expect_nothing(int fd)
{
    char byte;
    cr_expect_eq(recv(fd, &byte, 1, MSG_DONTWAIT), -1, "something has arrived");
}

static weir_socket open_passive(struct asked *asked)
{
    weir_socket socket;
    cr_assert_eq(weir_udp_open(asked->runtime, 0, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                               weir_owned_by_nobody(), &socket),
                 0);
    return socket;
}

static int send_text(weir_socket socket, const char *host, uint16_t port, const char *text)
{
    return weir_udp_send_to(socket, host, port, text, strlen(text), WAIT_MS);
}

struct said {
    atomic_int count;
    atomic_int failures;
    atomic_int last;
    char text[160]; /* and what was said of it */
};

static void said(weir_socket socket, int result, void *data)
{
    struct said *said = data;
    (void)socket;
    snprintf(said->text, sizeof(said->text), "%s", weir_last_error_text());
    atomic_store(&said->last, result);
    atomic_fetch_add(&said->failures, result < 0);
    atomic_fetch_add(&said->count, 1);
}

static void wait_for(struct said *said, int count)
{
    while (atomic_load(&said->count) < count)
        usleep(1000);
}

/* Names have one scheduler each, sockets theirs: all pairs of these. */
Test(datagram, by_name_from_a_thread)
{
    uint16_t port;
    int fd = plain_open(&port);
    struct asked asked = asked_start(3, "");
    for (int i = 0; i < 3; i++) {
        weir_socket socket = open_passive(&asked);
        for (int name = 0; name < 9; name++) {
            char host[32];
            struct said one = {0};
            snprintf(host, sizeof(host), "loopback%d.test.", name);
            cr_expect_eq(send_text(socket, host, port, "waited for"), 0);
            expect_bytes(fd, "waited for");
            cr_expect_eq(weir_udp_send_to_async(socket, host, port, "", 0, WAIT_MS, said, &one), 0);
            expect_bytes(fd, "");
            wait_for(&one, 1);
            cr_expect_eq(one.failures, 0);
            cr_expect_str_eq(one.text, "");
            cr_expect_eq(weir_udp_send_to_async(socket, host, port, "c", 1, WAIT_MS, NULL, NULL),
                         0);
            expect_bytes(fd, "c");
        }
        weir_close(socket);
    }
    asked_stop(&asked);
    close(fd);
}

struct on_scheduler {
    struct asked *asked;
    uint16_t port;
    struct said said;
    weir_socket socket;
    int blocking;
    int blocking_connect;
    int given;
};

static void send_on_scheduler(void *data)
{
    struct on_scheduler *here = data;
    here->socket = open_passive(here->asked);
    here->blocking = send_text(here->socket, "loopback.test.", here->port, "never");
    here->blocking_connect = weir_udp_connect_to(here->socket, "loopback.test.", here->port, -1);
    here->given = weir_udp_send_to_async(here->socket, "loopback.test.", here->port, "here", 4,
                                         WAIT_MS, said, &here->said);
}

Test(datagram, by_name_from_a_scheduler)
{
    uint16_t port;
    int fd = plain_open(&port);
    struct asked asked = asked_start(2, "");
    for (uint32_t i = 0; i < 2; i++) {
        struct on_scheduler here = {.asked = &asked, .port = port};
        cr_assert_eq(weir_run_on(asked.runtime, i, send_on_scheduler, &here), 0);
        wait_for(&here.said, 1);
        cr_expect_eq(here.blocking, -EDEADLK);
        cr_expect_eq(here.blocking_connect, -EDEADLK);
        cr_expect_eq(here.given, 0);
        cr_expect_eq(here.said.failures, 0);
        expect_bytes(fd, "here");
        weir_close(here.socket);
    }
    asked_stop(&asked);
    close(fd);
}

Test(datagram, what_cannot_be_sent_there)
{
    uint16_t port;
    int fd = plain_open(&port);
    struct asked asked = asked_start(1, "{timeout,150}.");
    weir_socket socket = open_passive(&asked);
    static char large[70000];
    struct said one = {0};
    static const char *const bad[] = {"", "a b", "a\tb", "\x7f", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(send_text(socket, bad[i], port, "x"), -EINVAL, "%s", bad[i]);
        cr_expect_eq(weir_udp_send_to_async(socket, bad[i], port, "x", 1, -1, said, &one), -EINVAL);
        cr_expect_eq(weir_udp_connect_to(socket, bad[i], port, -1), -EINVAL);
    }
    cr_expect_eq(weir_udp_send_to(socket, NULL, port, "x", 1, -1), -EINVAL);
    cr_expect_eq(weir_udp_send_to(socket, "loopback.test.", port, NULL, 1, -1), -EINVAL);
    cr_expect_eq(send_text(socket, "loopback.test.", 0, "x"), -EINVAL);
    cr_expect_eq(weir_udp_send_to(socket, "loopback.test.", port, large, sizeof(large), -1),
                 -EMSGSIZE);
    cr_expect_eq(send_text(socket, "nx.test.", port, "x"), WEIR_NXDOMAIN);
    char text[128];
    snprintf(text, sizeof(text), "cannot send to nx.test.:%u: %s", port,
             weir_error_text(WEIR_NXDOMAIN));
    cr_expect_str_eq(weir_last_error_text(), text);
    cr_expect_eq(send_text(socket, "silent.test.", port, "x"), WEIR_NXDOMAIN);
    cr_expect_eq(send_text(socket, "::1", port, "x"), WEIR_NXDOMAIN);
    cr_expect_eq(weir_udp_connect_to(socket, "nx.test.", port, WAIT_MS), WEIR_NXDOMAIN);
    cr_expect_eq(weir_udp_send_to_async(socket, "nx.test.", port, "x", 1, WAIT_MS, said, &one), 0);
    wait_for(&one, 1);
    cr_expect_eq(one.last, WEIR_NXDOMAIN);
    cr_expect_str_eq(one.text, text);
    cr_expect_eq(send_text((weir_socket){0}, "loopback.test.", port, "x"), WEIR_CLOSED);
    weir_close(socket);
    cr_expect_eq(send_text(socket, "loopback.test.", port, "x"), WEIR_CLOSED);
    expect_nothing(fd);
    asked_stop(&asked);
    close(fd);
}

Test(datagram, a_connection_sends_none)
{
    int port;
    int listener = peer_listen(5, &port);
    struct asked asked = asked_start(1, "");
    weir_socket socket;
    cr_assert_eq(weir_tcp_connect(asked.runtime, "127.0.0.1", (uint16_t)port,
                                  WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                                  weir_owned_by_nobody(), WAIT_MS, &socket),
                 0);
    cr_expect_eq(send_text(socket, "loopback.test.", 9, "x"), -EPROTOTYPE);
    cr_expect_eq(weir_udp_connect_to(socket, "loopback.test.", 9, WAIT_MS), -ENOTCONN);
    weir_close(socket);
    asked_stop(&asked);
    close(listener);
}

Test(datagram, an_address_is_its_own_answer)
{
    uint16_t port;
    int fd = plain_open(&port);
    struct asked asked = asked_start(1, "");
    weir_socket socket = open_passive(&asked);
    cr_expect_eq(send_text(socket, "127.1", port, "lenient"), 0);
    expect_bytes(fd, "lenient");
    cr_expect_eq(dns_server_count(asked.server, "127.1"), 0u);
    asked_stop(&asked);
    close(fd);
}

/* The kernel refuses the broadcast address, which the option has not allowed. */
Test(datagram, several_addresses_in_order)
{
    uint16_t port;
    int fd = plain_open(&port);
    struct asked asked =
        asked_start(1, "{lookup,[file]}. {host,{255,255,255,255},[\"many\",\"none\"]}. "
                       "{host,{127,0,0,1},[\"many\"]}.");
    weir_socket socket = open_passive(&asked);
    cr_expect_eq(send_text(socket, "many", port, "second"), 0);
    expect_bytes(fd, "second");
    cr_expect_eq(send_text(socket, "none", port, "x"), -EACCES);
    cr_expect_eq(weir_udp_connect_to(socket, "none", port, WAIT_MS), -EACCES);
    cr_expect_eq(weir_udp_connect_to(socket, "many", port, WAIT_MS), 0);
    cr_expect_eq(weir_udp_send(socket, NULL, "connected", 9), 0);
    expect_bytes(fd, "connected");
    asked_stop(&asked);
    close(fd);
}

Test(datagram, connects_without_waiting)
{
    uint16_t port;
    int fd = plain_open(&port);
    struct asked asked = asked_start(2, "");
    weir_socket socket = open_passive(&asked);
    struct said one = {0};
    weir_address peer;
    cr_expect_eq(weir_udp_connect_to_async(socket, "loopback.test.", port, WAIT_MS, said, &one), 0);
    wait_for(&one, 1);
    cr_expect_eq(one.failures, 0);
    cr_expect_eq(weir_peername(socket, &peer), 0);
    cr_expect_eq(peer.port, port);
    asked_stop(&asked);
    close(fd);
}

/* All wait for one answer, which comes a round late. */
Test(datagram, those_to_one_name_keep_their_order)
{
    enum { COUNT = 100 };
    uint16_t port;
    int fd = plain_open(&port);
    struct asked asked = asked_start(2, "{timeout,300}.");
    weir_socket socket = open_passive(&asked);
    struct said all = {0};
    dns_server_set_silent(asked.server, true);
    for (int i = 0; i < COUNT; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", i);
        cr_assert_eq(weir_udp_send_to_async(socket, "loopback.test.", port, text, strlen(text),
                                            WAIT_MS, said, &all),
                     0);
    }
    while (dns_server_count(asked.server, "loopback.test") == 0)
        usleep(1000);
    cr_expect_eq(send_text(socket, "127.0.0.1", port, "to an address"), 0);
    expect_bytes(fd, "to an address");
    dns_server_set_silent(asked.server, false);
    for (int i = 0; i < COUNT; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", i);
        expect_bytes(fd, text);
    }
    wait_for(&all, COUNT);
    cr_expect_eq(all.failures, 0);
    asked_stop(&asked);
    close(fd);
}

Test(datagram, its_time_is_the_look_ups)
{
    uint16_t port;
    int fd = plain_open(&port);
    struct asked asked = asked_start(2, "{timeout,60000}.");
    weir_socket socket = open_passive(&asked);
    struct said one = {0};
    dns_server_set_silent(asked.server, true);
    cr_expect_eq(weir_udp_send_to(socket, "loopback.test.", port, "x", 1, 20), WEIR_TIMEOUT);
    cr_expect_eq(weir_udp_connect_to(socket, "loopback.test.", port, 0), WEIR_TIMEOUT);
    cr_expect_eq(weir_udp_send_to_async(socket, "loopback.test.", port, "x", 1, 20, said, &one), 0);
    wait_for(&one, 1);
    cr_expect_eq(one.last, WEIR_TIMEOUT);
    expect_nothing(fd);
    asked_stop(&asked);
    close(fd);
}

struct waiter {
    weir_socket socket;
    int result;
};

static void *wait_in_vain(void *data)
{
    struct waiter *waiter = data;
    waiter->result = weir_udp_send_to(waiter->socket, "loopback2.test.", 9, "x", 1, -1);
    return NULL;
}

/* The socket is closed while its names are looked up, or the runtime is stopped. */
Test(datagram, a_close_or_a_stop_meanwhile)
{
    for (int stops = 0; stops < 2; stops++) {
        struct asked asked = asked_start(2, "{timeout,60000}.");
        struct waiter waiter = {.socket = open_passive(&asked)};
        struct said one = {0};
        pthread_t thread;
        dns_server_set_silent(asked.server, true);
        cr_assert_eq(pthread_create(&thread, NULL, wait_in_vain, &waiter), 0);
        cr_assert_eq(weir_udp_send_to_async(waiter.socket, "loopback1.test.", 9, "x", 1,
                                            stops ? -1 : 500, said, &one),
                     0);
        while (dns_server_count(asked.server, "loopback1.test") == 0 ||
               dns_server_count(asked.server, "loopback2.test") == 0)
            usleep(1000);
        if (!stops) {
            weir_close(waiter.socket);
            dns_server_set_silent(asked.server, false);
            cr_assert_eq(weir_load_rc(asked.runtime, "",
                                      "{lookup,[file]}. {host,{127,0,0,1},[\"loopback1.test.\","
                                      "\"loopback2.test.\"]}. {hosts_file,\"\"}."),
                         0);
        }
        asked_stop(&asked);
        pthread_join(thread, NULL);
        cr_expect_eq(waiter.result, WEIR_CLOSED);
        cr_expect_eq(one.count, 1);
        cr_expect_eq(one.last, WEIR_CLOSED);
    }
}

/* A socket that is closed while the name that it sends to is looked up, which takes a minute. */
struct leaving {
    struct asked *asked;
    weir_socket socket;
    struct said sent;
    struct said connected;
    atomic_int told_by_gone; /* answers that had come by then + 1 */
};

static void leaves(weir_socket socket, void *data)
{
    struct leaving *leaving = data;
    (void)socket;
    atomic_store(&leaving->told_by_gone,
                 1 + atomic_load(&leaving->sent.count) + atomic_load(&leaving->connected.count));
}

static void ask_and_close(void *data)
{
    static const weir_handler handler = {.gone = leaves};
    struct leaving *leaving = data;
    cr_assert_eq(weir_udp_open(leaving->asked->runtime, 0, NULL, weir_handled_by(&handler, leaving),
                               &leaving->socket),
                 0);
    cr_assert_eq(weir_udp_send_to_async(leaving->socket, "loopback1.test.", 9, "x", 1, -1, said,
                                        &leaving->sent),
                 0);
    cr_assert_eq(weir_udp_connect_to_async(leaving->socket, "loopback2.test.", 9, -1, said,
                                           &leaving->connected),
                 0);
    weir_close(leaving->socket);
}

Test(datagram, gone_comes_after_the_calls_of_its_scheduler)
{
    struct asked asked = asked_start(2, "{timeout,60000}.");
    dns_server_set_silent(asked.server, true);
    for (uint32_t i = 0; i < 2; i++) {
        struct leaving leaving = {.asked = &asked};
        cr_assert_eq(weir_run_on(asked.runtime, i, ask_and_close, &leaving), 0);
        while (atomic_load(&leaving.told_by_gone) == 0)
            usleep(1000);
        cr_expect_eq(leaving.told_by_gone, 1 + 2);
        cr_expect_eq(leaving.sent.last, WEIR_CLOSED);
        cr_expect_eq(leaving.connected.last, WEIR_CLOSED);
        if (leaving.told_by_gone != 1 + 2) /* they would be answered into what is gone */
            exit(1);
    }
    asked_stop(&asked);
}

Test(datagram, a_close_ends_the_wait_of_a_thread)
{
    struct asked asked = asked_start(2, "{timeout,60000}.");
    struct waiter waiter = {.socket = open_passive(&asked)};
    pthread_t thread;
    dns_server_set_silent(asked.server, true);
    cr_assert_eq(pthread_create(&thread, NULL, wait_in_vain, &waiter), 0);
    while (dns_server_count(asked.server, "loopback2.test") == 0)
        usleep(1000);
    cr_expect_eq(weir_close(waiter.socket), 0);
    struct timespec until = {.tv_sec = time(NULL) + WAIT_MS / 1000};
    cr_assert_eq(pthread_timedjoin_np(thread, NULL, &until), 0);
    cr_expect_eq(waiter.result, WEIR_CLOSED);
    asked_stop(&asked);
}

struct killed {
    weir_socket socket;
    atomic_int result;
};

static int send_until_killed(void *data)
{
    struct killed *killed = data;
    atomic_store(&killed->result,
                 weir_udp_send_to(killed->socket, "loopback3.test.", 9, "x", 1, -1));
    return 0;
}

Test(datagram, a_process_that_waits_for_a_name_can_be_killed)
{
    struct asked asked = asked_start(2, "{timeout,60000}.");
    struct killed killed = {.socket = open_passive(&asked)};
    weir_process process;
    dns_server_set_silent(asked.server, true);
    cr_assert_eq(weir_spawn(asked.runtime, 0, send_until_killed, &killed, NULL, &process), 0);
    while (dns_server_count(asked.server, "loopback3.test") == 0)
        usleep(1000);
    cr_expect_eq(weir_kill(process), 0);
    for (int ms = 0; ms < WAIT_MS && atomic_load(&killed.result) == 0; ms++)
        usleep(1000);
    cr_expect_eq(killed.result, WEIR_KILLED);
    asked_stop(&asked);
}
