/* SPDX-License-Identifier: MIT */
/* Connecting by name. */
#include "asked.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int connect_with(struct asked *asked, const char *host, int port, const weir_option *options,
                        int64_t timeout_ms)
{
    weir_socket socket;
    int result = weir_tcp_connect(asked->runtime, host, (uint16_t)port, options,
                                  weir_owned_by_nobody(), timeout_ms, &socket);
    if (result == 0)
        weir_close(socket);
    return result;
}

static int connect_to(struct asked *asked, const char *host, int port, int64_t timeout_ms)
{
    return connect_with(asked, host, port, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                        timeout_ms);
}

/* From a scheduler, or from a thread that does not wait. */
struct opened {
    struct asked *asked;
    const char *host;
    int port;
    int64_t timeout_ms;
    const weir_option *options;
    int result;
    bool done;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static void opened(weir_socket socket, int result, void *data)
{
    struct opened *opened = data;
    if (result == 0)
        weir_close(socket);
    pthread_mutex_lock(&opened->lock);
    opened->result = result;
    opened->done = true;
    pthread_cond_signal(&opened->changed);
    pthread_mutex_unlock(&opened->lock);
}

static void open_async(void *data)
{
    struct opened *here = data;
    int result = weir_tcp_connect_async(here->asked->runtime, here->host, (uint16_t)here->port,
                                        here->options, weir_owned_by_nobody(), here->timeout_ms,
                                        opened, here);
    if (result < 0)
        opened((weir_socket){0}, result, here);
}

static int open_and_wait(struct opened *here, bool on_scheduler)
{
    pthread_mutex_init(&here->lock, NULL);
    pthread_cond_init(&here->changed, NULL);
    if (on_scheduler)
        cr_assert_eq(weir_run_on(here->asked->runtime, 0, open_async, here), 0);
    else
        open_async(here);
    pthread_mutex_lock(&here->lock);
    while (!here->done)
        pthread_cond_wait(&here->changed, &here->lock);
    pthread_mutex_unlock(&here->lock);
    return here->result;
}

static int connect_async(struct asked *asked, const char *host, int port, bool on_scheduler)
{
    struct opened here = {
        .asked = asked,
        .host = host,
        .port = port,
        .timeout_ms = WAIT_MS,
        .options = WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_HAPPY_EYEBALLS(100)),
    };
    return open_and_wait(&here, on_scheduler);
}

Test(connect, by_name)
{
    int port;
    struct asked asked = asked_start(2, "");
    int listener = peer_listen(5, &port);
    cr_expect_eq(connect_to(&asked, "loopback.test", port, WAIT_MS), 0);
    cr_expect_str_eq(weir_last_error_text(), "");
    cr_expect_eq(dns_server_count(asked.server, "loopback.test"), 1u, "for one family");
    cr_expect_eq(connect_to(&asked, "nx.test", port, WAIT_MS), WEIR_NXDOMAIN);
    cr_expect_eq(connect_to(&asked, "a b", port, WAIT_MS), -EINVAL);
    for (int on_scheduler = 0; on_scheduler < 2; on_scheduler++) {
        cr_expect_eq(connect_async(&asked, "loopback.test", port, on_scheduler), 0);
        cr_expect_eq(connect_async(&asked, "nx.test", port, on_scheduler), WEIR_NXDOMAIN);
        cr_expect_eq(connect_async(&asked, "a b", port, on_scheduler), -EINVAL);
    }
    close(listener);
    asked_stop(&asked);
}

/* 127.0.0.2 and .3 refuse, as nobody listens there. */
Test(connect, several_addresses_in_order)
{
    int port;
    struct asked asked = asked_start(1, "{lookup,[file]}. {host,{127,0,0,2},[\"many\"]}. "
                                        "{host,{127,0,0,3},[\"many\"]}. "
                                        "{host,{127,0,0,1},[\"many\",\"few\"]}. "
                                        "{host,{127,0,0,4},[\"none\"]}.");
    int listener = peer_listen(5, &port);
    cr_expect_eq(connect_to(&asked, "many", port, WAIT_MS), 0);
    cr_expect_eq(connect_to(&asked, "none", port, WAIT_MS), -ECONNREFUSED);
    close(listener);
    asked_stop(&asked);
}

