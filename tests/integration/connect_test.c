/* SPDX-License-Identifier: MIT */
/* Connecting: what can be wrong, and in which order addresses are tried. */
#include "support/loopback.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int connect_to(struct loopback *loopback, const char *host, int port, const char *text,
                      int64_t timeout_ms)
{
    weir_option *options;
    GIVES(weir_options_parse(text, &options), 0);
    int result = weir_tcp_connect(loopback->runtime, host, (uint16_t)port, options,
                                  weir_mailed_to(loopback->mailbox), timeout_ms, &loopback->socket);
    weir_options_free(options);
    return result;
}

/* A listener whose backlog is full: who connects gets no answer. */
struct full {
    int port;
    int fds[4];
    int count;
};

static struct full full_open(void)
{
    struct full full = {.count = 2};
    full.fds[0] = peer_listen(0, &full.port);
    full.fds[1] = peer_connect(full.port);
    return full;
}

static void full_close(struct full *full)
{
    for (int i = 0; i < full->count; i++)
        peer_leave(&full->fds[i]);
}

Test(connect, refused)
{
    struct loopback loopback = loopback_start(NULL);
    int port;
    int deaf = peer_bind(&port);
    GIVES(connect_to(&loopback, "127.0.0.1", port, "[]", WAIT_MS), -ECONNREFUSED);
    GIVES(connect_to(&loopback, "127.0.0.1", 0, "[]", WAIT_MS), -ECONNREFUSED);
    GIVES(connect_to(&loopback, "localhost", port, "[]", WAIT_MS), -ECONNREFUSED);
    peer_leave(&deaf);
    loopback_close(&loopback);
}

Test(connect, times_out)
{
    struct loopback loopback = loopback_start(NULL);
    struct full full = full_open();
    int port;
    int deaf = peer_bind(&port);
    int descriptors = descriptor_count();
    uint64_t before = now_ms();
    GIVES(connect_to(&loopback, "127.0.0.1", full.port, "[]", 150), WEIR_TIMEOUT);
    cr_expect(now_ms() - before >= 150);
    before = now_ms();
    GIVES(connect_to(&loopback, "127.0.0.1", full.port, "[]", 0), WEIR_TIMEOUT);
    cr_expect(now_ms() - before < AT_ONCE_MS);
    GIVES(connect_to(&loopback, "127.0.0.1", port, "[]", WAIT_MS), -ECONNREFUSED);
    EVENTUALLY(descriptor_count() == descriptors); /* what was given up is closed */
    peer_leave(&deaf);
    full_close(&full);
    loopback_close(&loopback);
}

Test(connect, bad_arguments)
{
    struct loopback loopback = loopback_start(NULL);
    GIVES(connect_to(&loopback, "", 1, "[]", WAIT_MS), WEIR_BADARG);
    GIVES(connect_to(&loopback, NULL, 1, "[]", WAIT_MS), WEIR_BADARG);
    GIVES(connect_to(&loopback, "127.0.0.1", 1, "[{backlog,5}]", WAIT_MS), WEIR_BADARG);
    GIVES(connect_to(&loopback, "127.0.0.1", 1, "[inet6]", WAIT_MS), -EAFNOSUPPORT);
    GIVES(connect_to(&loopback, "::1", 1, "[inet]", WAIT_MS), -EAFNOSUPPORT);
    GIVES(connect_to(&loopback, "127.0.0.1", 1, "[{ip,{192,0,2,1}}]", WAIT_MS), -EADDRNOTAVAIL);
    cr_expect(strcmp(weir_last_error_text(),
                     "cannot bind to 192.0.2.1:0: cannot assign requested address") == 0,
              "%s", weir_last_error_text());
    GIVES(connect_to(&loopback, "127.0.0.1", 1, "[{netns,\"/no/such\"}]", WAIT_MS), -ENOENT);
    cr_expect(strstr(weir_last_error_text(), "network namespace \"/no/such\"") != NULL, "%s",
              weir_last_error_text());
    GIVES(connect_to(&loopback, "no-such-host.invalid", 1, "[]", WAIT_MS), WEIR_NXDOMAIN);
    GIVES(weir_tcp_connect(loopback.runtime, "127.0.0.1", 1, WEIR_OPTIONS(), weir_owned_by_nobody(),
                           WAIT_MS, &loopback.socket),
          WEIR_BADARG);
    loopback_close(&loopback);
}

Test(connect, from_a_port_in_use)
{
    struct loopback loopback = loopback_start(NULL);
    char options[64];
    int port;
    int fd = peer_listen(1, &port);
    snprintf(options, sizeof(options), "[{ip,loopback},{port,%d}]", port);
    GIVES(connect_to(&loopback, "127.0.0.1", port, options, WAIT_MS), -EADDRINUSE);
    peer_leave(&fd);
    loopback_close(&loopback);
}

Test(connect, any_address_is_this_host)
{
    struct loopback loopback = loopback_start(NULL);
    loopback.listener = listen_with(loopback.runtime, "[]");
    GIVES(connect_to(&loopback, "0.0.0.0", weir_port(loopback.listener), "[]", WAIT_MS), 0);
    loopback_close(&loopback);
}

/* localhost has two addresses here when the hosts file says so; the listener is on one of them. */
Test(connect, tries_the_addresses_of_a_name)
{
    struct loopback loopback = loopback_start(NULL);
    loopback.listener = listen_with(loopback.runtime, "[]");
    GIVES(connect_to(&loopback, "localhost", weir_port(loopback.listener), "[]", WAIT_MS), 0);
    GIVES(weir_send(loopback.socket, "abc", 3), 0);
    loopback_close(&loopback);
}

