/* SPDX-License-Identifier: MIT */
/* {proxy_protocol,true} of listeners whose connections are taken by accept: whose they are in each
 * form of the call, that nobody waits for another's header, and that none is lost meanwhile. */
#include "integration/local_peer.h"
#include "integration/proxied.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* What ends one of them is not its time. */
#define PROXIED WEIR_PROXY_PROTOCOL(true), WEIR_PROXY_TIMEOUT(3600000)

static struct loopback start_with(const weir_option *options, const char *address)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    GIVES(weir_tcp_listen(loopback.runtime, address, 0, options, &loopback.listener), 0);
    return loopback;
}

static struct loopback start(void)
{
    return start_with(WEIR_OPTIONS(PROXIED), "127.0.0.1");
}

static void ask(const struct loopback *loopback, int64_t timeout_ms, struct answer *answer)
{
    GIVES(weir_tcp_accept_async(loopback->listener, weir_mailed_to(loopback->mailbox), timeout_ms,
                                answer_opened, answer),
          0);
}

static void expect_answer(struct loopback *loopback, struct answer *answer, int *peer)
{
    GIVES(answer_wait(answer), 0);
    loopback->socket = answer->socket;
    expect_talk(loopback, peer, CLIENT, FRONT);
}

static void expect_accepted(struct loopback *loopback, int *peer)
{
    GIVES(weir_tcp_accept(loopback->listener, weir_mailed_to(loopback->mailbox), WAIT_MS,
                          &loopback->socket),
          0);
    expect_talk(loopback, peer, CLIENT, FRONT);
}

/* The forms of the call. */
struct form {
    void (*begin)(struct form *form, const struct loopback *loopback);
    int (*end)(struct form *form, weir_socket *socket);
    struct background background;
    struct answer answer;
    weir_process process;
    atomic_bool done;
};

static void begin_in_thread(struct form *form, const struct loopback *loopback)
{
    form->background = (struct background){
        .work = accept_in_background, .socket = loopback->listener, .mailbox = loopback->mailbox};
    background_start(&form->background);
}

static int end_in_thread(struct form *form, weir_socket *socket)
{
    int result = background_join(&form->background);
    *socket = form->background.opened;
    return result;
}

static void begin_async(struct form *form, const struct loopback *loopback)
{
    ask(loopback, WEIR_INFINITY, &form->answer);
}

static int end_async(struct form *form, weir_socket *socket)
{
    int result = answer_wait(&form->answer);
    *socket = form->answer.socket;
    return result;
}

static int accept_as_process(void *data)
{
    struct form *form = data;
    form->background.result = accept_in_background(&form->background);
    atomic_store(&form->done, true);
    return 0;
}

static void begin_in_process(struct form *form, const struct loopback *loopback)
{
    form->background =
        (struct background){.socket = loopback->listener, .mailbox = loopback->mailbox};
    GIVES(weir_spawn(loopback->runtime, WEIR_ANY_SCHEDULER, accept_as_process, form, NULL,
                     &form->process),
          0);
}

static int end_in_process(struct form *form, weir_socket *socket)
{
    EVENTUALLY(atomic_load(&form->done));
    *socket = form->background.opened;
    return form->background.result;
}

static const struct form forms[] = {{begin_in_thread, end_in_thread, .done = false},
                                    {begin_async, end_async, .done = false},
                                    {begin_in_process, end_in_process, .done = false}};

enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

/* It says so much of it, then the rest. */
static void expect_whole_when_cut(struct loopback *loopback, struct form form, struct header header,
                                  size_t cut)
{
    form.begin(&form, loopback);
    int peer = connect_to(loopback);
    peer_write(peer, header.bytes, cut);
    settle(loopback->listener);
    peer_write(peer, header.bytes + cut, header.size - cut);
    peer_say(peer, "behind");
    GIVES(form.end(&form, &loopback->socket), 0);
    expect_talk(loopback, &peer, CLIENT, FRONT);
}

