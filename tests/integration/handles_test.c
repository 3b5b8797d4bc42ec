/* SPDX-License-Identifier: MIT */
/*
 * Every public function that takes a runtime, while that runs and when it has been stopped, called
 * by a thread, on one of its schedulers and on a scheduler of another runtime; and timers, in each
 * of their states. As states_test.c has it for sockets. Mailboxes that are gone are memory of the
 * library's, and nobody's to call with: owner_test.c has what is theirs.
 */
#include "support/loopback.h"

#include "runtime/ring/operation.h"
#include "runtime/scheduler/registry.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum state { RUNNING, STOPPED, STATE_COUNT };
enum caller { THREAD, OWN, FOREIGN, PROCESS, CALLER_COUNT };
static const char *const state_names[] = {"runs", "has stopped"};
static const char *const caller_names[] = {"a thread", "its scheduler", "a foreign scheduler",
                                           "a process"};

static struct subject {
    weir_runtime *runtime;
    weir_runtime *foreign;
    enum state state;
    enum caller caller;
} subject;

static const weir_address loopback_address = {.family = WEIR_INET, .bytes = {127, 0, 0, 1}};
static struct answer answer;

static void found(const weir_hostent *hostent, int result, void *data)
{
    cr_expect((hostent != NULL) == (result == 0));
    answer_sent((weir_socket){0}, result, data);
}

static void worked(void *data)
{
    answer_sent((weir_socket){0}, 0, data);
}

static void fired(weir_timer timer, void *data)
{
    cr_expect(timer.id != 0);
    worked(data);
}

static int closing(int result, const weir_socket *socket)
{
    return result == 0 ? weir_close(*socket) : result;
}

static int freeing(int result, weir_hostent *const *hostent)
{
    if (result == 0)
        weir_hostent_free(*hostent);
    return result;
}

static int call_scheduler_count(weir_runtime *runtime)
{
    return weir_scheduler_count(runtime) == 1 ? 0 : WEIR_CLOSED;
}

static int call_feature(weir_runtime *runtime)
{
    int in_use;
    const char *name = weir_feature(runtime, 0, &in_use);
    return name && *name ? 0 : WEIR_CLOSED;
}

static int call_metrics(weir_runtime *runtime)
{
    int size = weir_metrics(runtime, NULL, 0);
    return size > 0 ? 0 : size;
}

static int call_get_totals(weir_runtime *runtime)
{
    weir_totals totals;
    return weir_get_totals(runtime, 0, &totals);
}

static int call_get_turn_times(weir_runtime *runtime)
{
    weir_turn_times times;
    return weir_get_turn_times(runtime, -1, &times);
}

static int call_get_rc(weir_runtime *runtime)
{
    weir_parameter *parameters;
    size_t count;
    int result = weir_get_rc(runtime, &parameters, &count);
    if (result == 0)
        weir_parameters_free(parameters);
    return result;
}

static int call_tcp_listen(weir_runtime *runtime)
{
    weir_socket socket;
    return closing(weir_tcp_listen(runtime, "127.0.0.1", 0, NULL, &socket), &socket);
}

static const weir_handler nothing;

static int call_tcp_serve(weir_runtime *runtime)
{
    weir_socket socket;
    return closing(
        weir_tcp_serve(runtime, "127.0.0.1", 0, NULL, weir_handled_by(&nothing, NULL), &socket),
        &socket);
}

static int call_udp_open(weir_runtime *runtime)
{
    weir_socket socket;
    return closing(weir_udp_open(runtime, 0, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                                 weir_owned_by_nobody(), &socket),
                   &socket);
}

static int call_tcp_serve_fds(weir_runtime *runtime)
{
    weir_socket socket;
    int port;
    int fd = peer_listen(1, &port);
    int result =
        weir_tcp_serve_fds(runtime, &fd, 1, NULL, weir_handled_by(&nothing, NULL), &socket);
    if (result < 0)
        close(fd);
    return closing(result, &socket);
}

static int call_udp_serve(weir_runtime *runtime)
{
    weir_socket socket;
    return closing(
        weir_udp_serve(runtime, "127.0.0.1", 0, NULL, weir_handled_by(&nothing, NULL), &socket),
        &socket);
}

static int end_at_once(void *data)
{
    (void)data;
    return 0;
}

static int call_spawn(weir_runtime *runtime)
{
    return weir_spawn(runtime, WEIR_ANY_SCHEDULER, end_at_once, NULL, NULL, NULL);
}

/* Port 0 is nobody's. */
static int call_tcp_connect(weir_runtime *runtime)
{
    weir_socket socket;
    return weir_tcp_connect(runtime, "127.0.0.1", 0, NULL, weir_handled_by(&nothing, NULL), WAIT_MS,
                            &socket);
}

