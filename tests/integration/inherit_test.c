/* SPDX-License-Identifier: MIT */
/* Services on sockets that are there already, and handing them on. */
#include "integration/local_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SCHEDULERS = 3, MOST = 4 };

struct counts {
    int accepted[MOST];
    int total;
};

static void count_accepted(weir_socket socket, void *data)
{
    struct counts *counts = data;
    (void)socket;
    __atomic_add_fetch(&counts->accepted[weir_current_scheduler()], 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&counts->total, 1, __ATOMIC_SEQ_CST);
}

static const weir_handler counting = {.accepted = count_accepted};

static int total(struct counts *counts)
{
    return __atomic_load_n(&counts->total, __ATOMIC_SEQ_CST);
}

static weir_owner counted(struct counts *counts)
{
    return weir_handled_by(&counting, counts);
}

struct listening {
    int fd;
    int port;
};

static struct listening listening_socket(void)
{
    struct listening listening;
    listening.fd = peer_listen(64, &listening.port);
    cr_assert(listening.fd >= 0);
    return listening;
}

static void expect_duplicates(weir_socket socket, int expected)
{
    int first[WEIR_FDS_MAX];
    int fds[WEIR_FDS_MAX];
    GIVES(weir_duplicate_fds(socket, first), expected);
    memcpy(fds, first, sizeof(fds));
    GIVES(weir_duplicate_fds(socket, fds), expected); /* over what was there */
    for (int i = 0; i < expected; i++) {
        cr_assert(fcntl(fds[i], F_GETFD) == FD_CLOEXEC && fds[i] != first[i]);
        close(fds[i]);
        close(first[i]);
    }
}

static bool all_accepted(struct counts *counts, uint32_t schedulers)
{
    bool all = true;
    for (uint32_t i = 0; i < schedulers; i++)
        all &= __atomic_load_n(&counts->accepted[i], __ATOMIC_SEQ_CST) > 0;
    return all;
}

/* None keeps a socket that it shares to itself. */
static void expect_all_accept(struct counts *counts, uint32_t schedulers, const int *ports,
                              size_t sockets)
{
    enum { TRIES = 2000 };
    for (int i = 0; i < TRIES && !all_accepted(counts, schedulers); i++) {
        int before = total(counts);
        int peer = peer_connect(ports[(size_t)i % sockets]);
        EVENTUALLY(total(counts) == before + 1);
        close(peer);
    }
    cr_expect(all_accepted(counts, schedulers));
}

/* Few sockets and many schedulers, and the other way round: all are accepted from. */
static void expect_spread(uint32_t schedulers, size_t sockets)
{
    enum { EACH = 30 };
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = schedulers});
    struct counts counts = {.total = 0};
    int fds[MOST];
    int ports[MOST];
    int peers[MOST * EACH];
    int count = 0;
    weir_socket service;
    for (size_t i = 0; i < sockets; i++) {
        struct listening listening = listening_socket();
        fds[i] = listening.fd;
        ports[i] = listening.port;
    }
    GIVES(weir_tcp_serve_fds(loopback.runtime, fds, sockets, WEIR_OPTIONS(), counted(&counts),
                             &service),
          0);
    for (int round = 0; round < EACH; round++)
        for (size_t i = 0; i < sockets; i++)
            peers[count++] = peer_connect(ports[i]);
    EVENTUALLY(total(&counts) == count);
    expect_all_accept(&counts, schedulers, ports, sockets);
    expect_duplicates(service, (int)sockets);
    GIVES(weir_close(service), 0);
    for (int i = 0; i < count; i++)
        close(peers[i]);
    loopback_close(&loopback); /* finds the descriptors closed */
}

Test(inherit, one_socket_is_shared_by_all_schedulers)
{
    expect_spread(SCHEDULERS, 1);
}

Test(inherit, two_sockets_and_three_schedulers)
{
    expect_spread(SCHEDULERS, 2);
}

Test(inherit, two_sockets_and_four_schedulers)
{
    expect_spread(4, 2);
}

Test(inherit, four_sockets_and_two_schedulers)
{
    expect_spread(2, 4);
}

/* {fd,_} given to weir_tcp_serve is one. */
Test(inherit, a_service_of_a_descriptor)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    struct counts counts = {.total = 0};
    struct listening listening = listening_socket();
    weir_socket service;
    GIVES(weir_tcp_serve(loopback.runtime, NULL, 0, WEIR_OPTIONS(WEIR_FD(listening.fd)),
                         counted(&counts), &service),
          0);
    GIVES(weir_port(service), listening.port);
    int peer = peer_connect(listening.port);
    EVENTUALLY(total(&counts) == 1);
    close(peer);
    loopback_close(&loopback);
}