Test(proxy_accept, each_form_of_the_call_is_told_whose_it_is)
{
    struct loopback loopback = start();
    for (int i = 0; i < FORMS; i++)
        for (int times = 0; times < 2; times++) {
            expect_whole_when_cut(&loopback, forms[i], LINE, 0);
            expect_whole_when_cut(&loopback, forms[i], LINE, 7);
            expect_whole_when_cut(&loopback, forms[i], BLOCK, 0);
            expect_whole_when_cut(&loopback, forms[i], BLOCK, 20);
        }
    cr_expect(refused(&loopback) == 0);
    loopback_close(&loopback);
}

/* Also by who only looks whether one has come. */
Test(proxy_accept, what_is_there_is_there_at_once)
{
    struct loopback loopback = start();
    int peer = connect_to(&loopback);
    int result;
    say_all(peer);
    EVENTUALLY((result = weir_tcp_accept(loopback.listener, weir_mailed_to(loopback.mailbox), 0,
                                         &loopback.socket)) != WEIR_TIMEOUT);
    GIVES(result, 0);
    expect_talk(&loopback, &peer, CLIENT, FRONT);
    loopback_close(&loopback);
}

/* Connections are given in the order in which their headers come. */
Test(proxy_accept, a_header_that_does_not_come_holds_nobody_up)
{
    struct loopback loopback = start();
    struct answer answers[3] = {0};
    int none = connect_to(&loopback);
    int half = connect_to(&loopback);
    int whole = connect_to(&loopback);
    peer_write(half, LINE.bytes, 20);
    say_all(whole);
    for (int i = 0; i < 3; i++)
        ask(&loopback, WEIR_INFINITY, &answers[i]);
    expect_answer(&loopback, &answers[0], &whole);
    end_half(half);
    expect_answer(&loopback, &answers[1], &half);
    cr_expect(answer_count(&answers[2]) == 0);
    say_all(none);
    expect_answer(&loopback, &answers[2], &none);
    loopback_close(&loopback);
}

Test(proxy_accept, what_is_no_header_is_nobodys)
{
    struct loopback loopback = start();
    struct answer answer = {0};
    int rubbish = connect_to(&loopback);
    int cut = connect_to(&loopback);
    int good = connect_to(&loopback);
    peer_say(rubbish, "GET / HTTP/1.1\r\n\r\n");
    peer_say(cut, "PROXY TCP4 ");
    peer_finish(cut);
    ask(&loopback, WEIR_INFINITY, &answer);
    expect_closed(&rubbish);
    expect_closed(&cut);
    EVENTUALLY(refused(&loopback) == 2);
    cr_expect(answer_count(&answer) == 0);
    say_all(good);
    expect_answer(&loopback, &answer, &good);
    loopback_close(&loopback);
}

Test(proxy_accept, a_header_has_its_time_whoever_waits)
{
    struct loopback loopback =
        start_with(WEIR_OPTIONS(WEIR_PROXY_PROTOCOL(true), WEIR_PROXY_TIMEOUT(50)), "127.0.0.1");
    struct answer waits = {0};
    ask(&loopback, WEIR_INFINITY, &waits);
    int peer = begin_half(&loopback);
    expect_closed(&peer);
    peer = begin_half(&loopback);
    GIVES(weir_cancel(loopback.listener, &waits), 1);
    GIVES(answer_wait(&waits), -ECANCELED);
    expect_closed(&peer);
    EVENTUALLY(refused(&loopback) == 2);
    loopback_close(&loopback);
}

/* Its time is up, it is cancelled, its process is killed. */
static void give_up(struct form *form, const struct loopback *loopback, int way)
{
    if (way == 0)
        GIVES(answer_wait(&form->answer), WEIR_TIMEOUT);
    if (way == 1)
        GIVES(weir_cancel(loopback->listener, &form->answer), 1);
    if (way == 2) {
        GIVES(weir_kill(form->process), 0);
        EVENTUALLY(atomic_load(&form->done)); /* until then it may be given it */
        GIVES(form->background.result, WEIR_KILLED);
    }
}