static int call_gethostbyname(weir_runtime *runtime)
{
    weir_hostent *hostent;
    return freeing(weir_gethostbyname(runtime, "127.0.0.1", WAIT_MS, &hostent), &hostent);
}

static int call_gethostbyname2(weir_runtime *runtime)
{
    weir_hostent *hostent;
    return freeing(weir_gethostbyname2(runtime, "::1", WEIR_INET6, WAIT_MS, &hostent), &hostent);
}

static int call_gethostbyaddr(weir_runtime *runtime)
{
    weir_hostent *hostent;
    return freeing(weir_gethostbyaddr(runtime, &loopback_address, WAIT_MS, &hostent), &hostent);
}

static int call_getaddr(weir_runtime *runtime)
{
    weir_address address;
    return weir_getaddr(runtime, "127.0.0.1", WEIR_INET, WAIT_MS, &address);
}

static int call_getaddrs(weir_runtime *runtime)
{
    weir_address address;
    int count = weir_getaddrs(runtime, "127.0.0.1", WEIR_INET, WAIT_MS, &address, 1);
    return count == 1 ? 0 : count;
}

static int call_load_rc(weir_runtime *runtime)
{
    return weir_load_rc(runtime, NULL, NULL);
}

static int call_drain(weir_runtime *runtime)
{
    return weir_drain(runtime, WAIT_MS);
}

static int start_run_on(weir_runtime *runtime)
{
    return weir_run_on(runtime, 0, worked, &answer);
}

static void released(void *data)
{
    (void)data;
}

static void broadcast(const weir_broadcast_counts *counts, void *data)
{
    (void)counts;
    worked(data);
}

static int start_broadcast(weir_runtime *runtime)
{
    const weir_owned_bytes hello = {.bytes = "hello", .size = 5, .released = released};
    const weir_broadcast_plan plan = {.done = broadcast, .data = &answer};
    return weir_broadcast(runtime, &hello, &plan);
}

static int start_timer(weir_runtime *runtime)
{
    return weir_timer_start(runtime, WEIR_ANY_SCHEDULER, 0, 0, fired, &answer, NULL);
}

static int start_connect(weir_runtime *runtime)
{
    return weir_tcp_connect_async(runtime, "127.0.0.1", 0, NULL, weir_handled_by(&nothing, NULL),
                                  WAIT_MS, answer_opened, &answer);
}

static int start_gethostbyname(weir_runtime *runtime)
{
    return weir_gethostbyname_async(runtime, "127.0.0.1", WEIR_INET, WAIT_MS, found, &answer);
}

static int start_gethostbyaddr(weir_runtime *runtime)
{
    return weir_gethostbyaddr_async(runtime, &loopback_address, WAIT_MS, found, &answer);
}

static int start_getaddrs(weir_runtime *runtime)
{
    return weir_getaddrs_async(runtime, "127.0.0.1", WEIR_INET, WAIT_MS, found, &answer);
}

/* By a thread, on one of its schedulers, on a foreign one, and there when it has stopped. (To a
 * thread it is closed then.) A process may do what a thread may, but for what ALONE says. */
#define ANYWHERE             \
    {                        \
        0, 0, 0, WEIR_CLOSED \
    }
#define MADE                        \
    {                               \
        0, 0, -EDEADLK, WEIR_CLOSED \
    } /* what is made is the caller's */
#define WAITS                              \
    {                                      \
        0, -EDEADLK, -EDEADLK, WEIR_CLOSED \
    }
#define ALONE                           \
    {                                   \
        0, -EDEADLK, -EDEADLK, -EDEADLK \
    }
#define CONNECTS                                    \
    {                                               \
        -ECONNREFUSED, -EDEADLK, -EDEADLK, -EDEADLK \
    }
#define NOBODY                                           \
    {                                                    \
        -ECONNREFUSED, -ECONNREFUSED, -EDEADLK, -EDEADLK \
    }

