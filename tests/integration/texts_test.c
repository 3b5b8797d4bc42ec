/* SPDX-License-Identifier: MIT */
/* Every call that fails leaves a text of its own, also those that need no socket (for the others
 * see states_test.c). */
#include "support/loopback.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct loopback loopback;
static weir_socket unused;

static int start_wrongly(void)
{
    weir_runtime *runtime;
    return weir_start(&runtime, &(weir_config){.buffer_count = 3});
}

static int ask_for_no_scheduler(void)
{
    weir_totals totals;
    return weir_get_totals(loopback.runtime, 99, &totals);
}

static void do_nothing(void *data)
{
    (void)data;
}

static int run_on_no_scheduler(void)
{
    return weir_run_on(loopback.runtime, 99, do_nothing, NULL);
}

static int poll_an_empty_mailbox(void)
{
    weir_message message;
    return weir_mailbox_receive(loopback.mailbox, 0, &message);
}

static int listen_to_a_name(void)
{
    return weir_tcp_listen(loopback.runtime, "localhost", 0, NULL, &unused);
}

static int listen_where_somebody_listens(void)
{
    uint16_t port = (uint16_t)weir_port(loopback.listener);
    return weir_tcp_listen(loopback.runtime, "127.0.0.1", port, NULL, &unused);
}

static int serve_for_nobody(void)
{
    return weir_tcp_serve(loopback.runtime, NULL, 0, NULL, weir_owned_by_nobody(), &unused);
}

static int connect_to_nobody(void)
{
    int port;
    int fd = peer_bind(&port);
    int result = weir_tcp_connect(loopback.runtime, "127.0.0.1", (uint16_t)port, NULL,
                                  weir_mailed_to(loopback.mailbox), WAIT_MS, &unused);
    peer_leave(&fd);
    return result;
}

static int connect_without_a_host(void)
{
    return weir_tcp_connect(loopback.runtime, "", 1, NULL, weir_mailed_to(loopback.mailbox),
                            WAIT_MS, &unused);
}

static int connect_without_an_owner(void)
{
    return weir_tcp_connect(loopback.runtime, "127.0.0.1", 1, NULL, weir_owned_by_nobody(), WAIT_MS,
                            &unused);
}

static int accept_nobody(void)
{
    return weir_tcp_accept(loopback.listener, weir_owned_by_nobody(), 0, &unused);
}

static int parse_no_option(void)
{
    weir_option *options;
    return weir_options_parse("{packt,4}", &options);
}

static int parse_no_request(void)
{
    weir_option *options;
    size_t count;
    return weir_options_parse_request("[raw]", &options, &count);
}

static int format_no_option(void)
{
    return weir_options_format(WEIR_OPTIONS(WEIR_PACKET(99)), NULL, 0);
}

static int parse_no_address(void)
{
    weir_address address;
    return weir_address_parse("1.2.3.4.5", &address);
}

static int parse_no_endpoint(void)
{
    weir_address address;
    return weir_address_parse_endpoint("1.2.3.4", &address);
}

static const struct {
    int (*call)(void);
    int error;
    const char *says;
} rows[] = {
    {start_wrongly, -EINVAL, "buffer_count: 3 is not a power of two"},
    {ask_for_no_scheduler, -EINVAL, "scheduler 99: there are 1"},
    {run_on_no_scheduler, -EINVAL, "scheduler 99: there are 1"},
    {poll_an_empty_mailbox, WEIR_TIMEOUT, "weir_mailbox_receive: timed out"},
    {listen_to_a_name, WEIR_BADARG, "names are not looked up"},
    {listen_where_somebody_listens, -EADDRINUSE, ": address already in use"},
    {serve_for_nobody, WEIR_BADARG, "connections need an owner"},
    {connect_to_nobody, -ECONNREFUSED, ": connection refused"},
    {connect_to_nobody, -ECONNREFUSED, "cannot connect to 127.0.0.1:"},
    {connect_without_a_host, WEIR_BADARG, "no host"},
    {connect_without_an_owner, WEIR_BADARG, "needs an owner"},
    {accept_nobody, WEIR_TIMEOUT, "weir_tcp_accept: timed out"},
    {parse_no_option, -EINVAL, "did you mean 'packet'?"},
    {parse_no_request, -EINVAL, "raw needs a value"},
    {format_no_option, -EINVAL, "option packet: 99 is none of"},
    {parse_no_address, -EINVAL, "'1.2.3.4.5' is not an address"},
    {parse_no_endpoint, -EINVAL, "has no port"},
};

static void leave_another_text(void)
{
    weir_address address;
    cr_assert(weir_address_parse("stale", &address) == -EINVAL);
}

Test(texts, are_fresh_after_every_failure)
{
    loopback = loopback_open("[{active,false}]");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        leave_another_text();
        int result = rows[i].call();
        const char *text = weir_last_error_text();
        cr_expect(result == rows[i].error, "row %zu gives %s: %s", i, result_text(result), text);
        cr_expect(strstr(text, rows[i].says) != NULL, "row %zu: '%s', not '%s'", i, text,
                  rows[i].says);
    }
    loopback_close(&loopback);
}

static char told[160];

static void copy_text(weir_socket socket, int result, void *answer)
{
    snprintf(told, sizeof(told), "%s", weir_last_error_text());
    answer_opened(socket, result, answer);
}

static int connect_async(const char *host, uint16_t port, struct answer *answer)
{
    return weir_tcp_connect_async(loopback.runtime, host, port, NULL,
                                  weir_mailed_to(loopback.mailbox), WAIT_MS, copy_text, answer);
}

/* In the callback, which runs elsewhere and later. */
Test(texts, of_a_call_that_calls_back)
{
    int port;
    char expected[80];
    struct answer answer = {.count = 0};
    loopback = loopback_open("[{active,false}]");
    int fd = peer_bind(&port);
    snprintf(expected, sizeof(expected), "cannot connect to 127.0.0.1:%d: connection refused",
             port);
    GIVES(connect_async("127.0.0.1", (uint16_t)port, &answer), 0);
    cr_expect(answer_wait(&answer) == -ECONNREFUSED);
    cr_expect_str_eq(told, expected);
    answer = (struct answer){.count = 0};
    GIVES(connect_async("unix:@nobody/listens/here", 0, &answer), 0);
    cr_expect(answer_wait(&answer) == -ECONNREFUSED);
    cr_expect_str_eq(told, "cannot connect to unix:@nobody/listens/here: connection refused");
    answer = (struct answer){.count = 0};
    GIVES(connect_async("127.0.0.1", (uint16_t)weir_port(loopback.listener), &answer), 0);
    GIVES(answer_wait(&answer), 0);
    cr_expect_str_eq(told, "");
    peer_leave(&fd);
    loopback_close(&loopback);
}
