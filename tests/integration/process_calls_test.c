/* SPDX-License-Identifier: MIT */
/* What processes wait for, and what they own. */
#include "integration/in_process.h"

#include <unistd.h>

static const weir_config two_schedulers = {.schedulers = 2};

/* What a process is told of. */
struct stage {
    struct loopback *loopback;
    weir_socket listener;
    int port;
    weir_socket kept;
    weir_process other;
    int fd;
    struct answer answer;
};

#define RAW WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_MODE(WEIR_BINARY))

/* The echo server of the manual: accepts one, and echoes to its end. */
static int serve_one(void *data)
{
    struct stage *stage = data;
    weir_socket socket;
    weir_packet packet;
    EXPECT(weir_tcp_accept(stage->listener, weir_owned_by_nobody(), WAIT_MS, &socket) == 0);
    EXPECT(weir_scheduler_of(socket) == weir_current_scheduler());
    int result;
    while ((result = weir_recv(socket, 0, WAIT_MS, &packet)) == 0) {
        EXPECT(weir_send_packet(socket, &packet) == 0);
        weir_packet_release(&packet);
    }
    EXPECT(result == WEIR_CLOSED);
    return weir_close(socket);
}

static int ask(void *data)
{
    struct stage *stage = data;
    weir_socket socket;
    weir_packet packet;
    weir_runtime *runtime = stage->loopback->runtime;
    EXPECT(weir_tcp_connect(runtime, "127.0.0.1", (uint16_t)stage->port, RAW, weir_owned_by_self(),
                            WAIT_MS, &socket) == 0);
    EXPECT(weir_scheduler_of(socket) == weir_current_scheduler());
    for (int i = 0; i < 100; i++) {
        EXPECT(weir_send(socket, "hello", 5) == 0);
        EXPECT(weir_recv(socket, 5, WAIT_MS, &packet) == 0);
        EXPECT(packet.size == 5 && memcmp(packet.bytes, "hello", 5) == 0);
        weir_packet_release(&packet);
    }
    EXPECT(weir_recv(socket, 1, 0, &packet) == WEIR_TIMEOUT);
    EXPECT(weir_recv(socket, 1, 10, &packet) == WEIR_TIMEOUT);
    return weir_close(socket);
}

/* Server and client on the same scheduler, and on others than the listener's. */
Test(process_calls, echo)
{
    struct loopback loopback = loopback_start(&two_schedulers);
    struct stage stage = {.loopback = &loopback};
    stage.listener = listen_with(loopback.runtime, "[{active,false},binary]");
    stage.port = weir_port(stage.listener);
    for (int where = 0; where < 4; where++) {
        weir_process server = spawn_on(&loopback, where % 2, serve_one, &stage);
        int reason = run_process_on(&loopback, where / 2, ask, &stage);
        cr_assert(reason == 0, "line %d", reason);
        GIVES(weir_monitor(server, loopback.mailbox, NULL), 0);
        reason = next_message(loopback.mailbox).error;
        cr_assert(reason == 0 || reason == WEIR_NOPROC, "line %d", reason);
    }
    loopback_close(&loopback);
}

static int listen_and_wait(void *data)
{
    struct stage *stage = data;
    weir_socket socket;
    EXPECT(weir_tcp_listen(stage->loopback->runtime, "127.0.0.1", 0, RAW, &stage->listener) == 0);
    EXPECT(weir_tcp_accept(stage->listener, weir_owned_by_nobody(), 10, &socket) == WEIR_TIMEOUT);
    EXPECT(weir_tcp_accept(stage->listener, weir_owned_by_nobody(), 0, &socket) == WEIR_TIMEOUT);
    return 0;
}

Test(process_calls, its_listener_ends_with_it)
{
    struct loopback loopback = loopback_start(NULL);
    struct stage stage = {.loopback = &loopback};
    RUNS(&loopback, listen_and_wait, &stage);
    cr_assert(weir_port(stage.listener) == -EINVAL);
    loopback_close(&loopback);
}