static const struct row {
    const char *name;
    int (*call)(weir_runtime *runtime);
    bool calls_back; /* it gives what the callback is told */
    int gives[CALLER_COUNT];
} rows[] = {
    {"weir_scheduler_count", call_scheduler_count, false, ANYWHERE},
    {"weir_metrics", call_metrics, false, ANYWHERE},
    {"weir_get_totals", call_get_totals, false, ANYWHERE},
    {"weir_get_turn_times", call_get_turn_times, false, ANYWHERE},
    {"weir_get_rc", call_get_rc, false, ANYWHERE},
    {"weir_run_on", start_run_on, true, ANYWHERE},
    {"weir_broadcast", start_broadcast, true, ANYWHERE},
    {"weir_timer_start", start_timer, true, ANYWHERE},
    {"weir_tcp_listen", call_tcp_listen, false, MADE},
    {"weir_tcp_serve", call_tcp_serve, false, MADE},
    {"weir_tcp_serve_fds", call_tcp_serve_fds, false, MADE},
    {"weir_udp_open", call_udp_open, false, MADE},
    {"weir_spawn", call_spawn, false, MADE},
    {"weir_udp_serve", call_udp_serve, false, MADE},
    {"weir_tcp_connect", call_tcp_connect, false, CONNECTS},
    {"weir_tcp_connect_async", start_connect, true, NOBODY},
    {"weir_gethostbyname", call_gethostbyname, false, WAITS},
    {"weir_gethostbyname2", call_gethostbyname2, false, WAITS},
    {"weir_gethostbyaddr", call_gethostbyaddr, false, WAITS},
    {"weir_getaddr", call_getaddr, false, WAITS},
    {"weir_getaddrs", call_getaddrs, false, WAITS},
    {"weir_gethostbyname_async", start_gethostbyname, true, ANYWHERE},
    {"weir_gethostbyaddr_async", start_gethostbyaddr, true, ANYWHERE},
    {"weir_getaddrs_async", start_getaddrs, true, ANYWHERE},
    {"weir_load_rc", call_load_rc, false, ALONE},
    {"weir_drain", call_drain, false, ALONE},
    {"weir_stop", weir_stop, false, ALONE}, /* the last: it has been stopped then */
};
/* One that has stopped has its features' names still. */
static const struct row feature = {"weir_feature", call_feature, false, ANYWHERE};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static void run_where(enum caller caller, void (*work)(void *), void *data)
{
    if (caller == THREAD)
        work(data);
    else if (caller == PROCESS)
        run_in_process(subject.runtime, 0, work, data);
    else
        run_there(caller == OWN ? subject.runtime : subject.foreign, 0, work, data);
}

struct made {
    const struct row *row;
    int result;
    char text[200];
};

static void make_call(void *data)
{
    struct made *made = data;
    weir_address address;
    cr_assert(weir_address_parse("stale", &address) == -EINVAL);
    made->result = made->row->call(subject.runtime);
    strncpy(made->text, weir_last_error_text(), sizeof(made->text) - 1);
}

static void expect_row(const struct row *row, int expected)
{
    struct made made = {.row = row};
    answer = (struct answer){.count = 0};
    run_where(subject.caller, make_call, &made);
    bool started = row->calls_back && made.result == 0;
    int result = started ? answer_wait(&answer) : made.result;
    cr_expect(result == expected, "%s of a runtime that %s, by %s, gives %s, not %s: %s", row->name,
              state_names[subject.state], caller_names[subject.caller], result_text(result),
              result_text(expected), made.text);
    cr_expect(made.result < 0 || !*made.text, "%s by %s has not failed, and says '%s'", row->name,
              caller_names[subject.caller], made.text);
    bool may_be_silent = made.result >= 0 || row->call == call_scheduler_count;
    cr_expect(may_be_silent || (*made.text && !strstr(made.text, "stale")), "%s by %s: '%s'",
              row->name, caller_names[subject.caller], made.text);
}

enum { STOPPED_FOREIGN = PROCESS }; /* the last column */

static int expected_of(const struct row *row)
{
    if (subject.state == RUNNING && subject.caller == PROCESS)
        return row->gives[row->gives[STOPPED_FOREIGN] == -EDEADLK && row->gives[THREAD] == 0];
    if (subject.state == RUNNING)
        return row->gives[subject.caller];
    return subject.caller == FOREIGN ? row->gives[STOPPED_FOREIGN] : WEIR_CLOSED;
}

static void run_cell(enum state state, enum caller caller)
{
    struct loopback loopback = loopback_start(NULL);
    subject = (struct subject){.foreign = loopback.runtime, .state = state, .caller = caller};
    GIVES(weir_start(&subject.runtime, &(weir_config){.schedulers = 1}), 0);
    if (state == STOPPED)
        GIVES(weir_stop(subject.runtime), 0);
    expect_row(&feature, 0);
    for (size_t i = 0; i < ROW_COUNT; i++)
        expect_row(&rows[i], expected_of(&rows[i]));
    if (state == RUNNING && caller != THREAD)
        GIVES(weir_stop(subject.runtime), 0);
    loopback_close(&loopback);
}

Test(handles, of_a_runtime_that_runs)
{
    for (enum caller caller = THREAD; caller < CALLER_COUNT; caller++)
        run_cell(RUNNING, caller);
}