Test(connect, its_time_out_covers_the_look_up)
{
    struct asked asked = asked_start(1, "{timeout,60000}.");
    cr_expect_eq(connect_to(&asked, "silent.test", 1, 30), WEIR_TIMEOUT);
    asked_stop(&asked);
}

static void fill_backlog(int listener, int fillers[8])
{
    struct sockaddr_in name;
    socklen_t size = sizeof(name);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&name, &size), 0);
    for (int i = 0; i < 8; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(fillers[i], (struct sockaddr *)&name, sizeof(name));
    }
}

/* Connecting to it waits: its backlog is full. */
static int deaf_listener(const char *address, int port, int fillers[8])
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    weir_address parsed;
    cr_assert_eq(weir_address_parse(address, &parsed), 0);
    memcpy(&name.sin_addr, parsed.bytes, 4);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    cr_assert_eq(listen(fd, 0), 0);
    fill_backlog(fd, fillers);
    return fd;
}

/* A look-up takes 1,200 ms: only the second name server says anything. */
static struct asked start_slowly(void)
{
    struct asked asked =
        asked_start(1, "{timeout,1200}. {retry,1}. {nameserver,{127,0,0,1},%2$u}.");
    dns_server_set_silent(asked.server, true);
    return asked;
}

/* What is over by `most_ms` has not been given the time that the look-up took once more. */
static void expect_in_time(int result, uint64_t began_ms, uint64_t least_ms, uint64_t most_ms)
{
    uint64_t spent_ms = now_ms() - began_ms;
    cr_expect_eq(result, WEIR_TIMEOUT);
    cr_expect(spent_ms >= least_ms && spent_ms < most_ms, "%lu ms", (unsigned long)spent_ms);
}

Test(connect, its_time_out_covers_a_slow_look_up_and_what_follows)
{
    int port;
    int fillers[8];
    struct asked asked = start_slowly();
    int deaf = peer_listen(0, &port);
    fill_backlog(deaf, fillers);
    uint64_t began_ms = now_ms();
    expect_in_time(connect_to(&asked, "loopback.test", port, 1500), began_ms, 1500, 2700);
    for (int on_scheduler = 0; on_scheduler < 2; on_scheduler++) {
        struct opened here = {
            .asked = &asked,
            .host = on_scheduler ? "loopback1.test" : "loopback2.test",
            .port = port,
            .timeout_ms = 1500,
            .options = WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
        };
        began_ms = now_ms();
        expect_in_time(open_and_wait(&here, on_scheduler), began_ms, 1500, 2700);
    }
    for (int i = 0; i < 8; i++)
        close(fillers[i]);
    close(deaf);
    asked_stop(&asked);
}

/* The first family's took most of it. */
Test(connect, its_time_out_covers_the_look_ups_of_both_families)
{
    int port;
    struct asked asked = start_slowly();
    int nobody = peer_bind(&port);
    const weir_option *happy =
        WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_HAPPY_EYEBALLS(30));
    uint64_t began_ms = now_ms();
    int result = connect_with(&asked, "loopback.test", port, happy, 1300);
    cr_expect(result == WEIR_TIMEOUT || result == -ECONNREFUSED, "%s", weir_error_name(result));
    cr_expect(now_ms() - began_ms < 2200, "%lu ms", (unsigned long)(now_ms() - began_ms));
    close(nobody);
    asked_stop(&asked);
}