static int connect_to_nobody(void *data)
{
    struct stage *stage = data;
    weir_socket socket;
    EXPECT(weir_tcp_connect(stage->loopback->runtime, "127.0.0.1", (uint16_t)stage->port, NULL,
                            weir_owned_by_nobody(), WAIT_MS, &socket) == -ECONNREFUSED);
    EXPECT(strstr(weir_last_error_text(), "127.0.0.1"));
    EXPECT(weir_tcp_connect(stage->loopback->runtime, "localhost", (uint16_t)stage->port, NULL,
                            weir_owned_by_nobody(), WAIT_MS, &socket) == -ECONNREFUSED);
    return 0;
}

Test(process_calls, a_connect_that_is_refused)
{
    struct loopback loopback = loopback_start(&two_schedulers);
    struct stage stage = {.loopback = &loopback};
    int fd = peer_bind(&stage.port);
    for (int scheduler = 0; scheduler < 2; scheduler++) {
        int reason = run_process_on(&loopback, scheduler, connect_to_nobody, &stage);
        cr_assert(reason == 0, "line %d", reason);
    }
    close(fd);
    loopback_close(&loopback);
}

static int look_up(void *data)
{
    struct stage *stage = data;
    weir_hostent *host;
    weir_address address;
    EXPECT(weir_gethostbyname(stage->loopback->runtime, "localhost", WAIT_MS, &host) == 0);
    EXPECT(host->address_count > 0);
    weir_hostent_free(host);
    EXPECT(weir_getaddr(stage->loopback->runtime, "127.0.0.1", WEIR_INET, WAIT_MS, &address) == 0);
    return 0;
}

Test(process_calls, look_ups)
{
    struct loopback loopback = loopback_start(&two_schedulers);
    struct stage stage = {.loopback = &loopback};
    for (int scheduler = 0; scheduler < 2; scheduler++) {
        int reason = run_process_on(&loopback, scheduler, look_up, &stage);
        cr_assert(reason == 0, "line %d", reason);
    }
    loopback_close(&loopback);
}

/* {active,once}, as the manual's example has it. */
static int echo_once(void *data)
{
    struct stage *stage = data;
    weir_message message;
    EXPECT(weir_tcp_accept(stage->listener, weir_owned_by_nobody(), WAIT_MS, &stage->kept) == 0);
    for (;;) {
        EXPECT(weir_setopts(stage->kept, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_ONCE))) == 0);
        EXPECT(weir_receive(WAIT_MS, &message) == 0);
        EXPECT(weir_same_socket(message.socket, stage->kept));
        if (message.kind == WEIR_MESSAGE_CLOSED)
            return 0;
        EXPECT(message.kind == WEIR_MESSAGE_DATA);
        EXPECT(weir_send_packet(stage->kept, &message.packet) == 0);
        weir_packet_release(&message.packet);
    }
}

Test(process_calls, what_an_active_socket_tells_comes_to_its_mailbox)
{
    struct loopback loopback = loopback_start(NULL);
    struct stage stage = {.loopback = &loopback};
    stage.listener = listen_with(loopback.runtime, "[{active,false},binary]");
    weir_process process = spawn_on(&loopback, 0, echo_once, &stage);
    GIVES(weir_monitor(process, loopback.mailbox, NULL), 0);
    int peer = peer_connect(weir_port(stage.listener));
    for (int i = 0; i < 20; i++) {
        peer_say(peer, "knock");
        peer_expect(peer, "knock");
    }
    peer_leave(&peer);
    int reason = reason_of(&loopback, process);
    cr_assert(reason == 0, "line %d", reason);
    loopback_close(&loopback);
}

static int accept_and_wait(void *data)
{
    struct stage *stage = data;
    weir_packet packet;
    EXPECT(weir_tcp_accept(stage->listener, weir_owned_by_nobody(), WAIT_MS, &stage->kept) == 0);
    EXPECT(weir_send(stage->kept, "in", 2) == 0);
    return weir_recv(stage->kept, 0, WEIR_INFINITY, &packet);
}

