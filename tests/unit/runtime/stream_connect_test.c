/* SPDX-License-Identifier: MIT */
/* Connecting: one address after another, or several at a time, until one answers. */
#include "runtime/stream/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "address/address.h"
#include "base/memory.h"
#include "lone_stream.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/dispatch.h"
#include <weir/error.h>
#include <weir/options.h>

enum { HAPPY_MS = 250 };

static struct open_call call;
static bool may_leave;

/* Told by one that begins with {active,0}, while it is being established. */
static void told_passive(weir_socket socket, void *data)
{
    (void)socket, (void)data;
    may_leave = call.call.may_leave;
}

static const weir_handler nobody = {.passive = told_passive};
static int answer;

static void finish(struct call *finished)
{
    answer = finished->result;
}

/* `count` addresses of this host. */
static int begin_with(size_t count, const weir_option *options)
{
    lone_begin(0);
    answer = 1;
    call = (struct open_call){.call = {.operation = &operation_connect,
                                       .kind = CALL_ASYNC,
                                       .scheduler = &lone,
                                       .timeout_ms = 10000,
                                       .finish = finish},
                              .owner = {.handler = &nobody}};
    cr_assert_eq(connecting_create(&call.connecting, NULL, options), 0);
    for (size_t i = 0; i < count; i++)
        call.connecting->addresses[i] =
            (weir_address){.family = WEIR_INET, .bytes = {127, 0, 0, 1}, .port = (uint16_t)(1 + i)};
    call.connecting->address_count = count;
    list_init(&call.call.link);
    return operation_connect.run(&lone, NULL, &call.call);
}

/* They are asked for one at a time, or not. */
static int begin(size_t count, int64_t happy_ms)
{
    const weir_option options[] = {WEIR_HAPPY_EYEBALLS(happy_ms), {.id = WEIR_OPTION_END}};
    return begin_with(count, options);
}

static struct stream *attempt_at(size_t index)
{
    return call.connecting->sockets[index];
}

static void complete(struct stream *stream, int result)
{
    lone_complete_operation(stream, STREAM_CONNECT, result, 0);
}

Test(stream_connect, is_established_by_the_one_that_answers)
{
    cr_expect_eq(begin(1, 0), CALL_WAITS);
    ASKED("connect ");
    struct stream *stream = attempt_at(0);
    cr_expect(stream->slot.state == SOCKET_CONNECTING && stream->waiter == &call.call);
    cr_expect(stream->slot.pending == 1 && call.call.timer.armed);
    cr_expect(!connect_is_cancelled(&stream->slot));
    const struct sockaddr_in *to = noted_memory();
    cr_expect(to->sin_family == AF_INET && ntohs(to->sin_port) == 1);
    cr_expect_eq(slot_handler(&stream->slot), &nobody);
    complete(stream, 0);
    cr_expect(answer == 0 && stream->slot.state == SOCKET_OPEN && stream->waiter == NULL);
    cr_expect(stream_find(&lone, call.socket) == stream && stream->connected);
    cr_expect(lone.totals.connects == 1 && lone.totals.connections == 1);
    cr_expect(call.connecting->socket_count == 0 && !call.call.timer.armed);
    cr_expect_eq(stream->slot.pending, 0);
    lone_turn();
    ASKED("receive ");
}

Test(stream_connect, asks_the_next_when_one_refuses)
{
    cr_expect_eq(begin(3, 0), CALL_WAITS);
    struct stream *first = attempt_at(0);
    complete(first, -ECONNREFUSED);
    cr_expect(answer == 1 && first->slot.state == SOCKET_FREE);
    ASKED("connect connect ");
    complete(attempt_at(0), -ETIMEDOUT);
    ASKED("connect ");
    cr_expect_eq(call.connecting->socket_count, 1);
    complete(attempt_at(0), -EHOSTUNREACH);
    ASKED("");
    cr_expect(answer == -EHOSTUNREACH && lone.totals.connects == 0);
    cr_expect_eq(lone.totals.connections, 0);
}

