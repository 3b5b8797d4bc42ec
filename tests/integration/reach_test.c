/* SPDX-License-Identifier: MIT */
/* From a handle to its socket: work on its scheduler, its data, its waiting calls, all of them. */
#include "support/loopback.h"

#include <errno.h>
#include <stdatomic.h>

struct visit {
    weir_runtime *runtime;
    weir_socket socket;
    int asked; /* what a call of the visitor's said */
    int result;
    void *socket_data;
    int scheduler;
    atomic_int count;
};

static void note(weir_socket socket, int result, void *socket_data, void *data)
{
    struct visit *visit = data;
    visit->result = result;
    visit->socket_data = socket_data;
    visit->scheduler = weir_current_scheduler();
    cr_expect(weir_last_error_text()[0] == '\0', "before it somebody said '%s'",
              weir_last_error_text());
    cr_expect(weir_same_socket(socket, visit->socket));
    atomic_fetch_add(&visit->count, 1);
}

static atomic_int accepted_count;
static weir_socket accepted[8];
static int states[8];

static void on_accepted(weir_socket socket, void *data)
{
    int number = atomic_load(&accepted_count);
    (void)data;
    cr_expect(weir_set_data(socket, &states[number]) == 0);
    accepted[number] = socket;
    atomic_fetch_add(&accepted_count, 1);
}

static const weir_handler handler = {.accepted = on_accepted};

/* So many connections, one after the other. */
static weir_socket serve(weir_runtime *runtime, int *peers, int count)
{
    weir_socket service;
    atomic_store(&accepted_count, 0);
    GIVES(weir_tcp_serve(runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_TRUE)),
                         weir_handled_by(&handler, NULL), &service),
          0);
    for (int i = 0; i < count; i++) {
        peers[i] = peer_connect(weir_port(service));
        EVENTUALLY(atomic_load(&accepted_count) == i + 1);
    }
    return service;
}

static const weir_config two_schedulers = {.schedulers = 2};

Test(reach, work_is_a_function)
{
    struct loopback loopback = loopback_open("[]");
    GIVES(weir_run_for(loopback.socket, NULL, NULL), -EINVAL);
    loopback_close(&loopback);
}

static void leave(int *peers, int count)
{
    for (int i = 0; i < count; i++)
        peer_leave(&peers[i]);
}

static void run_for_here(void *data)
{
    struct visit *visit = data;
    visit->asked = weir_run_for(visit->socket, note, visit);
    bool is_own = weir_scheduler_of(visit->socket) == weir_current_scheduler();
    cr_expect(!is_own || atomic_load(&visit->count) == 0, "under the call");
}

Test(reach, work_is_run_on_the_sockets_scheduler)
{
    int peers[8];
    struct loopback loopback = loopback_start(&two_schedulers);
    (void)serve(loopback.runtime, peers, 8);
    for (int i = 0; i < 8; i++)
        for (int from = -1; from < 2; from++) {
            struct visit visit = {.socket = accepted[i]};
            if (from < 0)
                GIVES(weir_run_for(visit.socket, note, &visit), 0);
            else
                run_there(loopback.runtime, (uint32_t)from, run_for_here, &visit);
            GIVES(visit.asked, 0);
            EVENTUALLY(atomic_load(&visit.count) == 1);
            GIVES(visit.result, 0);
            cr_expect(visit.socket_data == &states[i]);
            cr_expect(visit.scheduler == weir_scheduler_of(visit.socket));
        }
    leave(peers, 8);
    loopback_close(&loopback);
}

/* Which is not for who is called behind it. */
static void say_something(void *unused)
{
    weir_address address;
    (void)unused;
    cr_expect(weir_address_parse("stale", &address) == -EINVAL);
}

static void say_something_and_visit(void *data)
{
    struct visit *visit = data;
    GIVES(weir_run_on(visit->runtime, 0, say_something, NULL), 0);
    GIVES(weir_run_for(visit->socket, note, visit), 0);
}

Test(reach, work_for_a_socket_that_is_gone_is_told_so)
{
    int peer;
    struct loopback loopback = loopback_start(NULL);
    (void)serve(loopback.runtime, &peer, 1);
    struct visit visit = {.socket = accepted[0]};
    void *data;
    GIVES(weir_close(visit.socket), 0);
    visit.runtime = loopback.runtime;
    run_there(loopback.runtime, 0, say_something_and_visit, &visit);
    EVENTUALLY(atomic_load(&visit.count) == 1);
    GIVES(visit.result, WEIR_CLOSED);
    cr_expect(visit.socket_data == NULL);
    GIVES(weir_get_data(visit.socket, &data), -EINVAL);
    GIVES(weir_is_busy(visit.socket), WEIR_CLOSED);
    GIVES(weir_cancel(visit.socket, NULL), WEIR_CLOSED);
    GIVES(weir_run_for((weir_socket){0}, note, &visit), WEIR_CLOSED);
    leave(&peer, 1);
    loopback_close(&loopback);
    GIVES(weir_run_for(visit.socket, note, &visit), WEIR_CLOSED);
    GIVES(weir_scheduler_of(visit.socket), WEIR_CLOSED);
    cr_expect(atomic_load(&visit.count) == 1);
}