Test(process_calls, its_end_closes_what_it_owns)
{
    struct loopback loopback = loopback_start(NULL);
    struct stage stage = {.loopback = &loopback};
    stage.listener = listen_with(loopback.runtime, "[{active,false},binary]");
    weir_process process = spawn_on(&loopback, 0, accept_and_wait, &stage);
    GIVES(weir_monitor(process, loopback.mailbox, NULL), 0);
    int peer = peer_connect(weir_port(stage.listener));
    peer_expect(peer, "in");
    GIVES(weir_kill(process), 0);
    cr_assert(reason_of(&loopback, process) == WEIR_KILLED);
    peer_expect_end(peer);
    cr_assert(weir_port(stage.kept) == -EINVAL);
    peer_leave(&peer);
    loopback_close(&loopback);
}

static int wait_in_accept(void *data)
{
    weir_socket socket;
    return weir_tcp_accept(((struct stage *)data)->listener, weir_owned_by_nobody(), WEIR_INFINITY,
                           &socket);
}

/* The listener may be another scheduler's: the kill goes there, and comes back. */
Test(process_calls, a_kill_reaches_it_on_another_scheduler)
{
    struct loopback loopback = loopback_start(&two_schedulers);
    struct stage stage = {.loopback = &loopback};
    stage.listener = listen_with(loopback.runtime, "[{active,false},binary]");
    for (int i = 0; i < 100; i++) {
        weir_process process = spawn_on(&loopback, i % 2, wait_in_accept, &stage);
        GIVES(weir_monitor(process, loopback.mailbox, NULL), 0);
        GIVES(weir_kill(process), 0);
        cr_assert(reason_of(&loopback, process) == WEIR_KILLED);
    }
    int peer = peer_connect(weir_port(stage.listener));
    weir_socket socket;
    GIVES(weir_tcp_accept(stage.listener, weir_owned_by_nobody(), WAIT_MS, &socket), 0);
    peer_leave(&peer);
    loopback_close(&loopback);
}

/* Kills that cross with what was waited for: a connection is taken by the process, and closed with
 * it, or stays for the next. */
Test(process_calls, kills_cross_with_connections)
{
    struct loopback loopback = loopback_start(&two_schedulers);
    struct stage stage = {.loopback = &loopback};
    stage.listener = listen_with(loopback.runtime, "[{active,false},binary]");
    for (int i = 0; i < 200; i++) {
        weir_process process = spawn_on(&loopback, i % 2, wait_in_accept, &stage);
        GIVES(weir_monitor(process, loopback.mailbox, NULL), 0);
        int peer = peer_connect(weir_port(stage.listener));
        GIVES(weir_kill(process), 0);
        int reason = reason_of(&loopback, process);
        cr_assert(reason == 0 || reason == WEIR_KILLED);
        weir_socket socket;
        if (weir_tcp_accept(stage.listener, weir_owned_by_nobody(), 0, &socket) == 0)
            weir_close(socket);
        peer_leave(&peer);
    }
    loopback_close(&loopback);
}

static int take_over(void *data)
{
    struct stage *stage = data;
    weir_message message;
    EXPECT(weir_receive(WAIT_MS, &message) == 0); /* that it is its own now */
    EXPECT(message.kind == WEIR_MESSAGE_DATA);
    EXPECT(message.packet.size == 3 && memcmp(message.packet.bytes, "one", 3) == 0);
    weir_packet_release(&message.packet);
    EXPECT(weir_send(stage->kept, "two", 3) == 0);
    EXPECT(weir_receive(WAIT_MS, &message) == 0 && message.kind == WEIR_MESSAGE_CLOSED);
    return 0;
}

static int give_away(void *data)
{
    struct stage *stage = data;
    weir_owner self = weir_owned_by_self();
    EXPECT(weir_tcp_accept(stage->listener, self, WAIT_MS, &stage->kept) == 0);
    EXPECT(weir_setopts(stage->kept, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_TRUE))) == 0);
    peer_say(stage->fd, "one");
    while (weir_mailbox_count(self.mailbox) == 0)
        EXPECT(weir_sleep(1) == 0);
    EXPECT(weir_give(stage->kept, self, stage->other) == 0);
    EXPECT(weir_mailbox_count(self.mailbox) == 0);
    EXPECT(weir_give(stage->kept, self, stage->other) == 0); /* its owner already */
    EXPECT(weir_controlling_process(stage->kept, self, self) == WEIR_NOT_OWNER);
    weir_process nobody = {0};
    EXPECT(weir_give(stage->kept, self, nobody) == WEIR_NOPROC);
    return 0;
}