Test(stream_connect, to_nothing_is_to_an_unknown_name)
{
    cr_expect_eq(begin(0, 0), WEIR_NXDOMAIN);
    ASKED("");
}

Test(stream_connect, of_a_scheduler_that_stops_is_closed)
{
    begin(1, 0);
    lone.state = SCHEDULER_STOPPING;
    cr_expect_eq(operation_connect.run(&lone, NULL, &call.call), WEIR_CLOSED);
}

Test(stream_connect, asks_others_meanwhile)
{
    cr_expect_eq(begin(3, HAPPY_MS), CALL_WAITS);
    ASKED("connect ");
    lone_pass(HAPPY_MS);
    ASKED("");
    lone_pass(1);
    ASKED("connect ");
    lone_pass(HAPPY_MS + 1);
    ASKED("connect ");
    cr_expect(call.connecting->socket_count == 3 && !call.connecting->next_one.armed);
    struct stream *first = attempt_at(0);
    struct stream *second = attempt_at(1);
    struct stream *third = attempt_at(2);
    complete(second, 0);
    cr_expect_eq(answer, 0);
    ASKED("cancel:0 cancel:0 ");
    cr_expect(stream_find(&lone, call.socket) == second && call.connecting->socket_count == 0);
    cr_expect(first->slot.state == SOCKET_CLOSED && connect_is_cancelled(&third->slot));
    complete(first, 0);
    complete(third, -ECANCELED);
    cr_expect(first->slot.state == SOCKET_FREE && third->slot.state == SOCKET_FREE);
    cr_expect_eq(lone.totals.connects, 1);
}

/* At once when one has refused, and none is left out. */
Test(stream_connect, asks_the_next_before_its_time_when_one_refuses)
{
    cr_expect_eq(begin(3, HAPPY_MS), CALL_WAITS);
    lone_pass(HAPPY_MS - 50);
    complete(attempt_at(0), -ECONNREFUSED);
    ASKED("connect connect ");
    lone_pass(100);
    ASKED("");
    lone_pass(HAPPY_MS);
    ASKED("connect ");
    complete(attempt_at(0), -ECONNREFUSED);
    cr_expect(answer == 1, "another is on its way");
    complete(attempt_at(0), -ENETUNREACH);
    cr_expect_eq(answer, -ENETUNREACH);
}

/* The wheel would keep what is given back. */
Test(stream_connect, has_no_time_planned_when_all_have_refused)
{
    cr_expect_eq(begin(2, HAPPY_MS), CALL_WAITS);
    complete(attempt_at(0), -ECONNREFUSED);
    complete(attempt_at(0), -ECONNREFUSED);
    cr_expect_eq(answer, -ECONNREFUSED);
    cr_expect(!call.connecting->next_one.armed);
}

Test(stream_connect, waits_for_its_time)
{
    cr_expect_eq(begin(2, HAPPY_MS), CALL_WAITS);
    lone_pass(HAPPY_MS + 1);
    (void)noted_asked();
    struct stream *first = attempt_at(0);
    lone_pass(10000);
    cr_expect_eq(answer, WEIR_TIMEOUT);
    ASKED("cancel:0 cancel:0 ");
    cr_expect(call.connecting->socket_count == 0 && first->waiter == NULL);
    cr_expect(slot_handler(&first->slot) == NULL && first->slot.fd >= 0);
    complete(first, -ECANCELED);
    cr_expect_eq(first->slot.state, SOCKET_FREE);
}

Test(stream_connect, that_is_ended_is_closed)
{
    cr_expect_eq(begin(2, HAPPY_MS), CALL_WAITS);
    struct stream *stream = attempt_at(0);
    kind_stream.end(&lone, &stream->slot, END_STOP);
    lone_soon();
    cr_expect(answer == WEIR_CLOSED && stream->slot.state == SOCKET_CLOSED);
    lone_pass(HAPPY_MS + 1);
    ASKED("connect cancel:0 ");
    complete(stream, -ECANCELED);
    cr_expect_eq(stream->slot.state, SOCKET_FREE);
}

