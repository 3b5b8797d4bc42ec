/* SPDX-License-Identifier: MIT */
/* Every call that fails leaves a text of its own, also those that need no socket (for the others
 * see states_test.c). */
#include "support/loopback.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
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
    return weir_get_totals(loopback.runtime, 1, &totals);
}

static int ask_for_fewer_than_all(void)
{
    weir_totals totals;
    return weir_get_totals(loopback.runtime, -2, &totals);
}

static void do_nothing(void *data)
{
    (void)data;
}

static int run_on_no_scheduler(void)
{
    return weir_run_on(loopback.runtime, 1, do_nothing, NULL);
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

static int connect_over_no_interface(void)
{
    return weir_tcp_connect(loopback.runtime, "fe80::1%none", 1, NULL,
                            weir_mailed_to(loopback.mailbox), WAIT_MS, &unused);
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
    {ask_for_no_scheduler, -EINVAL, "scheduler 1: there are 1"},
    {ask_for_fewer_than_all, -EINVAL, "scheduler -2: there are 1"},
    {run_on_no_scheduler, -EINVAL, "scheduler 1: there are 1"},
    {poll_an_empty_mailbox, WEIR_TIMEOUT, "weir_mailbox_receive: timed out"},
    {listen_to_a_name, WEIR_BADARG, "names are not looked up"},
    {listen_where_somebody_listens, -EADDRINUSE, ": address already in use"},
    {serve_for_nobody, WEIR_BADARG, "connections need an owner"},
    {connect_to_nobody, -ECONNREFUSED, ": connection refused"},
    {connect_to_nobody, -ECONNREFUSED, "cannot connect to 127.0.0.1:"},
    {connect_without_a_host, WEIR_BADARG, "no host"},
    {connect_over_no_interface, WEIR_NXDOMAIN, "there is no interface"},
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

/* Calls that need no socket and go well. */

static weir_process sleeper;

static int sleep_for_ever(void *nothing)
{
    (void)nothing;
    return weir_sleep(WEIR_INFINITY);
}

static weir_runtime *another;

static int start_another(void)
{
    const weir_config config = {.schedulers = 1, .default_connect_options = "[{packet,4}]"};
    return weir_start(&another, &config);
}

static int drain_it(void)
{
    return weir_drain(another, 0);
}

static int stop_it(void)
{
    return weir_stop(another);
}

static int ask_for_totals(void)
{
    weir_totals totals;
    return weir_get_totals(loopback.runtime, 0, &totals);
}

static int ask_for_turn_times(void)
{
    weir_turn_times times;
    return weir_get_turn_times(loopback.runtime, 0, &times);
}

static int ask_for_metrics(void)
{
    return weir_metrics(loopback.runtime, NULL, 0);
}

static int ask_for_a_feature(void)
{
    return weir_feature(loopback.runtime, 0, NULL) ? 0 : -1;
}

static int count_schedulers(void)
{
    return (int)weir_scheduler_count(loopback.runtime);
}

static int ask_where_it_is(void)
{
    return weir_scheduler_of(loopback.listener);
}

static void work(weir_socket socket, int result, void *socket_data, void *data)
{
    (void)socket;
    (void)result;
    (void)socket_data;
    (void)data;
}

static int run_for_it(void)
{
    return weir_run_for(loopback.listener, work, NULL);
}

static void visit(weir_socket socket, void *socket_data, void *data)
{
    (void)socket;
    (void)socket_data;
    (void)data;
}

static void visit_all(void *data)
{
    weir_address address;
    char *text = data;
    cr_expect(weir_address_parse("stale", &address) == -EINVAL);
    cr_expect(weir_each_socket(visit, NULL) == 1);
    snprintf(text, 160, "%s", weir_last_error_text());
}

static int visit_each(void)
{
    static char text[160];
    run_there(loopback.runtime, 0, visit_all, text);
    cr_expect_str_eq(text, "");
    return 0;
}

static int run_something(void)
{
    return weir_run_on(loopback.runtime, 0, do_nothing, NULL);
}

static void fire(weir_timer timer, void *data)
{
    (void)timer;
    (void)data;
}

static int start_a_timer(void)
{
    return weir_timer_start(loopback.runtime, 0, 0, 0, fire, NULL, NULL);
}

static int cancel_a_timer(void)
{
    weir_timer timer;
    int result = weir_timer_start(loopback.runtime, 0, WAIT_MS, 0, fire, NULL, &timer);
    weir_address address;
    cr_expect(weir_address_parse("stale", &address) == -EINVAL);
    return result < 0 ? result : weir_timer_cancel(timer);
}

static int broadcast_something(void)
{
    return weir_broadcast(loopback.runtime, &(weir_owned_bytes){.released = do_nothing}, NULL);
}

static int listen_somewhere(void)
{
    return weir_tcp_listen(loopback.runtime, "127.0.0.1", 0, NULL, &unused);
}

static int serve_somewhere(void)
{
    return weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, NULL, weir_mailed_to(loopback.mailbox),
                          &unused);
}

static int connect_somewhere(void)
{
    int port = weir_port(loopback.listener);
    leave_another_text();
    return weir_tcp_connect(loopback.runtime, "127.0.0.1", (uint16_t)port, NULL,
                            weir_mailed_to(loopback.mailbox), WAIT_MS, &unused);
}

static int open_somewhere(void)
{
    return weir_udp_open(loopback.runtime, 0, NULL, weir_mailed_to(loopback.mailbox), &unused);
}

static int serve_datagrams(void)
{
    return weir_udp_serve(loopback.runtime, "127.0.0.1", 0, NULL, weir_mailed_to(loopback.mailbox),
                          &unused);
}

static int spawn_a_sleeper(void)
{
    return weir_spawn(loopback.runtime, 0, sleep_for_ever, NULL, NULL, &sleeper);
}

static int watch_it(void)
{
    return weir_monitor(sleeper, loopback.mailbox, NULL);
}

static int watch_it_no_more(void)
{
    return weir_demonitor(sleeper, loopback.mailbox, NULL);
}

static int post_to_it(void)
{
    return weir_post(sleeper, NULL);
}

static int kill_it(void)
{
    return weir_kill(sleeper);
}

static int watch_nobody(void)
{
    return weir_monitor((weir_process){0}, loopback.mailbox, NULL);
}

static int watch_nobody_no_more(void)
{
    return weir_demonitor((weir_process){0}, loopback.mailbox, NULL);
}

static int sleep_a_moment(void)
{
    return weir_sleep(1);
}

static void sleep_there(void *data)
{
    leave_another_text();
    cr_expect(weir_sleep(1) == 0);
    snprintf(data, 160, "%s", weir_last_error_text());
}

static int sleep_in_a_process(void)
{
    char text[160];
    run_in_process(loopback.runtime, 0, sleep_there, text);
    cr_expect_str_eq(text, "");
    return 0;
}

static int look_a_name_up(void)
{
    weir_hostent *hostent;
    int result = weir_gethostbyname2(loopback.runtime, "127.0.0.1", WEIR_INET, WAIT_MS, &hostent);
    weir_hostent_free(hostent);
    return result;
}

static int load_a_configuration(void)
{
    return weir_load_rc(loopback.runtime, "", "{lookup,[file]}.");
}

static int ask_for_parameters(void)
{
    weir_parameter *parameters;
    size_t count;
    int result = weir_get_rc(loopback.runtime, &parameters, &count);
    weir_parameters_free(parameters);
    return result;
}

static const struct {
    const char *name;
    int (*call)(void);
} successes[] = {
    {"start", start_another},
    {"drain", drain_it},
    {"stop", stop_it},
    {"get_totals", ask_for_totals},
    {"get_turn_times", ask_for_turn_times},
    {"metrics", ask_for_metrics},
    {"feature", ask_for_a_feature},
    {"scheduler_count", count_schedulers},
    {"scheduler_of", ask_where_it_is},
    {"run_for", run_for_it},
    {"each_socket", visit_each},
    {"run_on", run_something},
    {"timer_start", start_a_timer},
    {"timer_cancel", cancel_a_timer},
    {"broadcast", broadcast_something},
    {"tcp_listen", listen_somewhere},
    {"tcp_connect", connect_somewhere},
    {"tcp_serve", serve_somewhere},
    {"udp_open", open_somewhere},
    {"udp_serve", serve_datagrams},
    {"spawn", spawn_a_sleeper},
    {"monitor", watch_it},
    {"demonitor", watch_it_no_more},
    {"post", post_to_it},
    {"kill", kill_it},
    {"monitor of nobody", watch_nobody},
    {"demonitor of nobody", watch_nobody_no_more},
    {"sleep", sleep_a_moment},
    {"sleep in a process", sleep_in_a_process},
    {"gethostbyname", look_a_name_up},
    {"load_rc", load_a_configuration},
    {"get_rc", ask_for_parameters},
};

Test(texts, are_gone_after_a_success)
{
    loopback = loopback_open("[{active,false}]");
    for (size_t i = 0; i < sizeof(successes) / sizeof(successes[0]); i++) {
        leave_another_text();
        int result = successes[i].call();
        cr_expect(result >= 0, "%s gives %s", successes[i].name, result_text(result));
        cr_expect(weir_last_error_text()[0] == '\0', "%s leaves '%s'", successes[i].name,
                  weir_last_error_text());
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

static void wait_there(void *go)
{
    while (!atomic_load((atomic_bool *)go))
        sched_yield();
}

static void fail_there(void *unused_data)
{
    (void)unused_data;
    leave_another_text();
}

static void read_there(void *heard)
{
    snprintf(told, sizeof(told), "%s", weir_last_error_text());
    atomic_store((atomic_bool *)heard, true);
}

/* What is run on a scheduler hears nothing of what was run there before it, in the same go. */
Test(texts, are_nobody_elses)
{
    atomic_bool go = false;
    atomic_bool heard = false;
    loopback = loopback_open("[{active,false}]");
    GIVES(weir_run_on(loopback.runtime, 0, wait_there, &go), 0);
    GIVES(weir_run_on(loopback.runtime, 0, fail_there, NULL), 0);
    GIVES(weir_run_on(loopback.runtime, 0, read_there, &heard), 0);
    atomic_store(&go, true);
    EVENTUALLY(atomic_load(&heard));
    cr_expect_str_eq(told, "");
    loopback_close(&loopback);
}