/* With the message that had come. The first one's end does not close it. */
Test(process_calls, controlling_process)
{
    struct loopback loopback = loopback_start(&two_schedulers);
    struct stage stage = {.loopback = &loopback};
    stage.listener = listen_with(loopback.runtime, "[{active,false},binary]");
    for (int i = 0; i < 4; i++) {
        stage.other = spawn_on(&loopback, i % 2, take_over, &stage);
        GIVES(weir_monitor(stage.other, loopback.mailbox, NULL), 0);
        stage.fd = peer_connect(weir_port(stage.listener));
        weir_process first = spawn_on(&loopback, i / 2, give_away, &stage);
        peer_expect(stage.fd, "two");
        peer_leave(&stage.fd);
        int reason = reason_of(&loopback, stage.other);
        cr_assert(reason == 0, "line %d", reason);
        GIVES(weir_monitor(first, loopback.mailbox, NULL), 0);
        reason = reason_of(&loopback, first);
        cr_assert(reason == 0 || reason == WEIR_NOPROC, "line %d", reason);
    }
    loopback_close(&loopback);
}

static int begin_to_connect(void *data)
{
    struct stage *stage = data;
    return weir_tcp_connect_async(stage->loopback->runtime, "127.0.0.1", (uint16_t)stage->port, RAW,
                                  weir_owned_by_self(), WEIR_INFINITY, answer_opened,
                                  &stage->answer);
}

/* Nobody has it then. */
Test(process_calls, its_end_ends_what_is_being_opened_for_it)
{
    struct loopback loopback = loopback_start(NULL);
    struct stage stage = {.loopback = &loopback};
    int listener = peer_listen(1, &stage.port);
    RUNS(&loopback, begin_to_connect, &stage);
    GIVES(answer_wait(&stage.answer), WEIR_CLOSED);
    GIVES(weir_drain(loopback.runtime, WAIT_MS), 0);
    close(listener);
    loopback_close(&loopback);
}

static int keep_to_itself(void *data)
{
    struct stage *stage = data;
    weir_message message;
    (void)stage;
    return weir_receive(WEIR_INFINITY, &message);
}

/* One that owns sockets of another scheduler than its own closes them there. */
Test(process_calls, its_end_closes_what_it_owns_elsewhere)
{
    enum { COUNT = 20 };
    struct loopback loopback = loopback_start(&two_schedulers);
    weir_socket listener = listen_with(loopback.runtime, "[{active,false},binary]");
    weir_process process = spawn_on(&loopback, 0, keep_to_itself, NULL);
    GIVES(weir_monitor(process, loopback.mailbox, NULL), 0);
    int peers[COUNT];
    for (int i = 0; i < COUNT; i++) {
        weir_socket socket;
        peers[i] = peer_connect(weir_port(listener));
        GIVES(weir_tcp_accept(listener, weir_owned_by_nobody(), WAIT_MS, &socket), 0);
        GIVES(weir_give(socket, weir_owned_by_nobody(), process), 0);
    }
    GIVES(weir_kill(process), 0);
    (void)reason_of(&loopback, process);
    for (int i = 0; i < COUNT; i++) {
        peer_expect_end(peers[i]);
        peer_leave(&peers[i]);
    }
    loopback_close(&loopback);
}

static int serve_connection(weir_socket socket, void *data)
{
    atomic_uint *count = data;
    weir_packet packet;
    while (weir_recv(socket, 0, WAIT_MS, &packet) == 0) {
        EXPECT(weir_send_packet(socket, &packet) == 0);
        weir_packet_release(&packet);
    }
    atomic_fetch_add(count, 1);
    return 0;
}