static int serve_fds(struct loopback *loopback, const int *fds, size_t count,
                     const weir_option *options, weir_owner owner)
{
    weir_socket service;
    return weir_tcp_serve_fds(loopback->runtime, fds, count, options, owner, &service);
}

Test(inherit, what_fails_leaves_the_descriptors_as_they_were)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    struct counts counts = {.total = 0};
    struct listening listening = listening_socket();
    cr_assert(fcntl(listening.fd, F_SETFL, O_NONBLOCK) == 0);
    int datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int fds[] = {listening.fd, datagrams, 9999};
    weir_owner owner = counted(&counts);
    GIVES(serve_fds(&loopback, fds, 0, NULL, owner), WEIR_BADARG);
    GIVES(serve_fds(&loopback, fds, WEIR_FDS_MAX + 1, NULL, owner), WEIR_BADARG);
    GIVES(serve_fds(&loopback, fds, 2, NULL, owner), WEIR_BADARG);
    GIVES(serve_fds(&loopback, fds + 2, 1, NULL, owner), -EBADF);
    GIVES(serve_fds(&loopback, fds, 1, NULL, weir_owned_by_nobody()), WEIR_BADARG);
    GIVES(serve_fds(&loopback, fds, 1, WEIR_OPTIONS(WEIR_PORT(80)), owner), WEIR_BADARG);
    GIVES(serve_fds(&loopback, fds, 1, WEIR_OPTIONS(WEIR_FD(3)), owner), WEIR_BADARG);
    GIVES(serve_fds(&loopback, fds, 1, WEIR_OPTIONS(WEIR_TCLASS(1)), owner), -ENOPROTOOPT);
    cr_assert(fcntl(listening.fd, F_GETFL) & O_NONBLOCK);
    GIVES(serve_fds(&loopback, fds, 1, NULL, owner), 0);
    cr_assert(fcntl(listening.fd, F_GETFL) < 0 && errno == EBADF);
    cr_expect(close(datagrams) == 0, "what was not given is the caller's");
    loopback_close(&loopback);
}

Test(inherit, as_many_sockets_as_a_service_may_have)
{
    struct loopback loopback = loopback_start(NULL);
    struct counts counts = {.total = 0};
    struct listening last;
    int fds[WEIR_FDS_MAX];
    for (int i = 0; i < WEIR_FDS_MAX; i++) {
        last = listening_socket();
        fds[i] = last.fd;
    }
    GIVES(weir_tcp_serve_fds(loopback.runtime, fds, WEIR_FDS_MAX, NULL, counted(&counts), NULL), 0);
    int peer = peer_connect(last.port);
    EVENTUALLY(total(&counts) == 1);
    close(peer);
    loopback_close(&loopback);
}

/* Whoever else has it finds it as it was, and listening. */
Test(inherit, the_end_of_a_service_does_nothing_to_the_socket)
{
    struct loopback loopback = loopback_start(NULL);
    struct counts counts = {.total = 0};
    struct listening listening = listening_socket();
    int kept = dup(listening.fd);
    GIVES(serve_fds(&loopback, &listening.fd, 1, NULL, counted(&counts)), 0);
    GIVES(weir_drain(loopback.runtime, WAIT_MS), 0);
    cr_expect(!(fcntl(kept, F_GETFL) & O_NONBLOCK), "it does not wait any more");
    int peer = peer_connect(listening.port);
    close(peer);
    close(kept);
    loopback_close(&loopback);
}

/* As good as any other. */
Test(inherit, descriptor_0)
{
    struct loopback loopback = loopback_start(NULL);
    struct counts counts = {.total = 0};
    struct listening listening = listening_socket();
    weir_owner owner = counted(&counts);
    weir_socket socket;
    cr_assert(dup2(listening.fd, 0) == 0 && close(listening.fd) == 0);
    GIVES(serve_fds(&loopback, &(int){9999}, 1, WEIR_OPTIONS(WEIR_FD(0)), owner), WEIR_BADARG);
    GIVES(weir_udp_serve(loopback.runtime, NULL, 0, WEIR_OPTIONS(WEIR_FD(0)), owner, &socket),
          WEIR_BADARG);
    GIVES(weir_tcp_serve(loopback.runtime, NULL, 0, WEIR_OPTIONS(WEIR_FD(0)), owner, NULL), 0);
    int peer = peer_connect(listening.port);
    EVENTUALLY(total(&counts) == 1);
    close(peer);
    weir_stop(loopback.runtime);
    cr_expect(fcntl(0, F_GETFD) < 0 && errno == EBADF);
    weir_mailbox_destroy(loopback.mailbox);
}