Test(handles, of_a_runtime_that_has_stopped)
{
    run_cell(STOPPED, THREAD);
    run_cell(STOPPED, FOREIGN);
}

/* What the headers declare, by the handle that it takes first. */
static const char *const runtimes[] = {
#define SOCKET(name)
#define RUNTIME(name) #name,
#define TIMER(name)
#include "handles.inc"
#undef SOCKET
#undef RUNTIME
#undef TIMER
};

static const char *const timers[] = {
#define SOCKET(name)
#define RUNTIME(name)
#define TIMER(name) #name,
#include "handles.inc"
};

Test(handles, every_function_that_takes_a_runtime_has_its_row)
{
    size_t count = sizeof(runtimes) / sizeof(runtimes[0]);
    for (size_t i = 0; i < count; i++) {
        bool found_it = strcmp(runtimes[i], feature.name) == 0;
        for (size_t j = 0; j < ROW_COUNT; j++)
            found_it = found_it || strcmp(runtimes[i], rows[j].name) == 0;
        cr_expect(found_it, "%s has no row", runtimes[i]);
    }
    cr_expect(count == ROW_COUNT + 1, "a row too many");
    cr_expect(sizeof(timers) == sizeof(timers[0]), "cancelling is not all that there is");
    cr_expect_str_eq(timers[0], "weir_timer_cancel");
}

/* Timers: pending, fired, cancelled, none, and of a runtime that has stopped. */
enum { PENDING, FIRED, CANCELLED, NONE, OF_STOPPED, TIMER_STATES };

static weir_timer timer_in(int state)
{
    weir_timer timer = {0};
    answer = (struct answer){.count = 0};
    if (state != NONE)
        GIVES(weir_timer_start(subject.runtime, 0, state == FIRED ? 0 : WAIT_MS, 0, fired, &answer,
                               &timer),
              0);
    if (state == FIRED) {
        GIVES(answer_wait(&answer), 0);
        EVENTUALLY(weir_timer_cancel(timer) == -ENOENT); /* its callback has returned */
    }
    if (state == CANCELLED)
        GIVES(weir_timer_cancel(timer), 0);
    if (state == OF_STOPPED)
        GIVES(weir_stop(subject.runtime), 0);
    return timer;
}

struct cancelled {
    weir_timer timer;
    int result;
};

static void cancel_it(void *data)
{
    struct cancelled *cancelled = data;
    weir_address address;
    cr_assert(weir_address_parse("stale", &address) == -EINVAL);
    cancelled->result = weir_timer_cancel(cancelled->timer);
    cr_expect(!strstr(weir_last_error_text(), "stale"));
}

Test(handles, of_timers)
{
    static const int gives[TIMER_STATES] = {0, -ENOENT, -ENOENT, -ENOENT, -ENOENT};
    struct loopback loopback = loopback_start(NULL);
    for (enum caller caller = THREAD; caller < CALLER_COUNT; caller++)
        for (int state = 0; state < TIMER_STATES; state++) {
            if ((caller == OWN || caller == PROCESS) && state == OF_STOPPED)
                continue;
            subject = (struct subject){.foreign = loopback.runtime};
            GIVES(weir_start(&subject.runtime, &(weir_config){.schedulers = 1}), 0);
            struct cancelled cancelled = {.timer = timer_in(state)};
            run_where(caller, cancel_it, &cancelled);
            cr_expect(cancelled.result == gives[state], "state %d, by %s: %s", state,
                      caller_names[caller], result_text(cancelled.result));
            if (state != OF_STOPPED)
                GIVES(weir_stop(subject.runtime), 0);
        }
    loopback_close(&loopback);
}

/* A scheduler whose number has used up the generations of its first slots gives out others. */
Test(handles, of_later_slots)
{
    enum { USED = 640 };
    struct registry_handles handles;
    weir_timer timer;
    int index = registry_reserve(&handles);
    registry_release((uint32_t)index, GENERATION_MAX, USED);
    struct loopback loopback = loopback_open("[{active,true}]");
    cr_assert((int)(loopback.socket.id >> 56) == index && (uint32_t)loopback.socket.id >= USED);
    peer_say(loopback.peer, "hello");
    expect_text(&loopback, "hello");
    GIVES(weir_send(loopback.socket, "hello", 5), 0);
    peer_expect(loopback.peer, "hello");
    GIVES(weir_timer_start(loopback.runtime, 0, WAIT_MS, 0, fired, &answer, &timer), 0);
    cr_expect((uint32_t)timer.id >= USED);
    GIVES(weir_timer_cancel(timer), 0);
    GIVES(weir_timer_cancel(timer), -ENOENT);
    loopback_close(&loopback);
}
