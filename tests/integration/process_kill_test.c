/* SPDX-License-Identifier: MIT */
/* What a process may be killed in. */
#include "integration/in_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const weir_config two_schedulers = {.schedulers = 2};

/* Who sends to one that takes nothing. */
struct sender {
    weir_socket socket;
    weir_process process;
    char host[160]; /* unix:@NAME */
    atomic_uint count;
};

/* Until it counts no more: it waits. */
static void wait_until_it_waits(struct sender *sender)
{
    unsigned before;
    do {
        before = atomic_load(&sender->count);
        cr_assert(weir_sleep(50) == 0);
    } while (atomic_load(&sender->count) == 0 || atomic_load(&sender->count) != before);
}

static void expect_killed(struct loopback *loopback, weir_process process)
{
    weir_message message;
    GIVES(weir_monitor(process, loopback->mailbox, NULL), 0);
    GIVES(weir_kill(process), 0);
    GIVES(weir_mailbox_receive(loopback->mailbox, AT_ONCE_MS, &message), 0);
    cr_assert(message.process.id == process.id && message.error == WEIR_KILLED);
}

static int send_for_ever(void *data)
{
    static const char bytes[64 << 10];
    struct sender *sender = data;
    int result;
    while ((result = weir_send(sender->socket, bytes, sizeof(bytes))) == 0)
        atomic_fetch_add(&sender->count, 1);
    return result;
}

/* Behind one whose bytes are queued already, and who waits without an end. */
Test(process_kill, in_a_send_behind_anothers)
{
    struct loopback loopback = loopback_start(&two_schedulers);
    loopback.listener = listen_with(
        loopback.runtime, "[binary,{active,false},{high_watermark,8192}," SMALL_BUFFERS "]");
    loopback_reopen(&loopback);
    int its = weir_scheduler_of(loopback.socket);
    for (int i = 0; i < 2; i++) {
        struct sender first = {.socket = loopback.socket}, second = first;
        weir_process crossing = spawn_on(&loopback, 1 - its, send_for_ever, &first);
        wait_until_it_waits(&first);
        weir_process behind = spawn_on(&loopback, i, send_for_ever, &second);
        cr_assert(weir_sleep(50) == 0);
        cr_assert(atomic_load(&second.count) == 0);
        expect_killed(&loopback, behind);
        expect_killed(&loopback, crossing);
        loopback_reopen(&loopback);
    }
    loopback_close(&loopback);
}

static int serve(weir_socket socket, void *data)
{
    struct sender *sender = data;
    sender->socket = socket;
    sender->process = weir_self();
    return send_for_ever(data);
}

/* Which is no time-out: what it had queued is still sent, that of the send it waits in as well. */
Test(process_kill, in_a_send_that_closes_by_its_time_out)
{
    struct loopback loopback = loopback_start(NULL);
    struct sender sender = {.count = 0};
    const weir_spawner spawner = {.serve = serve, .data = &sender};
    weir_socket service;
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0,
                         WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_SNDBUF(4096),
                                      WEIR_HIGH_WATERMARK(8192), WEIR_SEND_TIMEOUT_CLOSE(true)),
                         weir_spawning(&spawner), &service),
          0);
    int peer = peer_connect_with(weir_port(service), 4096);
    wait_until_it_waits(&sender);
    expect_killed(&loopback, sender.process);
    int64_t got = peer_drain(peer);
    int64_t sent = ((int64_t)atomic_load(&sender.count) + 1) * (64 << 10);
    cr_assert(got == sent, "%lld bytes, not %lld", (long long)got, (long long)sent);
    peer_leave(&peer);
    loopback_close(&loopback);
}

/* At an abstract name, which the system chooses; it takes nothing. */
static int deaf_peer(char *host, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof(address);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0);
    cr_assert(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    int name_size = (int)(length - sizeof(sa_family_t) - 1);
    snprintf(host, size, "unix:@%.*s", name_size, address.sun_path + 1);
    return fd;
}

static int send_datagrams_for_ever(void *data)
{
    struct sender *sender = data;
    int result;
    while ((result = weir_udp_send(sender->socket, NULL, "hello", 5)) == 0)
        atomic_fetch_add(&sender->count, 1);
    return result;
}

static int send_to_its_name_for_ever(void *data)
{
    struct sender *sender = data;
    int result;
    while ((result = weir_udp_send_to(sender->socket, sender->host, 0, "hello", 5, WAIT_MS)) == 0)
        atomic_fetch_add(&sender->count, 1);
    return result;
}

