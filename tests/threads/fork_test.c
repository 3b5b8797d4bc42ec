/* SPDX-License-Identifier: MIT */
/* A child of fork: what is of its parent answers at once and says so, whatever the parent's threads
 * were doing; a runtime of its own works; and the parent's goes on. */
#include "peer.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

enum { FORKS = 30, ANSWER_SECONDS = 60 };

static weir_runtime *runtime;
static weir_mailbox *mailbox;
static weir_mailbox *waited_on;
static weir_socket service;
static weir_socket listener;
static weir_socket socket_there;
static atomic_bool over;

static const weir_option passive[] = {{.id = WEIR_OPTION_ACTIVE, .value.number = WEIR_ACTIVE_FALSE},
                                      {.id = WEIR_OPTION_END}};

static void says_so(int result, int expected)
{
    CHECK_EQ(result, expected);
    CHECK(strstr(weir_last_error_text(), "forked"));
}

static void never(void *data)
{
    (void)data;
    CHECK(!"this runs in the child");
}

static void sent(weir_socket socket, int result, void *data)
{
    (void)socket;
    (void)result;
    never(data);
}

static void call_sockets(void)
{
    weir_socket made;
    weir_packet packet;
    weir_statistics statistics;
    weir_owner nobody = weir_owned_by_nobody();
    says_so(weir_send(socket_there, "x", 1), WEIR_CLOSED);
    says_so(weir_send_async(socket_there, "x", 1, sent, NULL), WEIR_CLOSED);
    says_so(weir_recv(socket_there, 0, WEIR_INFINITY, &packet), WEIR_CLOSED);
    says_so(weir_setopts(socket_there, passive), -EINVAL);
    says_so(weir_getstat(socket_there, &statistics), -EINVAL);
    says_so(weir_shutdown(socket_there, WEIR_WRITE), WEIR_CLOSED);
    says_so(weir_tcp_accept(listener, nobody, WEIR_INFINITY, &made), WEIR_CLOSED);
    CHECK_EQ(weir_close(socket_there), 0);
    CHECK_EQ(weir_close(service), 0);
}

static void call_runtime(void)
{
    weir_socket made;
    weir_totals totals;
    weir_owner nobody = weir_owned_by_nobody();
    says_so(weir_tcp_connect(runtime, "127.0.0.1", 1, passive, nobody, WEIR_INFINITY, &made),
            WEIR_CLOSED);
    says_so(weir_tcp_listen(runtime, "127.0.0.1", 0, NULL, &made), WEIR_CLOSED);
    says_so(weir_tcp_serve(runtime, "127.0.0.1", 0, NULL, weir_mailed_to(mailbox), &made),
            WEIR_CLOSED);
    says_so(weir_drain(runtime, WEIR_INFINITY), WEIR_CLOSED);
    says_so(weir_get_totals(runtime, -1, &totals), WEIR_CLOSED);
    says_so(weir_run_on(runtime, 0, never, NULL), WEIR_CLOSED);
    CHECK_EQ(weir_scheduler_count(runtime), 0u);
    CHECK_EQ(weir_current_scheduler(), -1);
}

static void call_mailboxes(void)
{
    weir_message message;
    weir_mailbox *own;
    says_so(weir_mailbox_receive(waited_on, WEIR_INFINITY, &message), WEIR_CLOSED);
    says_so(weir_mailbox_post(waited_on, NULL), WEIR_CLOSED);
    CHECK_EQ(weir_mailbox_destroy(waited_on), 0);
    CHECK_EQ(weir_mailbox_destroy(mailbox), 0);
    CHECK_EQ(weir_mailbox_create(&own), 0);
    CHECK_EQ(weir_mailbox_post(own, NULL), 0);
    CHECK_EQ(weir_mailbox_receive(own, WEIR_INFINITY, &message), 0);
    CHECK_EQ(weir_mailbox_destroy(own), 0);
}

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    (void)!weir_send_packet(socket, packet);
}

static const weir_handler echo_handler = {.packet = echo};