Test(connect, happy_eyeballs_do_not_wait_for_a_deaf_address)
{
    int port;
    int fillers[8];
    struct asked asked = asked_start(1, "{lookup,[file]}. {host,{127,0,0,2},[\"deaf\"]}. "
                                        "{host,{127,0,0,1},[\"deaf\"]}.");
    int listener = peer_listen(5, &port);
    int deaf = deaf_listener("127.0.0.2", port, fillers);
    const weir_option *happy =
        WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_HAPPY_EYEBALLS(30));
    cr_expect_eq(connect_to(&asked, "deaf", port, 200), WEIR_TIMEOUT, "one behind the other");
    cr_expect_eq(connect_with(&asked, "deaf", port, happy, AT_ONCE_MS), 0);
    cr_expect_eq(connect_async(&asked, "deaf", port, true), 0);
    cr_expect_eq(connect_async(&asked, "deaf", port, false), 0);
    for (int i = 0; i < 8; i++)
        close(fillers[i]);
    close(deaf);
    cr_expect_eq(connect_with(&asked, "deaf", port, happy, AT_ONCE_MS), 0, "one refuses");
    close(listener);
    cr_expect_eq(connect_with(&asked, "deaf", port, happy, AT_ONCE_MS), -ECONNREFUSED);
    asked_stop(&asked);
}

Test(connect, happy_eyeballs_try_both_families)
{
    int port;
    struct asked asked = asked_start(1, "");
    int listener = peer_listen(5, &port); /* on IPv4 */
    const weir_option *happy =
        WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_HAPPY_EYEBALLS(30));
    cr_expect_eq(connect_with(&asked, "loopback.test", port, happy, AT_ONCE_MS), 0);
    cr_expect_eq(dns_server_count(asked.server, "loopback.test"), 2u);
    cr_expect_eq(connect_with(&asked, "nx.test", port, happy, AT_ONCE_MS), WEIR_NXDOMAIN);
    close(listener);
    asked_stop(&asked);
}

Test(connect, happy_eyeballs_that_time_out)
{
    int fillers[2][8];
    int port;
    struct asked asked = asked_start(1, "{lookup,[file]}. {host,{127,0,0,2},[\"deaf\"]}. "
                                        "{host,{127,0,0,3},[\"deaf\"]}.");
    int taken = peer_bind(&port);
    int deaf[2] = {deaf_listener("127.0.0.2", port, fillers[0]),
                   deaf_listener("127.0.0.3", port, fillers[1])};
    const weir_option *happy =
        WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_HAPPY_EYEBALLS(10));
    cr_expect_eq(connect_with(&asked, "deaf", port, happy, 100), WEIR_TIMEOUT);
    for (int i = 0; i < 2; i++)
        close(deaf[i]);
    for (int i = 0; i < 16; i++)
        close(fillers[i / 8][i % 8]);
    close(taken);
    asked_stop(&asked);
}

/* ::1 and 127.0.0.1 with the same port. */
struct both_listen {
    int inet6;
    int inet;
    int port;
};

enum { BACKLOG = 64 }; /* nobody accepts */

static bool listen_again(int fd, const void *name, socklen_t size)
{
    return bind(fd, name, size) == 0 && listen(fd, BACKLOG) == 0;
}

static struct both_listen listen_on_both(void)
{
    struct both_listen both;
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    do { /* somebody else may have it */
        both.inet = peer_listen(BACKLOG, &both.port);
        both.inet6 = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        name.sin6_port = htons((uint16_t)both.port);
        if (listen_again(both.inet6, &name, sizeof(name)))
            return both;
        close(both.inet6);
        close(both.inet);
    } while (errno == EADDRINUSE);
    cr_assert_fail("no listener on ::1: %s", strerror(errno));
    return both;
}

/* Addresses in their order, ::1 and 127.0.0.1 as the last: M is one of multicast, which no
 * connection is made to, x one where nobody listens. */
static const struct race {
    const char *inet6;
    const char *inet;
    enum weir_family wins;
} races[] = {
    {"1", "1", WEIR_INET6},
    {"M1", "1", WEIR_INET},
    {"M1", "x1", WEIR_INET6},
    {"MM1", "x1", WEIR_INET},
    {"MM1", "xx1", WEIR_INET6},
    {"M", "xx1", WEIR_INET},
    {"MMM1", "x", WEIR_INET6},
    {"MM", "xxx1", WEIR_INET},
    {"MMM1", "xxx1", WEIR_INET6},
    {"MMM", "xx1", WEIR_INET},
    {"", "x1", WEIR_INET},
    {"M1", "", WEIR_INET6},
    {"MMMMMMM1", "xxxxxxx1", WEIR_INET6},
};

