/* SPDX-License-Identifier: MIT */
/*
 * Every public function that takes a socket, in every state that a socket can be in, called by a
 * thread, on the socket's own scheduler and on another one, and by a process there: what it gives,
 * and that a failure leaves a text of its own and a success none. A function that the headers
 * declare and no row has fails the test.
 */
#include "plain.h"
#include "states_results.h"

#include <fcntl.h>

enum state {
    OPEN,      /* {active,false}, its peer is there and silent */
    HALF,      /* its peer has finished writing, and that has been seen; {exit_on_close,false} */
    GONE,      /* closed by its owner, and over */
    LISTENING, /* of weir_tcp_listen */
    SERVICE,   /* of weir_tcp_serve, on two schedulers */
    ZERO,      /* never was a socket */
    STOPPED,   /* of a runtime that was stopped */
    UDP,       /* of weir_udp_open, {active,false} */
    STATE_COUNT
};
static const char *const state_names[] = {"open",    "half closed", "gone",    "listening",
                                          "service", "zero",        "stopped", "udp"};

enum caller { THREAD, OWN, OTHER, OWN_PROCESS, OTHER_PROCESS, CALLER_COUNT };
static const char *const caller_names[] = {"a thread", "its own scheduler", "another scheduler",
                                           "a process on its own scheduler",
                                           "a process on another scheduler"};

/* What all the calls of a table share. */
static struct subject {
    struct loopback loopback;
    weir_socket socket;
    enum state state;
    enum caller caller;
    int file;
    struct plain plain; /* where datagrams go */
} subject;

typedef int call(weir_socket socket);

static int call_sockname(weir_socket socket)
{
    weir_address address;
    return weir_sockname(socket, &address);
}

static int call_peername(weir_socket socket)
{
    weir_address address;
    return weir_peername(socket, &address);
}

static int call_port(weir_socket socket)
{
    int port = weir_port(socket);
    return port > 0 ? 0 : port;
}

static int call_local_sockname(weir_socket socket)
{
    weir_local_address address;
    return weir_local_sockname(socket, &address);
}

static int call_local_peername(weir_socket socket)
{
    weir_local_address address;
    return weir_local_peername(socket, &address);
}

static int call_local_credentials(weir_socket socket)
{
    weir_credentials credentials;
    return weir_local_credentials(socket, &credentials);
}

static int call_local_take(weir_socket socket)
{
    int descriptor;
    return weir_local_take(socket, &descriptor, 1);
}

static const weir_local_message local_message = {.bytes = "x", .size = 1};

static int call_local_send(weir_socket socket)
{
    return weir_local_send(socket, &local_message);
}

static int call_duplicate_fds(weir_socket socket)
{
    int fds[WEIR_FDS_MAX];
    int count = weir_duplicate_fds(socket, fds);
    for (int i = 0; i < count; i++)
        close(fds[i]);
    return count > 0 ? 0 : count;
}

static int call_getstat(weir_socket socket)
{
    weir_statistics statistics;
    return weir_getstat(socket, &statistics);
}

static int call_setopts(weir_socket socket)
{
    return weir_setopts(socket, WEIR_OPTIONS(WEIR_NODELAY(true)));
}

static int call_getopts(weir_socket socket)
{
    weir_option option = WEIR_REQUEST(PACKET);
    int count = weir_getopts(socket, &option, 1);
    return count == 1 ? 0 : count;
}

static int call_set_data(weir_socket socket)
{
    return weir_set_data(socket, &subject);
}

static int call_shutdown(weir_socket socket)
{
    return weir_shutdown(socket, WEIR_WRITE);
}

static int call_controlling_process(weir_socket socket)
{
    weir_owner owner = weir_mailed_to(subject.loopback.mailbox);
    return weir_controlling_process(socket, owner, owner);
}

static int call_give(weir_socket socket)
{
    return weir_give(socket, weir_owned_by_nobody(), (weir_process){0});
}

static int call_send(weir_socket socket)
{
    return weir_send(socket, "x", 1);
}