/* Of two the first did not wait, and the third is none: each is as it was. */
Test(inherit, each_descriptor_is_left_as_it_was)
{
    struct loopback loopback = loopback_start(NULL);
    struct counts counts = {.total = 0};
    int does_not_wait = listening_socket().fd;
    int waits = listening_socket().fd;
    cr_assert(fcntl(does_not_wait, F_SETFL, O_NONBLOCK) == 0);
    const int fds[] = {does_not_wait, waits, 9999};
    GIVES(serve_fds(&loopback, fds, 3, NULL, counted(&counts)), -EBADF);
    cr_expect(fcntl(does_not_wait, F_GETFL) & O_NONBLOCK);
    cr_expect(!(fcntl(waits, F_GETFL) & O_NONBLOCK));
    close(does_not_wait);
    close(waits);
    loopback_close(&loopback);
}

Test(inherit, each_socket_is_duplicated_once)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = SCHEDULERS});
    struct counts counts = {.total = 0};
    weir_owner owner = counted(&counts);
    char name[64];
    weir_socket socket;
    snprintf(name, sizeof(name), "unix:@weir inherit %d", (int)getpid());
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, NULL, owner, &socket), 0);
    expect_duplicates(socket, SCHEDULERS);
    GIVES(weir_tcp_serve(loopback.runtime, name, 0, NULL, owner, &socket), 0);
    expect_duplicates(socket, 1);
    GIVES(weir_udp_serve(loopback.runtime, "127.0.0.1", 0, NULL, owner, &socket), 0);
    expect_duplicates(socket, SCHEDULERS);
    expect_duplicates(listen_with(loopback.runtime, "[]"), 1);
    loopback_close(&loopback);
}

/* The two lowest that are free, after which there are none. */
static void leave_two_descriptors(int left[2])
{
    struct rlimit limit;
    for (int i = 0; i < 2; i++)
        cr_assert((left[i] = dup(0)) >= 0);
    for (int i = 0; i < 2; i++)
        close(left[i]);
    cr_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = (rlim_t)left[1] + 1;
    cr_assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* Those of the first sockets are closed again. */
Test(inherit, duplicates_without_a_descriptor_for_each_are_none)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = SCHEDULERS});
    struct counts counts = {.total = 0};
    struct rlimit limit;
    int fds[WEIR_FDS_MAX];
    int left[2];
    weir_socket socket;
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, NULL, counted(&counts), &socket), 0);
    cr_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    leave_two_descriptors(left);
    GIVES(weir_duplicate_fds(socket, fds), -EMFILE);
    for (int i = 0; i < 2; i++)
        cr_expect(fcntl(left[i], F_GETFD) < 0 && errno == EBADF, "%d is open", left[i]);
    cr_assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    expect_duplicates(socket, SCHEDULERS);
    loopback_close(&loopback);
}

enum { WAITING = 20 };

/* Another runtime goes on with the sockets: whoever had accepted a connection serves it, and those
 * of the backlog are the successor's. */
static void expect_handed_on(const char *address, int (*connect_to)(weir_socket service))
{
    struct loopback old = loopback_start(&(weir_config){.schedulers = 2});
    struct counts before = {.total = 0};
    struct counts after = {.total = 0};
    weir_runtime *successor;
    weir_socket service;
    weir_socket next;
    int fds[WEIR_FDS_MAX];
    int peers[WAITING];
    GIVES(weir_start(&successor, &(weir_config){.schedulers = 3}), 0);
    GIVES(weir_tcp_serve(old.runtime, address, 0, WEIR_OPTIONS(WEIR_REUSEADDR(true)),
                         counted(&before), &service),
          0);
    int count = weir_duplicate_fds(service, fds);
    for (int i = 0; i < WAITING; i++) {
        if (i == WAITING / 2)
            GIVES(weir_tcp_serve_fds(successor, fds, (size_t)count, NULL, counted(&after), &next),
                  0);
        peers[i] = connect_to(service);
    }
    GIVES(weir_leave(service), 0);
    EVENTUALLY(total(&before) + total(&after) == WAITING);
    for (int i = 0; i < WAITING; i++)
        close(peers[i]);
    GIVES(weir_drain(old.runtime, WAIT_MS), 0); /* until then either may be first */
    GIVES(weir_leave(service), WEIR_CLOSED);
    int taken = total(&after);
    int peer = connect_to(next);
    EVENTUALLY(total(&after) == taken + 1);
    close(peer);
    GIVES(weir_stop(successor), 0);
    loopback_close(&old);
}