Test(process_calls, a_service_spawns_a_process_for_each_connection)
{
    enum { COUNT = 20 };
    struct loopback loopback = loopback_start(&two_schedulers);
    atomic_uint count = 0;
    const weir_spawner spawner = {.serve = serve_connection, .data = &count};
    weir_socket service;
    int peers[COUNT];
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0,
                         WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_PACKET(2)),
                         weir_spawning(&spawner), &service),
          0);
    for (int i = 0; i < COUNT; i++)
        peers[i] = peer_connect(weir_port(service));
    for (int i = 0; i < COUNT; i++) {
        peer_write(peers[i], "\0\3abc\0\2de", 9);
        char bytes[9];
        peer_read(peers[i], bytes, sizeof(bytes));
        cr_assert(memcmp(bytes, "\0\3abc\0\2de", 9) == 0);
        peer_leave(&peers[i]);
    }
    EVENTUALLY(atomic_load(&count) == COUNT);
    loopback_close(&loopback);
}

/* Its stack is smaller than any may be. */
Test(process_calls, a_connection_for_which_no_process_can_be_made_is_closed)
{
    struct loopback loopback = loopback_start(&two_schedulers);
    const weir_spawner spawner = {.serve = serve_connection, .options.stack_bytes = 1};
    weir_socket service;
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, RAW, weir_spawning(&spawner), &service),
          0);
    int peer = peer_connect(weir_port(service));
    peer_expect_end(peer);
    peer_leave(&peer);
    loopback_close(&loopback);
}

/* 4 MiB to a peer that reads when all waits: the process waits for room, and all of it arrives. */
static int send_much(weir_socket socket, void *data)
{
    static const char bytes[64 << 10];
    atomic_uint *count = data;
    for (int i = 0; i < 64; i++) {
        EXPECT(weir_send(socket, bytes, sizeof(bytes)) == 0);
        atomic_fetch_add(count, 1);
    }
    return 0;
}

Test(process_calls, a_send_waits_for_a_busy_socket)
{
    struct loopback loopback = loopback_start(NULL);
    atomic_uint count = 0;
    const weir_spawner spawner = {.serve = send_much, .data = &count};
    weir_socket service;
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0,
                         WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_SNDBUF(4096),
                                      WEIR_LOW_WATERMARK(4096), WEIR_HIGH_WATERMARK(8192)),
                         weir_spawning(&spawner), &service),
          0);
    int peer = peer_connect_with(weir_port(service), 4096);
    EVENTUALLY(atomic_load(&count) > 0);
    cr_assert(weir_sleep(50) == 0);
    cr_assert(atomic_load(&count) < 64, "%u", atomic_load(&count));
    cr_assert(peer_drain(peer) == 64 * (64 << 10));
    cr_assert(atomic_load(&count) == 64);
    peer_leave(&peer);
    loopback_close(&loopback);
}

/* The first finds an empty queue, and does not make the socket busy; the second does. */
static int cross_the_mark(weir_socket socket, void *data)
{
    static const char bytes[4 << 20];
    atomic_int *result = data;
    EXPECT(weir_send(socket, bytes, sizeof(bytes)) == 0);
    EXPECT(weir_sleep(0) == 0);
    atomic_store(result, weir_send(socket, "x", 1));
    return 0;
}

Test(process_calls, a_send_that_makes_the_socket_busy_waits)
{
    struct loopback loopback = loopback_start(NULL);
    atomic_int result = 0;
    const weir_spawner spawner = {.serve = cross_the_mark, .data = &result};
    weir_socket service;
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0,
                         WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_SNDBUF(4096),
                                      WEIR_HIGH_WATERMARK(8192), WEIR_LOW_WATERMARK(4096),
                                      WEIR_SEND_TIMEOUT(40)),
                         weir_spawning(&spawner), &service),
          0);
    int peer = peer_connect_with(weir_port(service), 4096);
    EVENTUALLY(atomic_load(&result) == WEIR_TIMEOUT);
    peer_leave(&peer);
    loopback_close(&loopback);
}

static int linger(void *data)
{
    struct stage *stage = data;
    static const char bytes[1 << 20];
    weir_socket socket;
    EXPECT(weir_tcp_connect(stage->loopback->runtime, "127.0.0.1", (uint16_t)stage->port,
                            WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_SNDBUF(4096),
                                         WEIR_LINGER(true, 1), WEIR_HIGH_WATERMARK(2 << 20)),
                            weir_owned_by_nobody(), WAIT_MS, &socket) == 0);
    EXPECT(weir_send(socket, bytes, sizeof(bytes)) == 0);
    uint64_t began_ms = now_ms();
    EXPECT(weir_close(socket) == 0);
    EXPECT(now_ms() >= began_ms + 900);
    return 0;
}