static int call_sendv(weir_socket socket)
{
    const struct iovec pieces[] = {{(void *)"x", 1}, {(void *)"y", 1}};
    return weir_sendv(socket, pieces, 2);
}

static int call_send_packet(weir_socket socket)
{
    const weir_packet packet = {.bytes = (const uint8_t *)"x", .size = 1};
    return weir_send_packet(socket, &packet);
}

static void released(void *data)
{
    (void)data;
}

static int call_send_owned(weir_socket socket)
{
    return weir_send_owned(socket, "x", 1, released, NULL);
}

static int call_send_file(weir_socket socket)
{
    return weir_send_file(socket, subject.file, 0, 1);
}

static int call_recv(weir_socket socket)
{
    weir_packet packet;
    int result = weir_recv(socket, 0, 0, &packet);
    if (result == 0)
        weir_packet_release(&packet);
    return result;
}

static int call_accept(weir_socket socket)
{
    weir_socket accepted;
    return weir_tcp_accept(socket, weir_owned_by_nobody(), 0, &accepted);
}

static int call_get_data(weir_socket socket)
{
    void *data;
    return weir_get_data(socket, &data);
}

static int call_scheduler_of(weir_socket socket)
{
    int scheduler = weir_scheduler_of(socket);
    return scheduler > 0 ? 0 : scheduler;
}

static int call_cancel(weir_socket socket)
{
    return weir_cancel(socket, &subject);
}

static int call_udp_connect(weir_socket socket)
{
    return weir_udp_connect(socket, &subject.plain.address);
}

static int call_udp_send(weir_socket socket)
{
    return weir_udp_send(socket, &subject.plain.address, "x", 1);
}

static int call_udp_recv(weir_socket socket)
{
    weir_packet packet;
    int result = weir_udp_recv(socket, 0, &packet);
    if (result == 0)
        weir_packet_release(&packet);
    return result;
}

static int call_udp_send_to(weir_socket socket)
{
    return weir_udp_send_to(socket, "127.0.0.1", subject.plain.address.port, "x", 1, WAIT_MS);
}

static int call_udp_connect_to(weir_socket socket)
{
    return weir_udp_connect_to(socket, "127.0.0.1", subject.plain.address.port, WAIT_MS);
}

/* Where a call is done at once: on the scheduler of its socket, the same but for services, on none,
 * or on all. */
enum place { OWN_ONLY, ONE_ONLY, NOWHERE, EVERYWHERE };

struct row {
    const char *name;
    call *make;
    enum place place;
    int gives[STATE_COUNT]; /* to a thread, and wherever it is done at once */
};