/* Which may never have room. On the socket's scheduler and on another. */
Test(process_kill, in_a_send_to_a_local_peer)
{
    weir_process_function *sends[] = {send_datagrams_for_ever, send_to_its_name_for_ever};
    struct loopback loopback = loopback_start(&two_schedulers);
    for (int i = 0; i < 4; i++) {
        struct sender sender = {.count = 0};
        int peer = deaf_peer(sender.host, sizeof(sender.host));
        weir_option *options;
        GIVES(weir_options_parse("[binary,local,{active,false}]", &options), 0);
        GIVES(weir_udp_open(loopback.runtime, 0, options, weir_owned_by_nobody(), &sender.socket),
              0);
        weir_options_free(options);
        GIVES(set(sender.socket, "[{high_watermark,64}]"), 0);
        GIVES(weir_udp_connect_to(sender.socket, sender.host, 0, WAIT_MS), 0);
        weir_process first = spawn_on(&loopback, i % 2, sends[i / 2], &sender);
        wait_until_it_waits(&sender);
        weir_process behind = spawn_on(&loopback, i % 2, sends[i / 2], &sender);
        expect_killed(&loopback, first);
        expect_killed(&loopback, behind);
        GIVES(weir_close(sender.socket), 0);
        close(peer);
    }
    loopback_close(&loopback);
}

/* Takes no notice of it. */
static int send_again_and_again(void *data)
{
    struct sender *sender = data;
    weir_packet packet;
    for (int i = 0; i < 1000; i++) {
        (void)!weir_udp_recv(sender->socket, WEIR_INFINITY, &packet);
        (void)!weir_udp_send_to(sender->socket, "127.0.0.1", 9, "x", 1, WAIT_MS);
        atomic_fetch_add(&sender->count, 1);
    }
    return 0;
}

Test(process_kill, who_sends_to_a_host_after_it_does_not_come_back)
{
    struct loopback loopback = loopback_start(NULL);
    struct sender sender = {.count = 0};
    GIVES(weir_udp_open(loopback.runtime, 0, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                        weir_owned_by_nobody(), &sender.socket),
          0);
    weir_process process = spawn_on(&loopback, 0, send_again_and_again, &sender);
    cr_assert(weir_sleep(20) == 0);
    expect_killed(&loopback, process);
    cr_assert(atomic_load(&sender.count) == 0, "%u", atomic_load(&sender.count));
    loopback_close(&loopback);
}

/* Looks for messages, and never waits for one. */
static int look_for_ever(void *data)
{
    weir_message message;
    int result = WEIR_TIMEOUT;
    atomic_fetch_add((atomic_uint *)data, 1);
    for (int i = 0; i < 100000000 && result == WEIR_TIMEOUT; i++)
        result = weir_receive(0, &message);
    return result;
}

Test(process_kill, while_it_looks_for_messages)
{
    struct loopback loopback = loopback_start(NULL);
    atomic_uint count = 0;
    weir_process process = spawn_on(&loopback, 0, look_for_ever, &count);
    EVENTUALLY(atomic_load(&count) == 1);
    expect_killed(&loopback, process);
    loopback_close(&loopback);
}

/* Calls that may wait, and end who makes one after it was told that it is killed. */

static weir_runtime *runtime;
static weir_socket listener;
static weir_socket connection;
static weir_socket datagrams;
static weir_process other;

static void open_datagrams(void)
{
    GIVES(weir_udp_open(runtime, 0, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                        weir_owned_by_nobody(), &datagrams),
          0);
}

static int spawn_another(void)
{
    return weir_spawn(runtime, WEIR_ANY_SCHEDULER, look_for_ever, NULL, NULL, NULL);
}

static int sleep_a_while(void)
{
    return weir_sleep(0);
}

static int watch(void)
{
    return weir_monitor(other, NULL, NULL);
}

static int watch_no_more(void)
{
    return weir_demonitor(other, NULL, NULL);
}

static int give(void)
{
    return weir_give(connection, weir_owned_by_nobody(), other);
}

static int look_up(void)
{
    weir_hostent *hostent;
    int result = weir_gethostbyname(runtime, "a.host", 0, &hostent);
    weir_hostent_free(hostent);
    return result;
}

static int accept_one(void)
{
    weir_socket socket;
    return weir_tcp_accept(listener, weir_owned_by_nobody(), 0, &socket);
}

static int connect_to_one(void)
{
    weir_socket socket;
    return weir_tcp_connect(runtime, "127.0.0.1", 9, NULL, weir_owned_by_self(), 0, &socket);
}

static int send_locally(void)
{
    return weir_local_send(connection, &(weir_local_message){.bytes = "x", .size = 1});
}

static int send_it(void)
{
    return weir_send(connection, "x", 1);
}

static int receive_it(void)
{
    weir_packet packet;
    return weir_recv(connection, 0, 0, &packet);
}

static int send_datagram(void)
{
    return weir_udp_send(datagrams, NULL, "x", 1);
}