/* What is asked of the kernel at one time has room for so many addresses. */
Test(stream_connect, waits_for_a_kernel_that_takes_nothing)
{
    begin(1, 0);
    for (int taken = 0; taken < 2; taken++) {
        lone.vectors.address_count = VECTORS_ADDRESS_COUNT;
        noted_queue(1, taken != 0);
        call.connecting->next = 0;
        call.connecting->socket_count = 0;
        (void)noted_asked();
        int result = operation_connect.run(&lone, NULL, &call.call);
        cr_expect_eq(result, taken ? CALL_WAITS : -EAGAIN);
        ASKED(taken ? "connect " : "");
        timer_disarm(&lone.timers, &call.call.timer);
    }
}

/* The lowest descriptor that is free. */
static int next_descriptor(void)
{
    int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

Test(stream_connect, without_memory_leaves_nothing)
{
    int64_t blocks;
    int descriptor = next_descriptor();
    for (uint64_t nth = 1; nth < 4; nth++) {
        begin(0, 0);
        (void)slot_table_take(&lone.slots);
        blocks = memory_live_count();
        call.connecting->addresses[0] =
            (weir_address){.family = WEIR_INET, .bytes = {127, 0, 0, 1}, .port = 1};
        call.connecting->address_count = 1;
        call.connecting->setup.values.idle_timeout_ms = 5000;
        memory_fail_nth(nth);
        int result = operation_connect.run(&lone, NULL, &call.call);
        memory_fail_nth(0);
        cr_expect_eq(result, -ENOMEM, "%lu: %d", nth, result);
        cr_expect_eq(memory_live_count(), blocks, "%lu", nth);
        cr_expect_eq(lone.slots.used_count, 1, "%lu", nth);
        cr_expect_eq(next_descriptor(), descriptor, "%lu", nth);
        ASKED("");
    }
}

static struct sockaddr_in name_of(int fd)
{
    struct sockaddr_in name = {0};
    socklen_t size = sizeof(name);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    return name;
}

static bool waits_for_its_port(int fd)
{
    int waits = 0;
    socklen_t size = sizeof(waits);
    cr_assert_eq(getsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &waits, &size), 0);
    return waits != 0;
}

/* The port is chosen when it is known where to. */
Test(stream_connect, is_from_the_address_that_is_said)
{
    const weir_option options[] = {WEIR_IP_LOOPBACK(), {.id = WEIR_OPTION_END}};
    cr_expect_eq(begin_with(1, options), CALL_WAITS);
    const struct sockaddr_in name = name_of(attempt_at(0)->slot.fd);
    cr_expect(name.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && name.sin_port == 0);
    cr_expect(waits_for_its_port(attempt_at(0)->slot.fd));
    cr_expect_eq(begin(1, 0), CALL_WAITS);
    cr_expect_eq(name_of(attempt_at(0)->slot.fd).sin_addr.s_addr, 0);
    cr_expect(!waits_for_its_port(attempt_at(0)->slot.fd));
}

/* A socket of this host whose port nobody else can have. */
static int take_port(int type, uint16_t *port)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&here, sizeof(here)), 0);
    *port = ntohs(name_of(fd).sin_port);
    return fd;
}

Test(stream_connect, from_a_port_that_is_taken_fails)
{
    uint16_t port;
    int taken = take_port(SOCK_STREAM, &port);
    int descriptor = next_descriptor();
    const weir_option options[] = {WEIR_IP_LOOPBACK(), WEIR_PORT(port), {.id = WEIR_OPTION_END}};
    cr_expect_eq(begin_with(1, options), -EADDRINUSE);
    cr_expect(call.connecting->socket_count == 0 && next_descriptor() == descriptor);
    ASKED("");
    close(taken);
}