static const struct row rows[] = {
    {"weir_sockname", call_sockname, OWN_ONLY, ASKED},
    {"weir_port", call_port, OWN_ONLY, ASKED},
    {"weir_getstat", call_getstat, OWN_ONLY, ASKED},
    {"weir_setopts", call_setopts, ONE_ONLY, ASKED},
    {"weir_getopts", call_getopts, OWN_ONLY, ASKED},
    {"weir_peername", call_peername, OWN_ONLY, NAMED},
    {"weir_local_sockname", call_local_sockname, OWN_ONLY, NOT_LOCAL},
    {"weir_local_peername", call_local_peername, OWN_ONLY, NOT_LOCAL},
    {"weir_local_credentials", call_local_credentials, OWN_ONLY, NOT_LOCAL},
    {"weir_local_take", call_local_take, OWN_ONLY, NOT_LOCAL_CONNECTION},
    {"weir_local_send", call_local_send, OWN_ONLY, LOCAL_SENT},
    {"weir_set_data", call_set_data, ONE_ONLY, NO_HANDLER},
    {"weir_get_data", call_get_data, OWN_ONLY, NO_HANDLER},
    {"weir_scheduler_of", call_scheduler_of, EVERYWHERE, FOUND},
    {"weir_is_busy", weir_is_busy, OWN_ONLY, BUSY},
    {"weir_cancel", call_cancel, OWN_ONLY, CANCELLED},
    {"weir_send", call_send, OWN_ONLY, SENT},
    {"weir_sendv", call_sendv, OWN_ONLY, SENT},
    {"weir_send_packet", call_send_packet, OWN_ONLY, SENT},
    {"weir_send_owned", call_send_owned, OWN_ONLY, SENT},
    {"weir_send_file", call_send_file, OWN_ONLY, SENT},
    {"weir_recv", call_recv, NOWHERE, RECEIVED},
    {"weir_tcp_accept", call_accept, NOWHERE, ACCEPTED},
    {"weir_udp_send", call_udp_send, OWN_ONLY, UDP_SENT},
    {"weir_udp_recv", call_udp_recv, NOWHERE, UDP_RECEIVED},
    {"weir_udp_connect", call_udp_connect, OWN_ONLY, CONNECTED},
    {"weir_udp_send_to", call_udp_send_to, NOWHERE, UDP_SENT},
    {"weir_udp_connect_to", call_udp_connect_to, NOWHERE, CONNECTED},
    {"weir_controlling_process", call_controlling_process, OWN_ONLY, GIVEN_AWAY},
    {"weir_give", call_give, EVERYWHERE, NO_PROCESS},
    {"weir_shutdown", call_shutdown, OWN_ONLY, SHUT},
    {"weir_duplicate_fds", call_duplicate_fds, ONE_ONLY, DUPLICATED},
    {"weir_leave", weir_leave, ONE_ONLY, LEFT},
    {"weir_close", weir_close, EVERYWHERE, CLOSE},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* The _async forms: what they answer. One that returns an error does not call back. */
static struct answer answer;

static int async_recv(weir_socket socket)
{
    return weir_recv_async(socket, 0, 0, answer_received, &answer);
}

static int async_accept(weir_socket socket)
{
    return weir_tcp_accept_async(socket, weir_owned_by_nobody(), 0, answer_opened, &answer);
}

static int async_send(weir_socket socket)
{
    return weir_send_async(socket, "x", 1, answer_sent, &answer);
}

static int async_sendv(weir_socket socket)
{
    const struct iovec pieces[] = {{(void *)"x", 1}, {(void *)"y", 1}};
    return weir_sendv_async(socket, pieces, 2, answer_sent, &answer);
}

static int async_send_packet(weir_socket socket)
{
    const weir_packet packet = {.bytes = (const uint8_t *)"x", .size = 1};
    return weir_send_packet_async(socket, &packet, answer_sent, &answer);
}

static int async_send_owned(weir_socket socket)
{
    const weir_owned_bytes memory = {"x", 1, released, NULL};
    return weir_send_owned_async(socket, &memory, answer_sent, &answer);
}

static int async_send_file(weir_socket socket)
{
    const weir_file_part part = {.fd = subject.file, .offset = 0, .size = 1};
    return weir_send_file_async(socket, &part, answer_sent, &answer);
}

static int async_local_send(weir_socket socket)
{
    return weir_local_send_async(socket, &local_message, answer_sent, &answer);
}

static int async_udp_send(weir_socket socket)
{
    return weir_udp_send_async(socket, &subject.plain.address, "x", 1, answer_sent, &answer);
}

static int async_udp_recv(weir_socket socket)
{
    return weir_udp_recv_async(socket, 0, answer_received, &answer);
}

static int async_udp_send_to(weir_socket socket)
{
    return weir_udp_send_to_async(socket, "127.0.0.1", subject.plain.address.port, "x", 1, WAIT_MS,
                                  answer_sent, &answer);
}

static int async_udp_connect_to(weir_socket socket)
{
    return weir_udp_connect_to_async(socket, "127.0.0.1", subject.plain.address.port, WAIT_MS,
                                     answer_sent, &answer);
}

static void answer_worked(weir_socket socket, int result, void *socket_data, void *data)
{
    cr_expect(socket_data == NULL);
    answer_sent(socket, result, data);
}

static int async_run_for(weir_socket socket)
{
    return weir_run_for(socket, answer_worked, &answer);
}

static const struct row async_rows[] = {
    {"weir_recv_async", async_recv, EVERYWHERE, RECEIVED},
    {"weir_tcp_accept_async", async_accept, EVERYWHERE, ACCEPTED},
    {"weir_send_async", async_send, EVERYWHERE, SENT},
    {"weir_sendv_async", async_sendv, EVERYWHERE, SENT},
    {"weir_send_packet_async", async_send_packet, EVERYWHERE, SENT},
    {"weir_send_owned_async", async_send_owned, EVERYWHERE, SENT},
    {"weir_send_file_async", async_send_file, EVERYWHERE, SENT},
    {"weir_local_send_async", async_local_send, EVERYWHERE, LOCAL_SENT},
    {"weir_udp_send_async", async_udp_send, EVERYWHERE, UDP_SENT},
    {"weir_udp_recv_async", async_udp_recv, EVERYWHERE, UDP_RECEIVED},
    {"weir_udp_send_to_async", async_udp_send_to, EVERYWHERE, UDP_SENT},
    {"weir_udp_connect_to_async", async_udp_connect_to, EVERYWHERE, CONNECTED},
    {"weir_run_for", async_run_for, EVERYWHERE, CANCELLED},
};
#define ASYNC_ROW_COUNT (sizeof(async_rows) / sizeof(async_rows[0]))

static size_t async_row;
static int started;

static void start_async(void *unused)
{
    (void)unused;
    started = async_rows[async_row].make(subject.socket);
}

static bool is_process(enum caller caller)
{
    return caller == OWN_PROCESS || caller == OTHER_PROCESS;
}

static void run_where(enum caller caller, uint32_t home, void (*work)(void *))
{
    bool own = caller == OWN || caller == OWN_PROCESS;
    if (caller == THREAD)
        work(NULL);
    else if (is_process(caller))
        run_in_process(subject.loopback.runtime, (int)(own ? home : 1 - home), work, NULL);
    else
        run_there(subject.loopback.runtime, own ? home : 1 - home, work, NULL);
}

static void call_all_async(uint32_t home)
{
    for (async_row = 0; async_row < ASYNC_ROW_COUNT; async_row++) {
        answer = (struct answer){.count = 0};
        run_where(subject.caller, home, start_async);
        int result = started < 0 ? started : answer_wait(&answer);
        int expected = async_rows[async_row].gives[subject.state];
        cr_expect(result == expected, "%s of what is %s, by %s, gives %s, not %s",
                  async_rows[async_row].name, state_names[subject.state],
                  caller_names[subject.caller], result_text(result), result_text(expected));
        cr_expect(answer_count(&answer) == (started == 0));
    }
}

static bool has_scheduler(enum state state)
{
    return state != ZERO && state != STOPPED;
}

static int expected_of(const struct row *row)
{
    int gives = row->gives[subject.state];
    bool waits = subject.caller == THREAD || is_process(subject.caller);
    if (row->place == EVERYWHERE || waits || !has_scheduler(subject.state))
        return gives;
    if (subject.caller == OTHER || row->place == NOWHERE)
        return -EDEADLK;
    if (subject.state == SERVICE && row->place == ONE_ONLY)
        return -EDEADLK; /* it would wait for the others */
    return gives;
}

/* A text of somebody else's mistake, which must not be taken for this one's. */
static const char *leave_a_stale_text(void)
{
    weir_option *options;
    cr_assert(weir_options_parse("stale", &options) == -EINVAL);
    return "stale";
}

static void expect_row(const struct row *row)
{
    const char *stale = leave_a_stale_text();
    int result = row->make(subject.socket);
    int expected = expected_of(row);
    cr_expect(result == expected, "%s of what is %s, by %s, gives %s, not %s: %s", row->name,
              state_names[subject.state], caller_names[subject.caller], result_text(result),
              result_text(expected), weir_last_error_text());
    const char *text = weir_last_error_text();
    cr_expect(result >= 0 ? !*text : *text && !strstr(text, stale),
              "%s of what is %s, by %s, gives %s and says '%s'", row->name,
              state_names[subject.state], caller_names[subject.caller], result_text(result), text);
}

static void call_all(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < ROW_COUNT; i++)
        expect_row(&rows[i]);
}