static int send_datagram_to_a_host(void)
{
    return weir_udp_send_to(datagrams, "127.0.0.1", 9, "x", 1, 0);
}

static int connect_to_a_host(void)
{
    return weir_udp_connect_to(datagrams, "127.0.0.1", 9, 0);
}

static int receive_datagram(void)
{
    weir_packet packet;
    return weir_udp_recv(datagrams, 0, &packet);
}

static int receive_message(void)
{
    weir_message message;
    return weir_receive(0, &message);
}

static const struct last_call {
    const char *name;
    int (*call)(void);
} last_calls[] = {
    {"spawn", spawn_another},
    {"sleep", sleep_a_while},
    {"monitor", watch},
    {"demonitor", watch_no_more},
    {"give", give},
    {"gethostbyname", look_up},
    {"tcp_accept", accept_one},
    {"tcp_connect", connect_to_one},
    {"local_send", send_locally},
    {"send", send_it},
    {"recv", receive_it},
    {"udp_send", send_datagram},
    {"udp_send_to", send_datagram_to_a_host},
    {"udp_connect_to", connect_to_a_host},
    {"udp_recv", receive_datagram},
    {"receive", receive_message},
};

static atomic_uint came_back;

static int call_when_killed(void *data)
{
    const struct last_call *last = data;
    if (weir_sleep(WEIR_INFINITY) == WEIR_KILLED)
        (void)last->call();
    atomic_fetch_add(&came_back, 1);
    return 0;
}

Test(process_kill, no_call_that_may_wait_comes_back_after_it)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    runtime = loopback.runtime;
    listener = loopback.listener;
    connection = loopback.socket;
    open_datagrams();
    for (size_t i = 0; i < sizeof(last_calls) / sizeof(last_calls[0]); i++) {
        other = spawn_on(&loopback, 0, call_when_killed, (void *)&last_calls[0]);
        weir_process process = spawn_on(&loopback, 0, call_when_killed, (void *)&last_calls[i]);
        settle(datagrams); /* it sleeps */
        expect_killed(&loopback, process);
        cr_expect(atomic_load(&came_back) == 0, "%s comes back", last_calls[i].name);
        expect_killed(&loopback, other);
    }
    loopback_close(&loopback);
}

/* In whatever turn until its name is known: when the first address fails in that very turn, which
 * it has not heard of, the next is the last that is tried. */
struct victim {
    weir_process process;
    weir_mailbox *mailbox; /* that is told of its end */
    int turns;             /* until it is killed */
    int result;
};

static int send_to_many(void *data)
{
    struct victim *victim = data;
    victim->result = weir_udp_send_to(datagrams, "many", 9, "x", 1, WEIR_INFINITY);
    return victim->result;
}

static void kill_victim(void *data)
{
    struct victim *victim = data;
    if (victim->turns-- == 0)
        cr_expect(weir_kill(victim->process) == 0);
    else
        cr_expect(weir_run_on(runtime, 0, kill_victim, victim) == 0);
}

static void spawn_and_kill(void *data)
{
    struct victim *victim = data;
    cr_expect(weir_spawn(runtime, 0, send_to_many, victim, NULL, &victim->process) == 0);
    cr_expect(weir_monitor(victim->process, victim->mailbox, NULL) == 0);
    kill_victim(victim);
}

/* The system refuses it, and says so to the next who sends. */
static void send_to_all(void *unused)
{
    const weir_address all = {.family = WEIR_INET, .bytes = {255, 255, 255, 255}, .port = 9};
    (void)unused;
    cr_expect(weir_udp_send(datagrams, &all, "x", 1) == 0);
}

Test(process_kill, between_two_addresses)
{
    const weir_config config = {.schedulers = 1,
                                .inet_terms = "{lookup,[file]}. {host,{127,0,0,2},[\"many\"]}. "
                                              "{host,{127,0,0,1},[\"many\"]}."};
    struct loopback loopback = loopback_start(&config);
    weir_message message;
    weir_address address;
    runtime = loopback.runtime;
    GIVES(weir_getaddr(runtime, "many", WEIR_INET, WAIT_MS, &address), 0);
    for (int turns = 0; turns < 3; turns++) {
        struct victim victim = {.mailbox = loopback.mailbox, .turns = turns, .result = 1};
        open_datagrams();
        run_there(runtime, 0, send_to_all, NULL);
        settle(datagrams);
        run_there(runtime, 0, spawn_and_kill, &victim);
        GIVES(weir_mailbox_receive(loopback.mailbox, WAIT_MS, &message), 0);
        cr_expect(victim.result == WEIR_KILLED || victim.result == 1, "after %d turns it gives %s",
                  turns, result_text(victim.result));
        GIVES(weir_close(datagrams), 0);
    }
    loopback_close(&loopback);
}