Test(stream_connect, from_a_local_name)
{
    char name[64] = "";
    struct sockaddr_un bound = {0};
    socklen_t size = sizeof(bound);
    snprintf(name + 1, sizeof(name) - 1, "weir unit connect %ld", (long)getpid());
    const weir_option named[] = {WEIR_IP_LOCAL(name, 1 + strlen(name + 1)),
                                 {.id = WEIR_OPTION_END}};
    const weir_option unnamed[] = {WEIR_LOCAL(), WEIR_PORT(0), {.id = WEIR_OPTION_END}};
    for (int is_named = 0; is_named < 2; is_named++) {
        (void)begin_with(0, is_named ? named : unnamed);
        call.connecting->addresses[0].family = WEIR_LOCAL;
        call.connecting->address_count = 1;
        cr_assert_eq(local_address_set(&call.connecting->local, "/weir", 5), 0);
        cr_expect_eq(operation_connect.run(&lone, NULL, &call.call), CALL_WAITS);
        const struct sockaddr_un *to = noted_memory();
        cr_expect(to->sun_family == AF_UNIX && strcmp(to->sun_path, "/weir") == 0);
        size = sizeof(bound);
        (void)getsockname(attempt_at(0)->slot.fd, (struct sockaddr *)&bound, &size);
        size_t length = size - offsetof(struct sockaddr_un, sun_path);
        cr_expect_eq(length, is_named ? 1 + strlen(name + 1) : 0);
        cr_expect_eq(memcmp(bound.sun_path, name, length), 0);
    }
}

/* A descriptor may be any number, and is the connection's when there is one. */
Test(stream_connect, has_descriptor_zero)
{
    const weir_option options[] = {WEIR_IP_LOOPBACK(), {.id = WEIR_OPTION_END}};
    close(0);
    cr_expect_eq(begin_with(1, options), CALL_WAITS);
    cr_expect_eq(attempt_at(0)->slot.fd, 0);
    cr_expect_eq(name_of(0).sin_addr.s_addr, htonl(INADDR_LOOPBACK));
}

Test(stream_connect, is_not_idle_while_it_waits)
{
    const weir_option options[] = {WEIR_IDLE_TIMEOUT(1000), {.id = WEIR_OPTION_END}};
    cr_expect_eq(begin_with(1, options), CALL_WAITS);
    struct stream *stream = attempt_at(0);
    lone_pass(1001);
    cr_expect(lone.totals.idle_timeouts == 0 && answer == 1);
    complete(stream, 0);
    lone_pass(1001);
    cr_expect_eq(lone.totals.idle_timeouts, 1);
}

Test(stream_connect, by_a_descriptor_that_is_given)
{
    const weir_option options[] = {WEIR_FD(0), WEIR_IP_LOOPBACK(), {.id = WEIR_OPTION_END}};
    close(0);
    cr_assert_eq(socket(AF_INET, SOCK_STREAM, 0), 0);
    cr_expect_eq(begin_with(1, options), CALL_WAITS);
    ASKED("connect ");
    cr_expect(attempt_at(0)->slot.fd > 0 && !waits_for_its_port(attempt_at(0)->slot.fd));
    complete(attempt_at(0), 0);
    cr_expect_eq(answer, 0);
    cr_expect_eq(next_descriptor(), 0, "the one that was given is closed");
}

Test(stream_connect, by_a_descriptor_of_another_family_fails)
{
    const weir_option options[] = {WEIR_FD(0), {.id = WEIR_OPTION_END}};
    close(0);
    cr_assert_eq(socket(AF_INET6, SOCK_STREAM, 0), 0);
    int descriptor = next_descriptor();
    cr_expect_eq(begin_with(1, options), -EAFNOSUPPORT);
    cr_expect_eq(next_descriptor(), descriptor);
    ASKED("");
}

/* Of whatever family: nobody is asked, and no other address. */
Test(stream_connect, by_a_descriptor_that_is_connected_is_at_once)
{
    const weir_option options[] = {WEIR_FD(0), WEIR_ACTIVE(0), {.id = WEIR_OPTION_END}};
    int ends[2];
    close(0);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    cr_assert_eq(ends[0], 0);
    may_leave = true;
    cr_expect_eq(begin_with(2, options), 0);
    ASKED("");
    const struct stream *stream = stream_find(&lone, call.socket);
    cr_assert_not_null(stream);
    cr_expect(stream->slot.state == SOCKET_OPEN && stream->slot.family == WEIR_LOCAL);
    cr_expect(stream->slot.pending == 0 && stream->waiter == NULL && lone.totals.connects == 1);
    cr_expect_eq(call.connecting->socket_count, 0);
}