/* An address, and the names of all who have it: their letter of that place is this one. */
static size_t write_host(char *text, size_t size, const char *address, bool is_inet6, size_t place,
                         char letter)
{
    size_t length = (size_t)snprintf(text, size, "{host,%s,[\"nobody\"", address);
    for (size_t i = 0; i < sizeof(races) / sizeof(races[0]); i++) {
        const char *its = is_inet6 ? races[i].inet6 : races[i].inet;
        const char *at = letter == '1'         ? strchr(its, '1')
                         : strlen(its) > place ? its + place
                                               : NULL;
        if (at && *at == letter)
            length += (size_t)snprintf(text + length, size - length, ",\"race%zu\"", i);
    }
    return length + (size_t)snprintf(text + length, size - length, "]}. ");
}

static const char *host_terms(void)
{
    enum { DEAF_MOST = 7 };
    static char terms[8192];
    char address[64];
    size_t length = (size_t)snprintf(terms, sizeof(terms), "{lookup,[file]}. ");
    for (size_t i = 0; i < DEAF_MOST; i++) {
        snprintf(address, sizeof(address), "{65282,0,0,0,0,0,0,%zu}", i + 1);
        length += write_host(terms + length, sizeof(terms) - length, address, true, i, 'M');
        snprintf(address, sizeof(address), "{127,0,1,%zu}", i + 1);
        length += write_host(terms + length, sizeof(terms) - length, address, false, i, 'x');
    }
    length += write_host(terms + length, sizeof(terms) - length, "{0,0,0,0,0,0,0,1}", true, 0, '1');
    (void)write_host(terms + length, sizeof(terms) - length, "{127,0,0,1}", false, 0, '1');
    return terms;
}

static struct answer connected;

static enum weir_family family_of_peer(weir_socket socket)
{
    weir_address peer = {.family = WEIR_ANY_FAMILY};
    cr_expect_eq(weir_peername(socket, &peer), 0);
    weir_close(socket);
    return (enum weir_family)peer.family;
}

static void connect_by_happy_eyeballs(weir_runtime *runtime, const char *host, int port,
                                      enum weir_family wins)
{
    const weir_option *options =
        WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_HAPPY_EYEBALLS(AT_ONCE_MS));
    weir_socket socket;
    GIVES(weir_tcp_connect(runtime, host, (uint16_t)port, options, weir_owned_by_nobody(), WAIT_MS,
                           &socket),
          0);
    cr_expect_eq(family_of_peer(socket), wins, "%s", host);
    connected = (struct answer){.count = 0};
    GIVES(weir_tcp_connect_async(runtime, host, (uint16_t)port, options, weir_owned_by_nobody(),
                                 WAIT_MS, answer_opened, &connected),
          0);
    GIVES(answer_wait(&connected), 0);
    cr_expect_eq(family_of_peer(connected.socket), wins, "%s, async", host);
}

/* As RFC 8305 has it; when those of one are over the others follow. */
Test(connect, the_families_take_turns)
{
    const weir_config config = {.schedulers = 1, .inet_terms = host_terms()};
    struct loopback loopback = loopback_start(&config);
    struct both_listen both = listen_on_both();
    for (size_t i = 0; i < sizeof(races) / sizeof(races[0]); i++) {
        char host[16];
        snprintf(host, sizeof(host), "race%zu", i);
        connect_by_happy_eyeballs(loopback.runtime, host, both.port, races[i].wins);
    }
    close(both.inet6);
    close(both.inet);
    loopback_close(&loopback);
}

