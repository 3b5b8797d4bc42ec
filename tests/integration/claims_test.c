/* SPDX-License-Identifier: MIT */
/* What the headers say of calls and no other test holds. */
#include "support/loopback.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* {active,N} adds up, and all else is set again: the last counts. */
Test(claims, setopts_takes_duplicates_in_turn)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    GIVES(set(loopback.socket, "[{active,2},{active,3},{buffer,10},{buffer,20}]"), 0);
    cr_expect(get(loopback.socket, WEIR_OPTION_ACTIVE) == 5);
    cr_expect(get(loopback.socket, WEIR_OPTION_BUFFER) == 20);
    loopback_close(&loopback);
}

Test(claims, setopts_ends_at_the_first_that_fails)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    GIVES(set(loopback.socket, "[{buffer,10},{congestion,<<\"nosuch\">>},{buffer,20},{header,4}]"),
          -EINVAL);
    cr_expect(get(loopback.socket, WEIR_OPTION_BUFFER) == 10);
    cr_expect(get(loopback.socket, WEIR_OPTION_HEADER) == 0);
    loopback_close(&loopback);
}

static weir_address bound_to(weir_runtime *runtime, const char *address, const char *options)
{
    weir_option *list;
    weir_socket listener;
    weir_address bound;
    GIVES(weir_options_parse(options, &list), 0);
    GIVES(weir_tcp_listen(runtime, address, 0, list, &listener), 0);
    GIVES(weir_sockname(listener, &bound), 0);
    weir_close(listener);
    weir_options_free(list);
    return bound;
}

Test(claims, an_address_beats_ip_and_none_is_every_one)
{
    struct loopback loopback = loopback_start(NULL);
    weir_address bound = bound_to(loopback.runtime, "127.0.0.2", "[{ip,{127,0,0,3}}]");
    cr_expect(bound.bytes[3] == 2);
    bound = bound_to(loopback.runtime, "", "[{ip,{127,0,0,3}}]");
    cr_expect(bound.bytes[3] == 3);
    bound = bound_to(loopback.runtime, "", "[]");
    cr_expect(bound.bytes[0] == 0 && bound.bytes[3] == 0);
    bound = bound_to(loopback.runtime, NULL, "[]");
    cr_expect(bound.bytes[0] == 0 && bound.bytes[3] == 0);
    loopback_close(&loopback);
}

Test(claims, a_name_is_no_address)
{
    weir_socket listener;
    struct loopback loopback = loopback_start(NULL);
    GIVES(weir_tcp_listen(loopback.runtime, "localhost", 0, NULL, &listener), WEIR_BADARG);
    cr_expect(strstr(weir_last_error_text(), "names are not looked up") != NULL);
    loopback_close(&loopback);
}

static int64_t default_header(const weir_config *config)
{
    weir_runtime *runtime;
    weir_socket listener;
    GIVES(weir_start(&runtime, config), 0);
    GIVES(weir_tcp_listen(runtime, "127.0.0.1", 0, NULL, &listener), 0);
    int64_t header = get(listener, WEIR_OPTION_HEADER);
    GIVES(weir_stop(runtime), 0);
    return header;
}

/* The program knows better than its environment. */
Test(claims, defaults_of_the_environment)
{
    const weir_config own = {.schedulers = 1, .default_listen_options = "[{header,2}]"};
    const weir_config none = {.schedulers = 1};
    setenv("WEIR_DEFAULT_LISTEN_OPTIONS", "[{header,1}]", 1);
    cr_expect(default_header(&none) == 1);
    cr_expect(default_header(&own) == 2);
    setenv("WEIR_DEFAULT_LISTEN_OPTIONS", "", 1);
    cr_expect(default_header(&none) == 0);
}

/* 64 at most in a runtime, 256 in a process. */
Test(claims, a_257th_scheduler_is_one_too_many)
{
    enum { RUNTIMES = 4 };
    const weir_config small = {.schedulers = 64,
                               .buffer_count = 1,
                               .buffer_size = 64,
                               .submission_entries = 1,
                               .completion_entries = 2};
    const weir_config one = {.schedulers = 1};
    weir_runtime *runtimes[RUNTIMES];
    weir_runtime *another;
    for (int i = 0; i < RUNTIMES; i++)
        GIVES(weir_start(&runtimes[i], &small), 0);
    GIVES(weir_start(&another, &one), WEIR_SYSTEM_LIMIT);
    cr_expect_str_eq(weir_last_error_text(), "a process has at most 256 schedulers");
    for (int i = 0; i < RUNTIMES; i++)
        GIVES(weir_stop(runtimes[i]), 0);
    GIVES(weir_start(&another, &one), 0);
    GIVES(weir_stop(another), 0);
}

Test(claims, controlling_process_to_the_owner_there_is)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_owner owner = weir_mailed_to(loopback.mailbox);
    weir_owner stranger = weir_handled_by(&(weir_handler){.packet = NULL}, NULL);
    GIVES(weir_controlling_process(loopback.socket, stranger, stranger), WEIR_NOT_OWNER);
    GIVES(weir_controlling_process(loopback.socket, stranger, owner), 0);
    GIVES(weir_controlling_process(loopback.listener, owner, owner), WEIR_NOT_OWNER);
    loopback_close(&loopback);
}