Test(process_calls, a_close_lingers)
{
    struct loopback loopback = loopback_start(NULL);
    struct stage stage = {.loopback = &loopback};
    int fd = peer_listen(1, &stage.port);
    RUNS(&loopback, linger, &stage);
    close(fd);
    loopback_close(&loopback);
}

static int talk_udp(void *data)
{
    struct stage *stage = data;
    weir_runtime *runtime = stage->loopback->runtime;
    weir_socket first, second;
    weir_address to;
    weir_packet packet;
    EXPECT(weir_udp_open(runtime, 0, RAW, weir_owned_by_nobody(), &first) == 0);
    EXPECT(weir_udp_open(runtime, 0, RAW, weir_owned_by_nobody(), &second) == 0);
    EXPECT(weir_sockname(second, &to) == 0);
    EXPECT(weir_address_parse("127.0.0.1", &to) == 0);
    to.port = (uint16_t)weir_port(second);
    for (int i = 0; i < 50; i++) {
        EXPECT(weir_udp_send(first, &to, "dgram", 5) == 0);
        EXPECT(weir_udp_recv(second, WAIT_MS, &packet) == 0);
        EXPECT(packet.size == 5);
        weir_packet_release(&packet);
    }
    EXPECT(weir_udp_recv(second, 5, &packet) == WEIR_TIMEOUT);
    stage->kept = second;
    return 0;
}

Test(process_calls, udp)
{
    struct loopback loopback = loopback_start(NULL);
    struct stage stage = {.loopback = &loopback};
    RUNS(&loopback, talk_udp, &stage);
    cr_assert(weir_port(stage.kept) == -EINVAL);
    loopback_close(&loopback);
}

static int serve_in_process(void *data)
{
    struct stage *stage = data;
    static atomic_uint count;
    static const weir_spawner spawner = {.serve = serve_connection, .data = &count};
    weir_socket service;
    EXPECT(weir_tcp_serve(stage->loopback->runtime, "127.0.0.1", 0, RAW, weir_spawning(&spawner),
                          &service) == 0);
    EXPECT(weir_port(service) > 0);
    return weir_close(service);
}

/* All schedulers are asked, from one of them. */
Test(process_calls, serves_on_all_schedulers)
{
    struct loopback loopback = loopback_start(&two_schedulers);
    struct stage stage = {.loopback = &loopback};
    RUNS(&loopback, serve_in_process, &stage);
    loopback_close(&loopback);
}

static void wait_under_a_call(weir_socket socket, const weir_packet *packet, void *data)
{
    struct stage *stage = data;
    weir_packet other;
    (void)packet;
    stage->fd = weir_recv(socket, 0, 10, &other);
    stage->other = weir_self();
}

static const weir_handler waits_under_a_call = {.packet = wait_under_a_call};

static int make_active(void *data)
{
    struct stage *stage = data;
    weir_owner owner = weir_handled_by(&waits_under_a_call, stage);
    weir_packet first;
    EXPECT(weir_tcp_accept(stage->listener, owner, WAIT_MS, &stage->kept) == 0);
    stage->other.id = 1;
    EXPECT(weir_recv(stage->kept, 1, WAIT_MS, &first) == 0);
    weir_packet_release(&first);
    EXPECT(weir_setopts(stage->kept, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_ONCE))) == 0);
    EXPECT(stage->other.id == 0 && stage->fd == -EDEADLK);
    return weir_close(stage->kept);
}

/* A handler that is called under a process's setopts is a callback all the same. */
Test(process_calls, a_callback_under_a_call_is_no_process)
{
    struct loopback loopback = loopback_start(NULL);
    struct stage stage = {.loopback = &loopback};
    stage.listener = listen_with(loopback.runtime, "[{active,false},binary]");
    int peer = peer_connect(weir_port(stage.listener));
    peer_say(peer, "data");
    RUNS(&loopback, make_active, &stage);
    peer_leave(&peer);
    loopback_close(&loopback);
}
