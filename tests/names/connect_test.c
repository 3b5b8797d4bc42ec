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