Test(connect, options_apply)
{
    struct loopback loopback = loopback_start(NULL);
    loopback.listener = listen_with(loopback.runtime, "[]");
    GIVES(connect_to(&loopback, "127.0.0.1", weir_port(loopback.listener),
                     "[{active,once},{packet,2},{nodelay,true},{ip,{127,0,0,5}}]", WAIT_MS),
          0);
    weir_address address;
    GIVES(weir_sockname(loopback.socket, &address), 0);
    cr_expect(memcmp(address.bytes, "\177\0\0\5", 4) == 0);
    cr_expect(get(loopback.socket, WEIR_OPTION_ACTIVE) == WEIR_ACTIVE_ONCE);
    cr_expect(get(loopback.socket, WEIR_OPTION_PACKET) == WEIR_2);
    cr_expect(get(loopback.socket, WEIR_OPTION_NODELAY) == true);
    loopback_close(&loopback);
}

/* The runtime's own defaults: the caller overrides them, {active,_} among them is passed over. */
Test(connect, defaults_of_the_runtime)
{
    struct loopback loopback =
        loopback_start(&(weir_config){.schedulers = 1,
                                      .default_connect_options = "[{packet,2},{active,false}]",
                                      .default_listen_options = "[{packet,1},{nodelay,true}]"});
    loopback.listener = listen_with(loopback.runtime, "[{nodelay,false}]");
    GIVES(connect_to(&loopback, "127.0.0.1", weir_port(loopback.listener), "[]", WAIT_MS), 0);
    cr_expect(get(loopback.socket, WEIR_OPTION_PACKET) == WEIR_2);
    cr_expect(get(loopback.socket, WEIR_OPTION_ACTIVE) == WEIR_ACTIVE_TRUE);
    cr_expect(get(loopback.listener, WEIR_OPTION_PACKET) == WEIR_1);
    cr_expect(get(loopback.listener, WEIR_OPTION_NODELAY) == false);
    loopback_close(&loopback);
}

/* _async: exactly once, and never before it has returned. */
struct asking {
    weir_runtime *runtime;
    weir_mailbox *mailbox;
    const char *host;
    uint16_t port;
    int64_t timeout_ms;
    struct answer answer;
    bool returned;
    bool early;
};

static void opened(weir_socket socket, int result, void *data)
{
    struct asking *asking = data;
    asking->early = !asking->returned;
    answer_opened(socket, result, &asking->answer);
}

static void ask(void *data)
{
    struct asking *asking = data;
    int result =
        weir_tcp_connect_async(asking->runtime, asking->host, asking->port, WEIR_OPTIONS(),
                               weir_mailed_to(asking->mailbox), asking->timeout_ms, opened, asking);
    cr_expect(result == 0, "%s", result_text(result));
    asking->returned = true;
}

static int ask_there(struct loopback *loopback, const char *host, int port, int64_t timeout_ms)
{
    struct asking asking = {.runtime = loopback->runtime,
                            .mailbox = loopback->mailbox,
                            .host = host,
                            .port = (uint16_t)port,
                            .timeout_ms = timeout_ms};
    run_there(loopback->runtime, 0, ask, &asking);
    int result = answer_wait(&asking.answer);
    settle(loopback->listener);
    cr_expect(!asking.early, "%s: called back too early", host);
    cr_expect(answer_count(&asking.answer) == 1);
    if (result == 0)
        weir_close(asking.answer.socket);
    return result;
}

Test(connect, from_a_scheduler)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    struct full full = full_open();
    loopback.listener = listen_with(loopback.runtime, "[{backlog,100}]");
    int port = weir_port(loopback.listener);
    GIVES(ask_there(&loopback, "127.0.0.1", port, WAIT_MS), 0);
    GIVES(ask_there(&loopback, "localhost", port, WAIT_MS), 0);
    int refusing;
    int deaf = peer_bind(&refusing);
    GIVES(ask_there(&loopback, "127.0.0.1", refusing, WAIT_MS), -ECONNREFUSED);
    peer_leave(&deaf);
    GIVES(ask_there(&loopback, "no-such-host.invalid", port, WAIT_MS), WEIR_NXDOMAIN);
    GIVES(ask_there(&loopback, "127.0.0.1", full.port, 50), WEIR_TIMEOUT);
    full_close(&full);
    loopback_close(&loopback);
}

/* A runtime that stops answers those who wait for a name, a connection or its time to be up. */
Test(connect, stop_answers)
{
    struct full full = full_open();
    struct loopback loopback = loopback_start(NULL);
    struct asking asking[] = {
        {.host = "127.0.0.1", .port = (uint16_t)full.port, .timeout_ms = WEIR_INFINITY},
        {.host = "localhost", .port = (uint16_t)full.port, .timeout_ms = WEIR_INFINITY},
        {.host = "localhost", .port = (uint16_t)full.port, .timeout_ms = 60000},
    };
    enum { COUNT = sizeof(asking) / sizeof(asking[0]) };
    for (int i = 0; i < COUNT; i++) {
        asking[i].runtime = loopback.runtime;
        asking[i].mailbox = loopback.mailbox;
        run_there(loopback.runtime, 0, ask, &asking[i]);
    }
    loopback_close(&loopback);
    for (int i = 0; i < COUNT; i++) {
        cr_expect(answer_count(&asking[i].answer) == 1, "%d was called back %u times", i,
                  answer_count(&asking[i].answer));
        cr_expect(asking[i].answer.result < 0);
    }
    full_close(&full);
}