static weir_socket open_socket(const char *options)
{
    subject.loopback.listener = listen_with(subject.loopback.runtime, options);
    loopback_reopen(&subject.loopback);
    return subject.loopback.socket;
}

static weir_socket half_closed(void)
{
    weir_packet packet;
    weir_socket socket = open_socket("[{active,false},{exit_on_close,false}]");
    peer_finish(subject.loopback.peer);
    GIVES(weir_recv(socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    return socket;
}

static weir_socket gone(void)
{
    weir_statistics statistics;
    weir_socket socket = open_socket("[{active,false}]");
    weir_close(socket);
    EVENTUALLY(weir_getstat(socket, &statistics) == -EINVAL);
    return socket;
}

static weir_socket service(void)
{
    weir_socket socket;
    GIVES(weir_tcp_serve(subject.loopback.runtime, "127.0.0.1", 0,
                         WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                         weir_mailed_to(subject.loopback.mailbox), &socket),
          0);
    return socket;
}

static weir_socket stopped(void)
{
    weir_runtime *runtime;
    weir_socket socket;
    GIVES(weir_start(&runtime, NULL), 0);
    GIVES(weir_tcp_listen(runtime, "127.0.0.1", 0, NULL, &socket), 0);
    GIVES(weir_stop(runtime), 0);
    return socket;
}

static weir_socket make_socket(enum state state)
{
    switch (state) {
    case OPEN:
        return open_socket("[{active,false}]");
    case HALF:
        return half_closed();
    case GONE:
        return gone();
    case LISTENING:
        return listen_with(subject.loopback.runtime, "[{active,false}]");
    case SERVICE:
        return service();
    case STOPPED:
        return stopped();
    case UDP:
        return open_active(&subject.loopback, PASSIVE);
    default:
        return (weir_socket){0};
    }
}

/* Handles hold the number of their scheduler. */
static uint32_t scheduler_of(weir_socket socket)
{
    return (uint32_t)(socket.id >> 56);
}

static void run_cell(enum state state, enum caller caller)
{
    subject = (struct subject){.state = state, .caller = caller};
    subject.loopback = loopback_start(&(weir_config){.schedulers = 2});
    weir_socket first = listen_with(subject.loopback.runtime, "[]");
    uint32_t base = scheduler_of(first); /* listeners begin on the first scheduler */
    subject.file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    subject.plain = plain_open();
    subject.socket = make_socket(state);
    uint32_t home = has_scheduler(state) ? scheduler_of(subject.socket) - base : 0;
    call_all_async(home);
    run_where(caller, home, call_all);
    close(subject.file);
    close(subject.plain.fd);
    loopback_close(&subject.loopback);
}

#define STATE(name, state)                                            \
    Test(states, name)                                                \
    {                                                                 \
        for (enum caller caller = 0; caller < CALLER_COUNT; caller++) \
            run_cell(state, caller);                                  \
    }
STATE(open, OPEN)
STATE(half_closed, HALF)
STATE(gone, GONE)
STATE(listening, LISTENING)
STATE(service, SERVICE)
STATE(zero, ZERO)
STATE(stopped, STOPPED)
STATE(udp, UDP)

/* What the headers declare, by the handle that it takes first. */
static const char *const declared[] = {
#define SOCKET(name) #name,
#define RUNTIME(name)
#define TIMER(name)
#include "handles.inc"
};

static bool has_row(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(rows[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < ASYNC_ROW_COUNT; i++)
        if (strcmp(async_rows[i].name, name) == 0)
            return true;
    return false;
}

Test(states, every_function_that_takes_a_socket_has_its_row)
{
    size_t count = sizeof(declared) / sizeof(declared[0]);
    for (size_t i = 0; i < count; i++)
        cr_expect(has_row(declared[i]), "%s has no row", declared[i]);
    cr_expect(count == ROW_COUNT + ASYNC_ROW_COUNT, "a row too many");
}