static int begin_to_give_up(struct form *form, const struct loopback *loopback, int way)
{
    struct answer *answer = &form->answer;
    if (way == 2)
        begin_in_process(form, loopback);
    else
        ask(loopback, way == 0 ? 50 : WEIR_INFINITY, answer);
    if (way > 0)
        return begin_half(loopback);
    int peer = connect_to(loopback);
    peer_write(peer, LINE.bytes, 20);
    return peer;
}

/* The header comes while nobody waits, or when somebody does again. */
Test(proxy_accept, a_call_that_gives_up_loses_none)
{
    for (int way = 0; way < 3; way++) {
        struct loopback loopback = start();
        struct form form = {.process = {0}};
        int peer = begin_to_give_up(&form, &loopback, way);
        give_up(&form, &loopback, way);
        end_half(peer);
        settle(loopback.listener);
        expect_accepted(&loopback, &peer);
        loopback_close(&loopback);
    }
}

Test(proxy_accept, one_whose_acceptor_is_gone_is_the_next_ones)
{
    struct loopback loopback = start();
    weir_mailbox *dying;
    struct answer early = {0};
    struct answer next = {0};
    GIVES(weir_mailbox_create(&dying), 0);
    GIVES(weir_tcp_accept_async(loopback.listener, weir_mailed_to(dying), WEIR_INFINITY,
                                answer_opened, &early),
          0);
    int peer = begin_half(&loopback);
    ask(&loopback, WEIR_INFINITY, &next);
    GIVES(weir_mailbox_destroy(dying), 0);
    GIVES(answer_wait(&early), WEIR_BADARG);
    end_half(peer);
    expect_answer(&loopback, &next, &peer);
    loopback_close(&loopback);
}

/* With one whose header is there, and whom nobody has waited for, and one whose is not. */
static void gather(struct loopback *loopback, struct answer *answer, int *whole, int *half)
{
    *loopback = start();
    ask(loopback, WEIR_INFINITY, answer);
    *half = begin_half(loopback);
    *whole = begin_half(loopback);
    GIVES(weir_cancel(loopback->listener, answer), 1);
    GIVES(answer_wait(answer), -ECANCELED);
    end_half(*whole);
    settle(loopback->listener);
    *answer = (struct answer){0};
}

Test(proxy_accept, a_close_closes_those_that_nobody_has)
{
    struct loopback loopback;
    struct answer answer = {0};
    int whole;
    int half;
    gather(&loopback, &answer, &whole, &half);
    GIVES(weir_close(loopback.listener), 0);
    expect_closed(&whole);
    expect_closed(&half);
    cr_expect(refused(&loopback) == 0);
    loopback_close(&loopback);
}

Test(proxy_accept, a_close_answers_who_waits)
{
    struct loopback loopback = start();
    struct answer answer = {0};
    ask(&loopback, WEIR_INFINITY, &answer);
    int peer = begin_half(&loopback);
    GIVES(weir_close(loopback.listener), 0);
    GIVES(answer_wait(&answer), WEIR_CLOSED);
    expect_closed(&peer);
    loopback_close(&loopback);
}

Test(proxy_accept, a_stop_waits_for_no_header)
{
    struct loopback loopback = start();
    struct answer answer = {0};
    ask(&loopback, WEIR_INFINITY, &answer);
    int peer = begin_half(&loopback);
    GIVES(weir_stop(loopback.runtime), 0);
    GIVES(answer_wait(&answer), WEIR_CLOSED);
    expect_closed(&peer);
    GIVES(weir_start(&loopback.runtime, NULL), 0);
    loopback_close(&loopback);
}