/* From the accepts on that are asked for behind this. */
static void limit_descriptors(void)
{
    struct rlimit limit;
    cr_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = 64;
    cr_assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void take_all_descriptors(void)
{
    while (dup(0) >= 0)
        continue;
}

static uint64_t pauses_of(const struct loopback *loopback)
{
    weir_totals totals;
    GIVES(weir_get_totals(loopback->runtime, -1, &totals), 0);
    return totals.accept_pauses;
}

/* What cannot be taken is left to whoever goes on with the socket. */
Test(inherit, who_leaves_without_a_descriptor_ends)
{
    limit_descriptors();
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 1});
    struct counts counts = {.total = 0};
    struct listening listening = listening_socket();
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    weir_socket service;
    cr_assert(getsockname(listening.fd, (struct sockaddr *)&address, &size) == 0);
    GIVES(weir_tcp_serve_fds(loopback.runtime, &listening.fd, 1, NULL, counted(&counts), &service),
          0);
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    take_all_descriptors();
    cr_assert(connect(peer, (const struct sockaddr *)&address, size) == 0);
    EVENTUALLY(pauses_of(&loopback) > 0);
    GIVES(weir_leave(service), 0);
    EVENTUALLY(weir_leave(service) == WEIR_CLOSED);
    cr_expect(total(&counts) == 0);
    close(peer);
    weir_stop(loopback.runtime);
    weir_mailbox_destroy(loopback.mailbox);
}

static int connect_tcp(weir_socket service)
{
    return peer_connect(weir_port(service));
}

static int connect_local(weir_socket service)
{
    weir_local_address name;
    char text[WEIR_LOCAL_TEXT_SIZE];
    GIVES(weir_local_sockname(service, &name), 0);
    return local_peer(weir_local_address_format(&name, text), SOCK_STREAM, connect);
}

Test(inherit, a_successor_goes_on_with_tcp)
{
    expect_handed_on("127.0.0.1", connect_tcp);
}

Test(inherit, a_successor_goes_on_with_a_local_socket)
{
    char name[64];
    snprintf(name, sizeof(name), "unix:@weir successor %d", (int)getpid());
    expect_handed_on(name, connect_local);
}

/* In a child, whose descriptors 3 to 5 are what systemd would pass. */
static int count_named(const char *name, const char *pid, const char *count, const char *names)
{
    pid_t child = fork();
    int status;
    if (child == 0) {
        int fds[WEIR_FDS_MAX];
        char own[16];
        for (int fd = 3; fd < 6; fd++)
            dup2(0, fd);
        snprintf(own, sizeof(own), "%d", (int)getpid());
        setenv("LISTEN_PID", pid ? pid : own, 1);
        setenv("LISTEN_FDS", count, 1);
        if (names)
            setenv("LISTEN_FDNAMES", names, 1);
        int found = weir_systemd_fds(name, fds);
        for (int i = 0; i < found; i++)
            if (fcntl(fds[i], F_GETFD) != FD_CLOEXEC)
                _exit(99);
        _exit(found * 10 + (found > 0 ? fds[0] : 0));
    }
    cr_assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

Test(inherit, systemds_descriptors)
{
    GIVES(count_named(NULL, NULL, "3", NULL), 33);
    GIVES(count_named(NULL, NULL, "3", "a:b:a"), 33);
    GIVES(count_named("a", NULL, "3", "a:b:a"), 23);
    GIVES(count_named("b", NULL, "3", "a:b:a"), 14);
    GIVES(count_named("c", NULL, "3", "a:b:a"), 0);
    GIVES(count_named("a", NULL, "3", "a"), 13);
    GIVES(count_named("", NULL, "3", "a::b"), 14);
    GIVES(count_named("a", NULL, "3", NULL), 0);
    GIVES(count_named(NULL, "1", "3", NULL), 0); /* they are another process's */
    GIVES(count_named(NULL, "", "3", NULL), 0);
    GIVES(count_named(NULL, NULL, "three", NULL), 0);
    GIVES(count_named(NULL, NULL, "3 and more", NULL), 0);
    GIVES(count_named(NULL, NULL, "-1", NULL), 0);
    GIVES(count_named(NULL, NULL, "0", NULL), 0);
}

/* One more than there is room for, which the last of `fds` would be. */
Test(inherit, systemd_may_pass_more_than_there_is_room_for)
{
    enum { FIRST = 3, UNTOUCHED = -1 };
    int fds[WEIR_FDS_MAX + 1] = {[WEIR_FDS_MAX] = UNTOUCHED};
    char own[16];
    pid_t child = fork();
    int status;
    if (child == 0) {
        for (int fd = FIRST; fd <= FIRST + WEIR_FDS_MAX; fd++)
            dup2(0, fd);
        snprintf(own, sizeof(own), "%d", (int)getpid());
        setenv("LISTEN_PID", own, 1);
        setenv("LISTEN_FDS", "65", 1);
        bool all = weir_systemd_fds(NULL, fds) == WEIR_FDS_MAX &&
                   fds[WEIR_FDS_MAX - 1] == FIRST + WEIR_FDS_MAX - 1;
        _exit(all && fds[WEIR_FDS_MAX] == UNTOUCHED ? 0 : 1);
    }
    cr_assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
    cr_expect(WEXITSTATUS(status) == 0);
}
