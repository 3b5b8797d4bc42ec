/* SPDX-License-Identifier: MIT */
/* What is asked of a runtime that somebody stops between two steps of the call: it says closed,
 * leaves nothing, and what was given is as it was. The same when the owner to be ends then. */
#include "support/loopback.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "runtime/owner/owner.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"

enum { SCHEDULERS = 3 };

/* Of this thread's look-ups of a scheduler the one that finds none; 0: all find theirs. */
static _Thread_local unsigned until_gone;
static _Thread_local bool stops; /* its runtime, before the first that is found is asked */
static _Thread_local unsigned until_orphaned; /* the look-up at which the mailbox ends */
static _Thread_local bool stopped_since;
static _Thread_local bool withdrawn;

struct scheduler *__real_registry_enter(uint32_t index);
struct scheduler *__wrap_registry_enter(uint32_t index);
int __real_runtimes_enter_again(const struct weir_runtime *runtime, uint64_t id);
int __wrap_runtimes_enter_again(const struct weir_runtime *runtime, uint64_t id);
bool __real_runtimes_is_withdrawn(const struct weir_runtime *runtime);
bool __wrap_runtimes_is_withdrawn(const struct weir_runtime *runtime);
int __real_weir_controlling_process(weir_socket socket, weir_owner from, weir_owner to);
int __wrap_weir_controlling_process(weir_socket socket, weir_owner from, weir_owner to);

static struct loopback loopback;
static weir_mailbox *mailbox; /* what is to own things, if it is not the loopback's */
static pthread_t stopper;

static void *stop_it(void *runtime)
{
    (void)!weir_stop(runtime);
    return NULL;
}

/* It is told so before the call of who is inside it. */
static void stop_before(const struct scheduler *scheduler)
{
    stops = false;
    cr_assert(pthread_create(&stopper, NULL, stop_it, loopback.runtime) == 0);
    EVENTUALLY(__atomic_load_n(&scheduler->state, __ATOMIC_ACQUIRE) == SCHEDULER_STOPPING);
}

struct scheduler *__wrap_registry_enter(uint32_t index)
{
    if (until_gone > 0 && --until_gone == 0)
        return NULL;
    if (until_orphaned > 0 && --until_orphaned == 0) {
        weir_mailbox_destroy(mailbox);
        mailbox = NULL;
    }
    struct scheduler *scheduler = __real_registry_enter(index);
    if (stops)
        stop_before(scheduler);
    return scheduler;
}

int __wrap_runtimes_enter_again(const struct weir_runtime *runtime, uint64_t id)
{
    return stopped_since ? WEIR_CLOSED : __real_runtimes_enter_again(runtime, id);
}

bool __wrap_runtimes_is_withdrawn(const struct weir_runtime *runtime)
{
    return withdrawn || __real_runtimes_is_withdrawn(runtime);
}

static weir_process process;
static int port;
static bool ends_meanwhile; /* the process, between the two steps of giving it a socket */
static int called;

int __wrap_weir_controlling_process(weir_socket socket, weir_owner from, weir_owner to)
{
    if (ends_meanwhile) {
        GIVES(weir_kill(process), 0);
        EVENTUALLY(owner_check(to) < 0);
    }
    return __real_weir_controlling_process(socket, from, to);
}

static void call_nothing(void *data)
{
    (void)data;
    called++;
}

static void fire_nothing(weir_timer timer, void *data)
{
    (void)timer;
    call_nothing(data);
}

static void work_nothing(weir_socket socket, int result, void *socket_data, void *data)
{
    (void)socket;
    (void)result;
    (void)socket_data;
    call_nothing(data);
}

static void open_nothing(weir_socket socket, int result, void *data)
{
    (void)socket;
    (void)result;
    call_nothing(data);
}

static int sleep_for_ever(void *unused)
{
    (void)unused;
    return weir_sleep(WEIR_INFINITY);
}

static void count(void *counter)
{
    ++*(int *)counter;
}

#define PASSIVE WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE))

static int run_on(void)
{
    return weir_run_on(loopback.runtime, 0, call_nothing, NULL);
}

static int run_for(void)
{
    return weir_run_for(loopback.socket, work_nothing, NULL);
}

/* Those that are there get it; here none is. */
static int broadcast(void)
{
    int released = 0;
    const weir_owned_bytes message = {"x", 1, count, &released};
    until_gone = 1;
    int result = weir_broadcast(loopback.runtime, &message, NULL);
    cr_expect(released == 1, "released %d times", released);
    return result;
}

static int start_timer(void)
{
    weir_timer timer;
    return weir_timer_start(loopback.runtime, 0, 0, 0, fire_nothing, NULL, &timer);
}

static int post(void)
{
    return weir_post(process, NULL);
}

static int kill_it(void)
{
    return weir_kill(process);
}

static int spawn(void)
{
    return weir_spawn(loopback.runtime, 0, sleep_for_ever, NULL, NULL, NULL);
}