/* As long as somebody waits for it. */
Test(proxy_accept, a_drain_waits_for_the_header)
{
    struct loopback loopback = start();
    struct answer answer = {0};
    ask(&loopback, WEIR_INFINITY, &answer);
    int peer = begin_half(&loopback);
    GIVES(weir_drain(loopback.runtime, 0), WEIR_TIMEOUT);
    cr_expect(answer_count(&answer) == 0);
    end_half(peer);
    expect_answer(&loopback, &answer, &peer);
    GIVES(weir_drain(loopback.runtime, AT_ONCE_MS), 0);
    loopback_close(&loopback);
}

Test(proxy_accept, a_drain_ends_with_who_has_waited)
{
    struct loopback loopback = start();
    struct answer answers[2] = {0};
    ask(&loopback, WEIR_INFINITY, &answers[0]);
    ask(&loopback, WEIR_INFINITY, &answers[1]);
    int peer = begin_half(&loopback);
    GIVES(weir_drain(loopback.runtime, 0), WEIR_TIMEOUT);
    GIVES(weir_cancel(loopback.listener, &answers[0]), 1);
    GIVES(weir_drain(loopback.runtime, 0), WEIR_TIMEOUT);
    peer_finish(peer);
    GIVES(answer_wait(&answers[1]), WEIR_CLOSED);
    GIVES(weir_drain(loopback.runtime, AT_ONCE_MS), 0);
    expect_closed(&peer);
    loopback_close(&loopback);
}

/* What is set on the listener meanwhile is the connection's. */
Test(proxy_accept, options_are_those_of_the_listener_when_it_is_accepted)
{
    struct loopback loopback;
    struct answer answer = {0};
    int whole;
    int half;
    gather(&loopback, &answer, &whole, &half);
    GIVES(set(loopback.listener, "[{nodelay,true},{priority,3},{packet,line}]"), 0);
    for (int i = 0; i < 2; i++) {
        GIVES(weir_tcp_accept(loopback.listener, weir_mailed_to(loopback.mailbox), WAIT_MS,
                              &loopback.socket),
              0);
        cr_expect(get(loopback.socket, WEIR_OPTION_NODELAY) == 1);
        cr_expect(get(loopback.socket, WEIR_OPTION_PRIORITY) == 3);
        cr_expect(get(loopback.socket, WEIR_OPTION_PACKET) == WEIR_LINE);
        weir_close(loopback.socket);
        if (i == 0)
            end_half(half);
    }
    peer_leave(&whole);
    peer_leave(&half);
    loopback_close(&loopback);
}

Test(proxy_accept, a_proxy_may_come_by_a_local_socket)
{
    char name[64];
    snprintf(name, sizeof(name), "unix:@weir accepted %d", (int)getpid());
    struct loopback loopback = start_with(WEIR_OPTIONS(PROXIED), name);
    int peer = local_peer(name, SOCK_STREAM, connect);
    say_all(peer);
    expect_accepted(&loopback, &peer);
    loopback_close(&loopback);
}

/* One whose header has not come has a place, which the next gets when it is refused. */
Test(proxy_accept, who_is_not_there_has_a_place)
{
    struct loopback loopback =
        start_with(WEIR_OPTIONS(PROXIED, WEIR_MAX_CONNECTIONS(1)), "127.0.0.1");
    struct answer answers[2] = {0};
    ask(&loopback, WEIR_INFINITY, &answers[0]);
    ask(&loopback, WEIR_INFINITY, &answers[1]);
    int first = begin_half(&loopback);
    int second = connect_to(&loopback);
    int third = connect_to(&loopback);
    say_all(second);
    say_all(third);
    EVENTUALLY(totals_of(&loopback).limited > 0);
    cr_expect(answer_count(&answers[0]) == 0);
    peer_say(first, "\n");
    expect_closed(&first);
    expect_answer(&loopback, &answers[0], &second);
    expect_answer(&loopback, &answers[1], &third);
    cr_expect(refused(&loopback) == 1);
    loopback_close(&loopback);
}