Test(reach, data_is_read)
{
    int peer;
    void *data = NULL;
    struct loopback loopback = loopback_start(NULL);
    weir_socket service = serve(loopback.runtime, &peer, 1);
    GIVES(weir_get_data(accepted[0], &data), 0);
    cr_expect(data == &states[0]);
    GIVES(weir_get_data(service, &data), 0);
    cr_expect(data == NULL);
    leave(&peer, 1);
    loopback_close(&loopback);
}

Test(reach, a_mailbox_has_no_data)
{
    void *data;
    struct loopback loopback = loopback_open("[{active,true}]");
    GIVES(weir_get_data(loopback.socket, &data), -EINVAL);
    loopback_close(&loopback);
}

Test(reach, busy_is_told)
{
    struct loopback loopback = loopback_open("[{active,false}," SMALL_BUFFERS
                                             ",{high_watermark,100000},{low_watermark,50000}]");
    GIVES(weir_is_busy(loopback.socket), 0);
    GIVES(weir_is_busy(loopback.listener), -ENOTCONN);
    fill_queue(&loopback);
    struct answer answer = {0};
    GIVES(weir_send_async(loopback.socket, "x", 1, answer_sent, &answer), 0);
    settle(loopback.socket); /* it waits, since the queue was not empty */
    GIVES(weir_is_busy(loopback.socket), 1);
    peer_reset(&loopback.peer);
    cr_expect(answer_wait(&answer) < 0);
    GIVES(weir_is_busy(loopback.socket), -ENOTCONN);
    loopback_close(&loopback);
}

/* Datagrams of a handler's leave when its turn ends, so the queue grows as long as it sends. */
struct sender {
    weir_socket socket;
    weir_address to;
    int busy[2]; /* before it is refused, and then */
    int refused;
    atomic_int unbusy;
};

static void send_until_refused(void *data)
{
    enum { SENDS_MAX = 1000 };
    static const char bytes[60000];
    struct sender *sender = data;
    sender->busy[0] = weir_is_busy(sender->socket);
    for (int i = 0; sender->refused == 0 && i < SENDS_MAX; i++)
        sender->refused = weir_udp_send(sender->socket, &sender->to, bytes, sizeof(bytes));
    sender->busy[1] = weir_is_busy(sender->socket);
}

static void note_unbusy(weir_socket socket, void *data)
{
    struct sender *sender = data;
    atomic_store(&sender->unbusy, weir_is_busy(socket) == 0 ? 1 : -1);
}

Test(reach, a_busy_udp_socket_is_told)
{
    static const weir_handler told = {.unbusy = note_unbusy};
    struct sender sender = {.refused = 0};
    struct loopback loopback = loopback_start(NULL);
    const weir_option *options = WEIR_OPTIONS(WEIR_IP_LOOPBACK());
    GIVES(weir_udp_open(loopback.runtime, 0, options, weir_handled_by(&told, &sender),
                        &sender.socket),
          0);
    GIVES(weir_sockname(sender.socket, &sender.to), 0); /* who takes in and who sends are one */
    run_there(loopback.runtime, 0, send_until_refused, &sender);
    GIVES(sender.refused, -EAGAIN);
    GIVES(sender.busy[0], 0);
    GIVES(sender.busy[1], 1);
    EVENTUALLY(atomic_load(&sender.unbusy) != 0);
    cr_expect(atomic_load(&sender.unbusy) == 1);
    GIVES(weir_is_busy(sender.socket), 0);
    loopback_close(&loopback);
}

/* Cancelled calls. */

Test(reach, a_recv_is_cancelled_and_the_next_gets_the_bytes)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    struct answer answer = {0};
    struct answer other = {0};
    peer_say(loopback.peer, "abc");
    GIVES(weir_recv_async(loopback.socket, 5, WEIR_INFINITY, answer_received, &answer), 0);
    settle(loopback.socket);
    GIVES(weir_cancel(loopback.socket, &other), 0);
    GIVES(weir_cancel(loopback.socket, &answer), 1);
    GIVES(answer_wait(&answer), -ECANCELED);
    GIVES(weir_cancel(loopback.socket, &answer), 0);
    expect_received(loopback.socket, 3, "abc");
    cr_expect(answer_count(&answer) == 1);
    loopback_close(&loopback);
}

Test(reach, accepts_are_cancelled_by_their_data)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket listener = listen_with(loopback.runtime, "[{active,false}]");
    struct answer wanted = {0};
    struct answer unwanted = {0};
    for (int i = 0; i < 2; i++)
        GIVES(weir_tcp_accept_async(listener, weir_owned_by_nobody(), WEIR_INFINITY, answer_opened,
                                    &unwanted),
              0);
    GIVES(weir_tcp_accept_async(listener, weir_owned_by_nobody(), WEIR_INFINITY, answer_opened,
                                &wanted),
          0);
    settle(listener);
    GIVES(weir_cancel(listener, &unwanted), 2);
    EVENTUALLY(answer_count(&unwanted) == 2);
    GIVES(unwanted.result, -ECANCELED);
    int peer = peer_connect(weir_port(listener));
    GIVES(answer_wait(&wanted), 0);
    peer_leave(&peer);
    loopback_close(&loopback);
}