/* 16 are tried. */
Test(connect, no_more_addresses_than_there_is_room_for)
{
    char terms[2048];
    int port;
    size_t length = (size_t)snprintf(terms, sizeof(terms), "{lookup,[file]}. ");
    for (int i = 0; i < 17; i++)
        length += (size_t)snprintf(terms + length, sizeof(terms) - length,
                                   "{host,{127,0,%d,1},[\"many\"%s]}. ", 16 - i,
                                   i > 0 ? ",\"fewer\"" : "");
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 1, .inet_terms = terms});
    struct asked asked = {.runtime = loopback.runtime};
    int listener = peer_listen(5, &port);
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(connect_to(&asked, "fewer", port, WAIT_MS), 0);
        cr_expect_eq(connect_to(&asked, "many", port, WAIT_MS), -ECONNREFUSED);
    }
    cr_expect_eq(connect_async(&asked, "fewer", port, false), 0);
    cr_expect_eq(connect_async(&asked, "many", port, false), -ECONNREFUSED);
    close(listener);
    loopback_close(&loopback);
}

/* The second family has what room the first has left: 16 or 15 to which no connection is made are
 * in front of the one where somebody listens. */
Test(connect, no_more_addresses_of_both_families_than_there_is_room_for)
{
    char terms[2048];
    int port;
    size_t length = (size_t)snprintf(terms, sizeof(terms),
                                     "{lookup,[file]}. {host,{127,0,0,1},[\"full\",\"room\"]}. ");
    for (int i = 0; i < 16; i++)
        length += (size_t)snprintf(terms + length, sizeof(terms) - length,
                                   "{host,{65282,0,0,0,0,0,0,%d},[\"full\"%s]}. ", i + 1,
                                   i > 0 ? ",\"room\"" : "");
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 1, .inet_terms = terms});
    struct asked asked = {.runtime = loopback.runtime};
    int listener = peer_listen(5, &port);
    const weir_option *happy =
        WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_HAPPY_EYEBALLS(30));
    cr_expect_eq(connect_with(&asked, "room", port, happy, WAIT_MS), 0);
    cr_expect_lt(connect_with(&asked, "full", port, happy, WAIT_MS), 0);
    cr_expect_eq(connect_async(&asked, "room", port, false), 0);
    cr_expect_lt(connect_async(&asked, "full", port, false), 0);
    close(listener);
    loopback_close(&loopback);
}

/* The family that is asked for is the options', or else the inet configuration's. What looks like
 * an address of an interface is no name. */
Test(connect, asks_for_one_family)
{
    static const char hosts[] = "{lookup,[file]}. {host,{0,0,0,0,0,0,0,1},[\"six\"]}. "
                                "{host,{127,0,0,1},[\"four\",\"fe80::1%none\"]}. ";
    struct both_listen both = listen_on_both();
    for (int is_inet6 = 0; is_inet6 < 2; is_inet6++) {
        char terms[256];
        snprintf(terms, sizeof(terms), "%s{inet6,%s}.", hosts, is_inet6 ? "true" : "false");
        struct loopback loopback =
            loopback_start(&(weir_config){.schedulers = 1, .inet_terms = terms});
        struct asked asked = {.runtime = loopback.runtime};
        const char *names[] = {is_inet6 ? "six" : "four", is_inet6 ? "four" : "six"};
        for (int i = 0; i < 2; i++) {
            struct opened by = {.asked = &asked,
                                .host = names[i],
                                .port = both.port,
                                .timeout_ms = WAIT_MS,
                                .options = WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE))};
            int expected = i == 0 ? 0 : WEIR_NXDOMAIN;
            cr_expect_eq(connect_to(&asked, names[i], both.port, WAIT_MS), expected, "%s",
                         names[i]);
            cr_expect_eq(open_and_wait(&by, false), expected, "%s, async", names[i]);
        }
        const weir_option *inet = WEIR_OPTIONS(WEIR_INET(), WEIR_ACTIVE(WEIR_ACTIVE_FALSE));
        cr_expect_eq(connect_with(&asked, "four", both.port, inet, WAIT_MS), 0);
        cr_expect_eq(connect_to(&asked, "fe80::1%none", both.port, WAIT_MS), WEIR_NXDOMAIN);
        loopback_close(&loopback);
    }
    close(both.inet6);
    close(both.inet);
}
