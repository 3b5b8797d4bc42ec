/* SPDX-License-Identifier: MIT */
/*
 * Every public function that takes a socket, in every state that a socket can be in, called by a
 * thread, on the socket's own scheduler and on another one: what it gives, and that a failure
 * leaves a text of its own.
 */
#include "support/loopback.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum state {
    OPEN,      /* {active,false}, its peer is there and silent */
    HALF,      /* its peer has finished writing, and that has been seen; {exit_on_close,false} */
    GONE,      /* closed by its owner, and over */
    LISTENING, /* of weir_tcp_listen */
    SERVICE,   /* of weir_tcp_serve, on two schedulers */
    ZERO,      /* never was a socket */
    STOPPED,   /* of a runtime that was stopped */
    STATE_COUNT
};
static const char *const state_names[] = {"open",    "half closed", "gone",   "listening",
                                          "service", "zero",        "stopped"};

enum caller { THREAD, OWN, OTHER, CALLER_COUNT };
static const char *const caller_names[] = {"a thread", "its own scheduler", "another scheduler"};

/* What all the calls of a table share. */
static struct subject {
    struct loopback loopback;
    weir_socket socket;
    enum state state;
    enum caller caller;
    int file;
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

static int call_close(weir_socket socket)
{
    return weir_close(socket);
}

/* What a thread is given, by state; then on the socket's own scheduler and on another, where it
 * is not the same: 1 says that it is. */
static const struct row {
    const char *name;
    call *make;
    int gives[STATE_COUNT];
    bool waits; /* refused on every scheduler */
} rows[] = {
    {"sockname", call_sockname, {0, 0, -EINVAL, 0, 0, -EINVAL, -EINVAL}, false},
    {"peername", call_peername, {0, 0, -EINVAL, -ENOTCONN, -ENOTCONN, -EINVAL, -EINVAL}, false},
    {"port", call_port, {0, 0, -EINVAL, 0, 0, -EINVAL, -EINVAL}, false},
    {"getstat", call_getstat, {0, 0, -EINVAL, 0, 0, -EINVAL, -EINVAL}, false},
    {"setopts", call_setopts, {0, 0, -EINVAL, 0, 0, -EINVAL, -EINVAL}, false},
    {"getopts", call_getopts, {0, 0, -EINVAL, 0, 0, -EINVAL, -EINVAL}, false},
    {"set_data",
     call_set_data,
     {-EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL},
     false},
    {"send", call_send, {0, 0, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED}, false},
    {"sendv",
     call_sendv,
     {0, 0, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED},
     false},
    {"send_packet",
     call_send_packet,
     {0, 0, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED},
     false},
    {"send_owned",
     call_send_owned,
     {0, 0, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED},
     false},
    {"send_file",
     call_send_file,
     {0, 0, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED},
     false},
    {"recv",
     call_recv,
     {WEIR_TIMEOUT, WEIR_CLOSED, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED},
     true},
    {"accept",
     call_accept,
     {-EINVAL, -EINVAL, WEIR_CLOSED, WEIR_TIMEOUT, -EINVAL, WEIR_CLOSED, WEIR_CLOSED},
     true},
    {"controlling_process",
     call_controlling_process,
     {0, 0, WEIR_CLOSED, WEIR_NOT_OWNER, WEIR_NOT_OWNER, WEIR_CLOSED, WEIR_CLOSED},
     false},
    {"shutdown",
     call_shutdown,
     {0, 0, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED},
     false},
    {"close", call_close, {0, 0, 0, 0, 0, 0, 0}, false},
};

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

static const struct {
    const char *name;
    call *make;
    int gives[STATE_COUNT]; /* whoever calls */
} async_rows[] = {
    {"recv_async",
     async_recv,
     {WEIR_TIMEOUT, WEIR_CLOSED, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED}},
    {"accept_async",
     async_accept,
     {-EINVAL, -EINVAL, WEIR_CLOSED, WEIR_TIMEOUT, -EINVAL, WEIR_CLOSED, WEIR_CLOSED}},
    {"send_async", async_send, {0, 0, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED}},
};

static size_t async_row;
static int started;

static void start_async(void *unused)
{
    (void)unused;
    started = async_rows[async_row].make(subject.socket);
}

static void run_where(enum caller caller, uint32_t home, void (*work)(void *))
{
    if (caller == THREAD)
        work(NULL);
    else
        run_there(subject.loopback.runtime, caller == OWN ? home : 1 - home, work, NULL);
}

static void call_all_async(uint32_t home)
{
    for (async_row = 0; async_row < sizeof(async_rows) / sizeof(async_rows[0]); async_row++) {
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
    if (row->make == call_close || subject.caller == THREAD)
        return gives;
    if (!has_scheduler(subject.state))
        return gives;
    if (subject.caller == OTHER || row->waits)
        return -EDEADLK;
    if (subject.state == SERVICE && (row->make == call_setopts || row->make == call_set_data))
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
    cr_expect(result >= 0 || (*text && !strstr(text, stale)), "%s of what is %s, by %s: '%s'",
              row->name, state_names[subject.state], caller_names[subject.caller], text);
}

static void call_all(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
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
    subject.socket = make_socket(state);
    uint32_t home = has_scheduler(state) ? scheduler_of(subject.socket) - base : 0;
    call_all_async(home);
    run_where(caller, home, call_all);
    close(subject.file);
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