/* A thread waits for itself: nobody else ends its wait. */
Test(reach, a_thread_that_waits_is_left_alone)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    struct background background = {.work = receive_in_background, .socket = loopback.socket};
    background_start(&background);
    settle(loopback.socket);
    GIVES(weir_cancel(loopback.socket, NULL), 0);
    peer_say(loopback.peer, "x");
    cr_expect(background_join(&background) >= 0);
    loopback_close(&loopback);
}

/* All of them. */

static atomic_int seen;

static void close_it(weir_socket socket, void *socket_data, void *data)
{
    (void)data;
    cr_expect(socket_data >= (void *)states && socket_data < (void *)(states + 8));
    cr_expect(weir_close(socket) == 0);
    atomic_fetch_add(&seen, 1);
}

static void ignore_answer(const weir_hostent *hostent, int result, void *data)
{
    (void)hostent;
    (void)result;
    (void)data;
}

/* What weir itself has there to look a name up is nobody's socket. */
static void look_up_and_visit_all(void *data)
{
    struct visit *visit = data;
    visit->asked =
        weir_getaddrs_async(visit->runtime, "a.name.invalid", WEIR_INET, 1000, ignore_answer, NULL);
    visit->result = weir_each_socket(close_it, NULL);
}

static int sleep_for_ever(void *unused)
{
    (void)unused;
    return weir_sleep(WEIR_INFINITY);
}

Test(reach, a_process_is_no_socket)
{
    struct loopback loopback = loopback_start(NULL);
    weir_process process;
    weir_address address;
    weir_statistics statistics;
    GIVES(weir_spawn(loopback.runtime, 0, sleep_for_ever, NULL, NULL, &process), 0);
    const weir_socket handle = {process.id};
    GIVES(weir_getstat(handle, &statistics), -EINVAL);
    GIVES(weir_sockname(handle, &address), -EINVAL);
    GIVES(weir_setopts(handle, WEIR_OPTIONS(WEIR_NODELAY(true))), -EINVAL);
    GIVES(weir_is_busy(handle), -ENOTCONN);
    GIVES(weir_kill(process), 0);
    loopback_close(&loopback);
}

Test(reach, no_socket_but_the_applications)
{
    const weir_config config = {
        .schedulers = 1,
        .inet_terms = "{lookup,[dns]}. {resolv_conf,\"\"}. {hosts_file,\"\"}. clear_ns. "
                      "{nameserver,{127,0,0,1},9}."};
    struct loopback loopback = loopback_start(&config);
    struct visit visit = {.runtime = loopback.runtime};
    run_there(loopback.runtime, 0, look_up_and_visit_all, &visit);
    GIVES(visit.asked, 0);
    GIVES(visit.result, 0);
    loopback_close(&loopback);
}

static void visit_all(void *data)
{
    int *count = data;
    *count += weir_each_socket(close_it, NULL);
}

Test(reach, each_socket_of_each_scheduler_once)
{
    int peers[8];
    int count = 0;
    struct loopback loopback = loopback_start(&two_schedulers);
    (void)serve(loopback.runtime, peers, 8);
    GIVES(weir_each_socket(close_it, NULL), -EINVAL);
    atomic_store(&seen, 0);
    for (uint32_t scheduler = 0; scheduler < 2; scheduler++)
        run_there(loopback.runtime, scheduler, visit_all, &count);
    cr_expect(count == 8 && atomic_load(&seen) == 8);
    for (int i = 0; i < 8; i++)
        peer_expect_end(peers[i]);
    for (uint32_t scheduler = 0; scheduler < 2; scheduler++)
        run_there(loopback.runtime, scheduler, visit_all, &count);
    cr_expect(count == 8);
    leave(peers, 8);
    loopback_close(&loopback);
}

/* It may be that those are visited too, but not for ever. */
static void open_another(weir_socket socket, void *socket_data, void *data)
{
    struct visit *visit = data;
    weir_socket another;
    (void)socket;
    (void)socket_data;
    if (atomic_fetch_add(&visit->count, 1) < 1000)
        cr_expect(weir_udp_open(visit->runtime, 0, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                                weir_owned_by_nobody(), &another) == 0);
}

static void visit_and_open(void *data)
{
    struct visit *visit = data;
    visit->result = weir_each_socket(open_another, visit);
}

Test(reach, a_visit_that_opens_sockets_ends)
{
    int peer;
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 1});
    struct visit visit = {.runtime = loopback.runtime};
    (void)serve(loopback.runtime, &peer, 1);
    run_there(loopback.runtime, 0, visit_and_open, &visit);
    cr_expect(visit.result >= 1 && visit.result < 1000, "%d", visit.result);
    leave(&peer, 1);
    loopback_close(&loopback);
}