/* From a thread: the callback may come first, but comes exactly once, with its own data. */
enum { ASYNC_CALLS = 2000 };
static atomic_int called[ASYNC_CALLS];

static void count_call(weir_socket socket, int result, void *data)
{
    (void)socket;
    cr_expect(result == 0 || result == WEIR_CLOSED);
    atomic_fetch_add((atomic_int *)data, 1);
}

Test(claims, async_from_a_thread_calls_back_once)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    for (int i = 0; i < ASYNC_CALLS; i++)
        GIVES(weir_send_async(loopback.socket, "x", 1, count_call, &called[i]), 0);
    for (int i = 0; i < ASYNC_CALLS; i++)
        EVENTUALLY(atomic_load(&called[i]) > 0);
    weir_close(loopback.socket);
    int after = weir_send_async(loopback.socket, "x", 1, count_call, &called[0]);
    loopback_close(&loopback);
    for (int i = 1; i < ASYNC_CALLS; i++)
        cr_expect(atomic_load(&called[i]) == 1);
    cr_expect(atomic_load(&called[0]) == 1 + (after == 0));
}

/* Calls that hand out what waits return after what they have called. */
static atomic_int told;

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket;
    (void)packet;
    (void)data;
    told++;
}

static void on_passive(weir_socket socket, void *data)
{
    (void)socket;
    (void)data;
    told += 100;
}

static const weir_handler handler = {.packet = on_packet, .passive = on_passive};

/* The calls that the manual names have done so when they return; a thread's too. */
Test(claims, setopts_hands_out_what_waits)
{
    struct loopback loopback = loopback_open("[{active,false},{packet,line}]");
    weir_owner owner = weir_handled_by(&handler, NULL);
    weir_packet packet;
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox), owner), 0);
    peer_say(loopback.peer, "first\nsecond\n");
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), 0); /* the other one is here, too */
    weir_packet_release(&packet);
    GIVES(set(loopback.socket, "[{active,1}]"), 0);
    cr_expect(told == 101);
    GIVES(set(loopback.socket, "[{active,-1}]"), 0);
    cr_expect(told == 201);
    loopback_close(&loopback);
}

static void on_closed(weir_socket socket, void *data)
{
    (void)socket;
    (void)data;
    told += 10000;
}

static void on_error(weir_socket socket, int error, void *data)
{
    (void)socket;
    (void)data;
    cr_expect(error == -ECONNRESET);
    told += 1000;
}

static const weir_handler whole_handler = {
    .packet = on_packet, .passive = on_passive, .error = on_error, .closed = on_closed};

Test(claims, controlling_process_hands_out_what_waits)
{
    struct loopback loopback = loopback_open("[{active,2},{packet,line}]");
    weir_owner owner = weir_handled_by(&whole_handler, NULL);
    peer_say(loopback.peer, "first\nsecond\n");
    peer_finish(loopback.peer);
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 3); /* {tcp_passive,_} with them */
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox), owner), 0);
    cr_expect(told == 102);
    loopback_close(&loopback);
}

Test(claims, a_send_after_shutdown_tells_of_the_end)
{
    struct loopback loopback = loopback_open("[{active,true},{show_econnreset,true}]");
    weir_owner owner = weir_handled_by(&whole_handler, NULL);
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox), owner), 0);
    GIVES(weir_shutdown(loopback.socket, WEIR_WRITE), 0);
    cr_expect(told == 0);
    cr_expect(weir_send(loopback.socket, "x", 1) < 0);
    cr_expect(told == 11000, "%d", told);
    loopback_close(&loopback);
}

/* No other call does, although there is something to be told of. */
static struct answer received;

static void call_others(void *data)
{
    const struct loopback *loopback = data;
    weir_option option = WEIR_REQUEST(ACTIVE);
    weir_statistics statistics;
    GIVES(weir_send(loopback->socket, "x", 1), 0);
    GIVES(weir_getopts(loopback->socket, &option, 1), 1);
    GIVES(weir_getstat(loopback->socket, &statistics), 0);
    GIVES(weir_set_data(loopback->socket, NULL), 0);
    GIVES(weir_is_busy(loopback->socket), 0);
    GIVES(weir_recv_async(loopback->socket, 0, WAIT_MS, answer_received, &received), 0);
    cr_expect(answer_count(&received) == 0);
    GIVES(weir_shutdown(loopback->socket, WEIR_READ_WRITE), 0);
    GIVES(weir_close(loopback->socket), 0);
    cr_expect(answer_count(&received) == 0);
    cr_expect(told == 0);
}

Test(claims, no_other_call_calls_back)
{
    struct loopback loopback = loopback_open("[{active,false},{packet,line}]");
    weir_owner owner = weir_handled_by(&whole_handler, NULL);
    weir_packet packet;
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox), owner), 0);
    peer_say(loopback.peer, "first\nsecond\n");
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), 0); /* the other one is here, too */
    weir_packet_release(&packet);
    run_there(loopback.runtime, 0, call_others, &loopback);
    GIVES(answer_wait(&received), 0);
    cr_expect(told == 0);
    loopback_close(&loopback);
}