static void expect_echo(int port)
{
    char back;
    int peer = peer_connect(port);
    CHECK(peer_write(peer, "x", 1));
    CHECK(peer_read(peer, &back, 1));
    close(peer);
}

/* The thread sanitizer lets a child start no thread. */
static void use_own_runtime(void)
{
#ifndef __SANITIZE_THREAD__
    weir_runtime *own;
    weir_socket own_service;
    CHECK_EQ(weir_start(&own, &(weir_config){.schedulers = 1}), 0);
    expect_echo(serve(own, NULL, weir_handled_by(&echo_handler, NULL), &own_service));
    says_so(weir_send(socket_there, "x", 1), WEIR_CLOSED);
    CHECK_EQ(weir_stop(own), 0);
#endif
}

static void be_child(bool in_callback)
{
    alarm(ANSWER_SECONDS);
    call_sockets();
    call_runtime();
    call_mailboxes();
    if (!in_callback)
        use_own_runtime();
    says_so(weir_stop(runtime), WEIR_CLOSED);
    _exit(0);
}

static void fork_once(bool in_callback)
{
    int status;
    pid_t child = fork();
    CHECK_GE(child, 0);
    if (child == 0)
        be_child(in_callback);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

static atomic_bool forked_there;

static void fork_there(void *data)
{
    (void)data;
    fork_once(true);
    atomic_store(&forked_there, true);
}

static void *wait_for_ever(void *data)
{
    weir_message message;
    (void)data;
    CHECK_EQ(weir_mailbox_receive(waited_on, WEIR_INFINITY, &message), 0);
    return NULL;
}

/* Takes every lock there is, over and over. */
static void *be_busy(void *data)
{
    weir_mailbox *another;
    weir_totals totals;
    weir_message message;
    (void)data;
    while (!atomic_load(&over)) {
        CHECK_EQ(weir_mailbox_create(&another), 0);
        CHECK_EQ(weir_mailbox_post(mailbox, NULL), 0);
        CHECK_EQ(weir_get_totals(runtime, -1, &totals), 0);
        CHECK_EQ(weir_mailbox_receive(mailbox, WEIR_INFINITY, &message), 0);
        CHECK_EQ(weir_mailbox_destroy(another), 0);
    }
    return NULL;
}

int main(void)
{
#ifdef __SANITIZE_ADDRESS__ /* a lock of its allocator, held at the fork, stays so in the child */
    return 77;
#endif
    pthread_t waiter;
    pthread_t busy;
    CHECK_EQ(weir_mailbox_create(&mailbox), 0);
    CHECK_EQ(weir_mailbox_create(&waited_on), 0);
    CHECK_EQ(weir_start(&runtime, &(weir_config){.schedulers = 2}), 0);
    int port = serve(runtime, NULL, weir_handled_by(&echo_handler, NULL), &service);
    CHECK_EQ(weir_tcp_listen(runtime, "127.0.0.1", 0, passive, &listener), 0);
    int peer = peer_connect(weir_port(listener));
    CHECK_EQ(weir_tcp_accept(listener, weir_owned_by_nobody(), 60000, &socket_there), 0);
    CHECK_EQ(pthread_create(&waiter, NULL, wait_for_ever, NULL), 0);
    CHECK_EQ(pthread_create(&busy, NULL, be_busy, NULL), 0);
    for (int i = 0; i < FORKS; i++) {
        fork_once(false);
        expect_echo(port);
    }
    CHECK_EQ(weir_run_on(runtime, 0, fork_there, NULL), 0);
    while (!atomic_load(&forked_there))
        sched_yield();
    expect_echo(port);
    CHECK_EQ(weir_send(socket_there, "x", 1), 0);
    atomic_store(&over, true);
    pthread_join(busy, NULL);
    CHECK_EQ(weir_mailbox_post(waited_on, NULL), 0);
    pthread_join(waiter, NULL);
    weir_stop(runtime);
    weir_mailbox_destroy(mailbox);
    weir_mailbox_destroy(waited_on);
    close(peer);
    return 0;
}