Test(stream_connect, does_not_wait_any_more_when_its_owner_is_told)
{
    const weir_option options[] = {WEIR_ACTIVE(0), {.id = WEIR_OPTION_END}};
    may_leave = true;
    cr_expect_eq(begin_with(1, options), CALL_WAITS);
    cr_expect(call.call.may_leave);
    complete(attempt_at(0), 0);
    cr_expect(!may_leave && answer == 0);
}

Test(stream_connect, of_a_descriptor_that_did_not_wait_leaves_it_so)
{
    const weir_option options[] = {WEIR_FD(0), {.id = WEIR_OPTION_END}};
    close(0);
    cr_assert_eq(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), 0);
    cr_expect_eq(begin_with(1, options), CALL_WAITS);
    cr_expect(!(fcntl(0, F_GETFL) & O_NONBLOCK));
    complete(attempt_at(0), -ECONNREFUSED);
    connecting_free(call.connecting);
    cr_expect(fcntl(0, F_GETFL) & O_NONBLOCK);
}

/* Has been refused by a port that somebody has who talks to another. */
static int refused_socket(void)
{
    uint16_t port;
    uint16_t other_port;
    int other = take_port(SOCK_DGRAM, &other_port);
    int taken = take_port(SOCK_DGRAM, &port);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = name_of(other);
    cr_assert_eq(connect(taken, (struct sockaddr *)&to, sizeof(to)), 0);
    to = name_of(taken);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    cr_assert_eq(send(fd, "x", 1, 0), 1);
    return fd;
}

/* Some kernels say so of every connect that had to wait. */
Test(stream_connect, that_is_reset_asks_for_the_reason)
{
    cr_expect_eq(begin(1, 0), CALL_WAITS);
    complete(attempt_at(0), -ECONNRESET);
    cr_expect_eq(answer, -ECONNRESET, "there is no other");
    cr_expect_eq(begin(1, 0), CALL_WAITS);
    cr_assert_geq(dup2(refused_socket(), attempt_at(0)->slot.fd), 0);
    complete(attempt_at(0), -ECONNRESET);
    cr_expect_eq(answer, -ECONNREFUSED);
    cr_expect_eq(begin(1, 0), CALL_WAITS);
    cr_assert_geq(dup2(refused_socket(), attempt_at(0)->slot.fd), 0);
    complete(attempt_at(0), -ETIMEDOUT);
    cr_expect_eq(answer, -ETIMEDOUT);
}

Test(stream_connect, is_made_of_options_of_its_own)
{
    const weir_option options[] = {{.id = WEIR_OPTION_PACKET, .value.number = WEIR_4},
                                   {.id = WEIR_OPTION_END}};
    const weir_option wrong[] = {{.id = WEIR_OPTION_BACKLOG, .value.number = 5},
                                 {.id = WEIR_OPTION_END}};
    struct connecting *connecting;
    int64_t blocks = memory_live_count();
    cr_assert_eq(connecting_create(&connecting, NULL, options), 0);
    cr_expect(connecting->options != options && connecting->setup.values.packet == WEIR_4);
    connecting_free(connecting);
    cr_assert_eq(connecting_create(&connecting, NULL, NULL), 0);
    connecting_free(connecting);
    cr_expect_lt(connecting_create(&connecting, NULL, wrong), 0);
    for (uint64_t nth = 1; nth < 3; nth++) {
        memory_fail_nth(nth);
        cr_expect_eq(connecting_create(&connecting, NULL, options), -ENOMEM);
        memory_fail_nth(0);
    }
    cr_expect_eq(memory_live_count(), blocks);
}