static int listen_there(void)
{
    weir_socket socket;
    return weir_tcp_listen(loopback.runtime, "127.0.0.1", 0, NULL, &socket);
}

static weir_owner owner(void)
{
    return weir_mailed_to(mailbox ? mailbox : loopback.mailbox);
}

static int serve(void)
{
    weir_socket socket;
    return weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, NULL, owner(), &socket);
}

static int open_udp(void)
{
    weir_socket socket;
    return weir_udp_open(loopback.runtime, 0, PASSIVE, weir_owned_by_nobody(), &socket);
}

static int serve_udp(void)
{
    weir_socket socket;
    return weir_udp_serve(loopback.runtime, "127.0.0.1", 0, NULL, owner(), &socket);
}

static int connect_to(const char *host)
{
    weir_socket socket;
    return weir_tcp_connect(loopback.runtime, host, 9, PASSIVE, weir_owned_by_nobody(), WAIT_MS,
                            &socket);
}

static int connect_async_to(const char *host)
{
    return weir_tcp_connect_async(loopback.runtime, host, 9, PASSIVE, weir_owned_by_nobody(),
                                  WAIT_MS, open_nothing, NULL);
}

static int connect_to_address(void)
{
    return connect_to("127.0.0.1");
}

static int connect_to_name(void)
{
    return connect_to("a.host");
}

static int connect_async_to_address(void)
{
    return connect_async_to("127.0.0.1");
}

static int connect_async_to_name(void)
{
    return connect_async_to("a.host");
}

static int load_rc(void)
{
    return weir_load_rc(loopback.runtime, "", "{lookup,[file]}.");
}

static const struct row {
    const char *name;
    int (*call)(void);
    unsigned steps; /* in each of which a scheduler is looked up */
} rows[] = {
    {"run_on", run_on, 1},
    {"run_for", run_for, 1},
    {"timer_start", start_timer, 1},
    {"post", post, 1},
    {"kill", kill_it, 1},
    {"spawn", spawn, 1},
    {"tcp_listen", listen_there, 1},
    {"tcp_serve", serve, SCHEDULERS},
    {"udp_open", open_udp, 1},
    {"udp_serve", serve_udp, SCHEDULERS},
    {"tcp_connect", connect_to_address, 1},
    {"tcp_connect by name", connect_to_name, 1},
    {"tcp_connect_async", connect_async_to_address, 1},
    {"tcp_connect_async by name", connect_async_to_name, 1},
    {"load_rc", load_rc, SCHEDULERS},
};

static void begin(void)
{
    const weir_config config = {.schedulers = SCHEDULERS, .inet_terms = "{lookup,[file]}."};
    loopback = loopback_start(&config);
    loopback.listener = listen_with(loopback.runtime, "[{active,false}]");
    loopback_reopen(&loopback);
    port = weir_port(loopback.listener);
    GIVES(weir_spawn(loopback.runtime, 0, sleep_for_ever, NULL, NULL, &process), 0);
}

static void end(void)
{
    loopback_close(&loopback);
    cr_expect(called == 0, "called back %d times", called);
}

/* What it makes once and keeps is there after the first time. */
static void expect_closed(const struct row *row, unsigned step)
{
    int64_t blocks = 0;
    int descriptors = descriptor_count();
    for (int i = 0; i < 2; i++) {
        blocks = memory_live_count();
        until_gone = step;
        int result = row->call();
        until_gone = 0;
        cr_expect(result == WEIR_CLOSED, "%s, step %u, gives %s", row->name, step,
                  result_text(result));
        cr_expect(*weir_last_error_text(), "%s says nothing of why", row->name);
    }
    EVENTUALLY(memory_live_count() <= blocks); /* what the first left to others may be gone too */
    EVENTUALLY(descriptor_count() == descriptors);
}

Test(withdrawn, a_scheduler_that_is_gone)
{
    begin();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (unsigned step = 1; step <= rows[i].steps; step++)
            expect_closed(&rows[i], step);
    end();
}

static void expect_stopping(const struct row *row)
{
    begin();
    stops = true;
    int result = row->call();
    cr_expect(result == WEIR_CLOSED, "%s gives %s", row->name, result_text(result));
    cr_expect(*weir_last_error_text(), "%s says nothing of why", row->name);
    cr_expect(pthread_join(stopper, NULL) == 0);
    end();
}

/* It has been found, and sees the call when it has been told to stop. */
Test(withdrawn, a_scheduler_that_is_stopping)
{
    static const struct row calls[] = {
        {"spawn", spawn, 1},
        {"tcp_listen", listen_there, 1},
        {"tcp_serve", serve, 1},
        {"udp_open", open_udp, 1},
        {"udp_serve", serve_udp, 1},
        {"tcp_connect", connect_to_address, 1},
        {"tcp_connect by name", connect_to_name, 1},
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        expect_stopping(&calls[i]);
}

static int open_udp_for_it(void)
{
    weir_socket socket;
    return weir_udp_open(loopback.runtime, 0, NULL, owner(), &socket);
}

/* The next has the connection. */
static int accept_for_it(void)
{
    weir_socket socket;
    int peer = peer_connect(port);
    int result = weir_tcp_accept(loopback.listener, owner(), WAIT_MS, &socket);
    GIVES(weir_tcp_accept(loopback.listener, owner(), WAIT_MS, &socket), 0);
    weir_close(socket);
    peer_leave(&peer);
    return result;
}

static int connect_for_it(void)
{
    weir_socket socket;
    return weir_tcp_connect(loopback.runtime, "127.0.0.1", (uint16_t)port, NULL, owner(), WAIT_MS,
                            &socket);
}

static void expect_orphaned(const struct row *row, unsigned step)
{
    begin();
    int descriptors = descriptor_count();
    GIVES(weir_mailbox_create(&mailbox), 0);
    until_orphaned = step;
    int result = row->call();
    cr_assert(until_orphaned == 0, "%s has no step %u", row->name, step);
    cr_expect(result == WEIR_BADARG || result == WEIR_CLOSED, "%s, step %u, gives %s", row->name,
              step, result_text(result));
    EVENTUALLY(descriptor_count() <= descriptors);
    end();
}

/* Its mailbox is destroyed when the call is under way. */
Test(withdrawn, an_owner_that_is_gone)
{
    static const struct row calls[] = {
        {"udp_open", open_udp_for_it, 1},   {"udp_serve", serve_udp, SCHEDULERS},
        {"tcp_serve", serve, SCHEDULERS},   {"tcp_accept", accept_for_it, 1},
        {"tcp_connect", connect_for_it, 1},
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        for (unsigned step = 1; step <= calls[i].steps; step++)
            expect_orphaned(&calls[i], step);
}

/* It enters all schedulers before the first may have finished. */
Test(withdrawn, a_broadcast_that_no_scheduler_takes)
{
    loopback = loopback_start(NULL);
    expect_closed(&(const struct row){"broadcast", broadcast, 1}, 1);
    end();
}

Test(withdrawn, a_runtime_that_is_gone_when_the_host_is_known)
{
    static const struct row connects[] = {
        {"tcp_connect", connect_to_address, 0},
        {"tcp_connect by name", connect_to_name, 0},
        {"tcp_connect_async", connect_async_to_address, 0},
        {"tcp_connect_async by name", connect_async_to_name, 0},
    };
    begin();
    stopped_since = true;
    for (size_t i = 0; i < sizeof(connects) / sizeof(connects[0]); i++)
        expect_closed(&connects[i], 0);
    stopped_since = false;
    end();
}

Test(withdrawn, a_drain_says_who_ends_it)
{
    begin();
    withdrawn = true;
    GIVES(weir_drain(loopback.runtime, WEIR_INFINITY), WEIR_CLOSED);
    cr_expect_str_eq(weir_last_error_text(), "the runtime is being stopped");
    withdrawn = false;
    end();
}

/* The socket stays whose it was. */
Test(withdrawn, a_process_that_ends_while_it_is_given_a_socket)
{
    begin();
    ends_meanwhile = true;
    GIVES(weir_give(loopback.socket, weir_mailed_to(loopback.mailbox), process), WEIR_NOPROC);
    ends_meanwhile = false;
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                   weir_mailed_to(loopback.mailbox)),
          0);
    end();
}

/* A socket of somebody who does not wait. */
static int given_socket(int type)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
    return fd;
}

static int take_listener(int fd)
{
    weir_socket socket;
    return weir_tcp_listen(loopback.runtime, NULL, 0, WEIR_OPTIONS(WEIR_FD(fd)), &socket);
}

static int take_service(int fd)
{
    return weir_tcp_serve_fds(loopback.runtime, &fd, 1, NULL, weir_mailed_to(loopback.mailbox),
                              NULL);
}

static int take_udp(int fd)
{
    weir_socket socket;
    return weir_udp_open(loopback.runtime, 0,
                         WEIR_OPTIONS(WEIR_FD(fd), WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                         weir_owned_by_nobody(), &socket);
}

Test(withdrawn, a_socket_that_was_given_is_its_owners_and_as_it_was)
{
    static int (*const calls[])(int) = {take_listener, take_service, take_udp};
    begin();
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        int fd = given_socket(i < 2 ? SOCK_STREAM : SOCK_DGRAM);
        int descriptors = descriptor_count();
        until_gone = 1;
        int result = calls[i](fd);
        until_gone = 0;
        cr_expect(result == WEIR_CLOSED, "call %zu gives %s", i, result_text(result));
        cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK, "call %zu has it wait", i);
        cr_expect(descriptor_count() == descriptors);
        close(fd);
    }
    end();
}
