/* SPDX-License-Identifier: MIT */
/* Local (Unix-domain) sockets: names, errors, files, and that bytes and ends arrive. */
#include "integration/local_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/weir_local_XXXXXX";
static char text[8][160]; /* of paths */

static void open_folder(void)
{
    cr_assert(mkdtemp(folder) != NULL);
}

static void remove_folder(void)
{
    char command[64];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    cr_assert(system(command) == 0);
}

TestSuite(local, .init = open_folder, .fini = remove_folder);

/* "unix:FOLDER/NAME" */
static const char *at(const char *name)
{
    static size_t next;
    char *place = text[next++ % 8];
    snprintf(place, sizeof(text[0]), "unix:%s/%s", folder, name);
    return place;
}

static const char *path_of(const char *address)
{
    return address + strlen("unix:");
}

static weir_option *parsed(const char *options)
{
    weir_option *list;
    GIVES(weir_options_parse(options, &list), 0);
    return list;
}

static int listen_at(struct loopback *loopback, const char *address, uint16_t port,
                     const char *options, weir_socket *listener)
{
    weir_option *list = parsed(options);
    int result = weir_tcp_listen(loopback->runtime, address, port, list, listener);
    weir_options_free(list);
    return result;
}

static int connect_at(struct loopback *loopback, const char *address, uint16_t port,
                      const char *options, weir_socket *socket)
{
    weir_option *list = parsed(options);
    int result = weir_tcp_connect(loopback->runtime, address, port, list,
                                  weir_mailed_to(loopback->mailbox), WAIT_MS, socket);
    weir_options_free(list);
    return result;
}

static weir_socket accept_at(struct loopback *loopback, weir_socket listener)
{
    GIVES(weir_tcp_accept(listener, weir_mailed_to(loopback->mailbox), WAIT_MS, &loopback->socket),
          0);
    return loopback->socket;
}

static void expect_name(int result, const weir_local_address *name, const char *expected)
{
    char written[WEIR_LOCAL_TEXT_SIZE];
    GIVES(result, 0);
    cr_assert_str_eq(weir_local_address_format(name, written), expected);
}

static void expect_names(weir_socket socket, const char *own, const char *peer)
{
    weir_local_address name;
    weir_address address;
    expect_name(weir_local_sockname(socket, &name), &name, own);
    GIVES(weir_sockname(socket, &address), 0);
    cr_assert(address.family == WEIR_LOCAL && address.port == 0);
    GIVES(weir_port(socket), 0);
    if (!peer)
        return;
    expect_name(weir_local_peername(socket, &name), &name, peer);
    GIVES(weir_peername(socket, &address), 0);
    cr_assert(address.family == WEIR_LOCAL);
}

/* Listens and connects, and says something both ways. */
static void expect_served(struct loopback *loopback, const char *address,
                          const char *listen_options, const char *connect_options,
                          const char *connected_name)
{
    weir_socket listener;
    weir_socket client;
    weir_local_address name;
    char bound[WEIR_LOCAL_TEXT_SIZE];
    GIVES(listen_at(loopback, address, 0, listen_options, &listener), 0);
    GIVES(weir_local_sockname(listener, &name), 0);
    weir_local_address_format(&name, bound);
    expect_names(listener, bound, NULL);
    GIVES(weir_local_peername(listener, &name), -ENOTCONN);
    GIVES(connect_at(loopback, bound, 0, connect_options, &client), 0);
    weir_socket accepted = accept_at(loopback, listener);
    expect_names(client, connected_name, bound);
    expect_names(accepted, bound, connected_name);
    GIVES(weir_send(client, "ping", 4), 0);
    expect_received(accepted, 4, "ping");
    GIVES(weir_send(accepted, "pong", 4), 0);
    expect_received(client, 4, "pong");
    GIVES(weir_close(client), 0);
    weir_packet packet;
    GIVES(weir_recv(accepted, 0, WAIT_MS, &packet), WEIR_CLOSED);
    GIVES(weir_close(accepted), 0);
    GIVES(weir_close(listener), 0);
}

Test(local, names_of_both_ends)
{
    struct loopback loopback = loopback_start(NULL);
    char options[256];
    char connect_options[256];
    expect_served(&loopback, at("a"), "[{active,false}]", "[{active,false}]", "unix:");
    snprintf(options, sizeof(options), "[{active,false},{ifaddr,{local,\"%s/b\"}}]", folder);
    snprintf(connect_options, sizeof(connect_options),
             "[{active,false},local,{ip,{local,\"%s/c\"}}]", folder);
    expect_served(&loopback, NULL, options, connect_options, at("c"));
    snprintf(options, sizeof(options), "unix:@%s", folder);
    expect_served(&loopback, options, "[{active,false}]", "[{active,false}]", "unix:");
    snprintf(options, sizeof(options), "[{active,false},{ip,{local,<<0,\"%s.2\">>}}]", folder);
    expect_served(&loopback, "", options, "[{active,false}]", "unix:");
    expect_served(&loopback, NULL, "[{active,false},{ip,{local,<<>>}}]", "[{active,false}]",
                  "unix:");
    loopback_close(&loopback);
}

static void expect_said(const char *what)
{
    cr_assert(strstr(weir_last_error_text(), what) != NULL, "\"%s\" does not name %s",
              weir_last_error_text(), what);
}

/* As Erlang/OTP 25 does; where it raises an exception, badarg. */
Test(local, errors_of_listen_name_the_path)
{
    struct loopback loopback = loopback_start(NULL);
    char longest[160];
    char options[256];
    weir_socket listener;
    weir_socket other;
    GIVES(listen_at(&loopback, at("a"), 0, "[]", &listener), 0);
    GIVES(listen_at(&loopback, at("a"), 0, "[]", &other), -EADDRINUSE);
    expect_said(at("a"));
    GIVES(listen_at(&loopback, at("a"), 0, "[{reuseaddr,true}]", &other), -EADDRINUSE);
    GIVES(listen_at(&loopback, at(""), 0, "[]", &other), -EADDRINUSE);
    GIVES(listen_at(&loopback, at("no/a"), 0, "[]", &other), -ENOENT);
    expect_said(at("no/a"));
    GIVES(listen_at(&loopback, at("b"), 5, "[]", &other), WEIR_BADARG);
    GIVES(listen_at(&loopback, at("b"), 0, "[{port,5}]", &other), WEIR_BADARG);
    GIVES(listen_at(&loopback, NULL, 0, "[local]", &other), -EINVAL);
    GIVES(listen_at(&loopback, at("b"), 0, "[inet]", &other), WEIR_BADARG);
    GIVES(listen_at(&loopback, NULL, 0, "[inet,{ip,{local,\"/x\"}}]", &other), WEIR_BADARG);
    GIVES(listen_at(&loopback, "unix:", 0, "[]", &other), -EINVAL);
    GIVES(listen_at(&loopback, at("b"), 0, "[{tos,4}]", &other), -EINVAL);
    expect_said("tos");
    size_t used = (size_t)snprintf(longest, sizeof(longest), "unix:%s/", folder);
    memset(longest + used, 'a', 112 - used);
    longest[112] = '\0';
    GIVES(listen_at(&loopback, longest, 0, "[]", &other), 0);
    longest[112] = 'a';
    longest[113] = '\0';
    GIVES(listen_at(&loopback, longest, 0, "[]", &other), -EINVAL);
    expect_said(path_of(longest));
    snprintf(options, sizeof(options), "[{ifaddr,{local,\"%s\"}}]", path_of(longest));
    GIVES(listen_at(&loopback, NULL, 0, options, &other), -EINVAL);
    loopback_close(&loopback);
}

Test(local, errors_of_connect_name_the_path)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket socket;
    weir_socket listener;
    GIVES(connect_at(&loopback, at("no"), 0, "[]", &socket), -ENOENT);
    expect_said(at("no"));
    GIVES(connect_at(&loopback, at(""), 0, "[]", &socket), -ECONNREFUSED);
    GIVES(listen_at(&loopback, at("a"), 0, "[]", &listener), 0);
    GIVES(connect_at(&loopback, at("a"), 5, "[]", &socket), WEIR_BADARG);
    GIVES(connect_at(&loopback, at("a"), 0, "[inet]", &socket), WEIR_BADARG);
    GIVES(connect_at(&loopback, at("a"), 0, "[inet6,{active,false}]", &socket), WEIR_BADARG);
    GIVES(connect_at(&loopback, "localhost", 1, "[local]", &socket), WEIR_BADARG);
    GIVES(connect_at(&loopback, "127.0.0.1", 1, "[local]", &socket), WEIR_BADARG);
    GIVES(connect_at(&loopback, "unix:", 0, "[]", &socket), WEIR_BADARG);
    GIVES(connect_at(&loopback, at("a"), 0, "[{ttl,4}]", &socket), -EINVAL);
    GIVES(weir_close(listener), 0);
    GIVES(connect_at(&loopback, at("a"), 0, "[]", &socket), -ECONNREFUSED);
    expect_said(at("a"));
    loopback_close(&loopback);
}

Test(local, only_who_says_reuseaddr_takes_a_stale_file)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket listener;
    GIVES(listen_at(&loopback, at("a"), 0, "[]", &listener), 0);
    GIVES(weir_close(listener), 0);
    GIVES(access(path_of(at("a")), F_OK), 0);
    GIVES(listen_at(&loopback, at("a"), 0, "[]", &listener), -EADDRINUSE);
    GIVES(listen_at(&loopback, at("a"), 0, "[{reuseaddr,true}]", &listener), 0);
    weir_socket socket;
    GIVES(connect_at(&loopback, at("a"), 0, "[]", &socket), 0);
    int file = creat(path_of(at("plain")), 0600);
    cr_assert(file >= 0 && close(file) == 0);
    GIVES(listen_at(&loopback, at("plain"), 0, "[{reuseaddr,true}]", &listener), -EADDRINUSE);
    GIVES(access(path_of(at("plain")), F_OK), 0);
    loopback_close(&loopback);
}

static int mode_of(const char *address)
{
    struct stat status;
    cr_assert(stat(path_of(address), &status) == 0);
    return status.st_mode & 0777;
}

Test(local, permissions_are_the_umasks_or_the_options)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket listener;
    umask(022);
    GIVES(listen_at(&loopback, at("a"), 0, "[]", &listener), 0);
    GIVES(mode_of(at("a")), 0755);
    GIVES(listen_at(&loopback, at("b"), 0, "[{file_mode,8#600}]", &listener), 0);
    GIVES(mode_of(at("b")), 0600);
    GIVES(listen_at(&loopback, at("c"), 0, "[{file_mode,8#662}]", &listener), 0);
    GIVES(mode_of(at("c")), 0662);
    GIVES(weir_tcp_listen(loopback.runtime, at("d"), 0, WEIR_OPTIONS(WEIR_FILE_MODE(01000)),
                          &listener),
          WEIR_BADARG);
    loopback_close(&loopback);
}

static weir_socket open_pair(struct loopback *loopback, const char *options, int *peer)
{
    weir_socket listener;
    GIVES(listen_at(loopback, at("pair"), 0, options, &listener), 0);
    *peer = local_peer(at("pair"), SOCK_STREAM, connect);
    weir_socket accepted = accept_at(loopback, listener);
    GIVES(weir_close(listener), 0);
    cr_assert(unlink(path_of(at("pair"))) == 0);
    return accepted;
}

/* As measured with Erlang/OTP. */
Test(local, options_of_ip_are_refused_and_those_of_tcp_do_nothing)
{
    static const char *const refused[] = {"tos,4",          "ttl,5",        "ipv6_v6only,true",
                                          "recvtos,true",   "recvttl,true", "tclass,1",
                                          "recvtclass,true"};
    static const char *const taken[] = {"nodelay,true", "keepalive,true", "reuseaddr,true",
                                        "priority,3",   "recbuf,8192",    "dontroute,true",
                                        "nopush,true"};
    struct loopback loopback = loopback_start(NULL);
    char option[64];
    int peer;
    weir_socket socket = open_pair(&loopback, "[{active,false}]", &peer);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        snprintf(option, sizeof(option), "[{%s}]", refused[i]);
        GIVES(set(socket, option), -EINVAL);
    }
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        snprintf(option, sizeof(option), "[{%s}]", taken[i]);
        GIVES(set(socket, option), 0);
    }
    weir_option wanted[] = {WEIR_REQUEST(TOS), WEIR_REQUEST(NODELAY), WEIR_REQUEST(PACKET),
                            WEIR_REQUEST(PRIORITY), WEIR_REQUEST(TTL)};
    GIVES(weir_getopts(socket, wanted, 5), 2);
    cr_assert(wanted[0].id == WEIR_OPTION_PACKET && wanted[1].id == WEIR_OPTION_PRIORITY);
    weir_local_address name;
    loopback.listener = listen_with(loopback.runtime, "[]");
    GIVES(weir_local_sockname(loopback.listener, &name), -EAFNOSUPPORT);
    close(peer);
    loopback_close(&loopback);
}

Test(local, an_end_is_told_after_what_came_with_it)
{
    struct loopback loopback = loopback_start(NULL);
    int peer;
    for (int i = 0; i < 3000; i++) {
        open_pair(&loopback, "[{active,true},binary]", &peer);
        if (i % 3 == 0)
            settle(loopback.socket); /* armed before anything comes */
        peer_say(peer, "last words");
        if (i % 2 == 0)
            peer_finish(peer);
        close(peer);
        expect_text(&loopback, "last words");
        expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    }
    loopback_close(&loopback);
}

Test(local, half_closed_and_reset_are_what_they_are)
{
    struct loopback loopback = loopback_start(NULL);
    int peer;
    weir_packet packet;
    weir_socket socket = open_pair(&loopback, "[{active,false},{exit_on_close,false}]", &peer);
    peer_finish(peer);
    GIVES(weir_recv(socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    GIVES(weir_send(socket, "still", 5), 0);
    peer_expect(peer, "still");
    close(peer);
    GIVES(send_until_it_fails(socket), WEIR_CLOSED);
    GIVES(weir_close(socket), 0);
    socket = open_pair(&loopback, "[{active,false},{show_econnreset,true}]", &peer);
    GIVES(weir_send(socket, "unread", 6), 0);
    close(peer); /* which had not read */
    GIVES(weir_recv(socket, 0, WAIT_MS, &packet), -ECONNRESET);
    loopback_close(&loopback);
}

/* There is no reset, unless something that the peer said was not read. */
Test(local, the_peer_of_a_file_that_was_cut_short_sees_an_end)
{
    enum { PROMISED = 5000, CUT = 1000 };
    static const char before[1 << 20]; /* so that the file is read when it has been cut */
    for (int unread = 0; unread < 2; unread++) {
        struct loopback loopback = loopback_start(NULL);
        int file = memfd_create("file", MFD_CLOEXEC);
        cr_assert(file >= 0 && ftruncate(file, PROMISED) == 0);
        loopback.socket = open_pair(&loopback, "[{active,false},{sndbuf,4096}]", &loopback.peer);
        GIVES(weir_send(loopback.socket, before, sizeof(before)), 0);
        GIVES(weir_send_file(loopback.socket, file, 0, PROMISED), 0);
        cr_assert(ftruncate(file, CUT) == 0);
        close(file);
        if (unread)
            peer_say(loopback.peer, "unread");
        int64_t size = peer_drain(loopback.peer);
        cr_assert(unread ? size == -ECONNRESET : size > 0, "%lld", (long long)size);
        GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &(weir_packet){0}), -EIO);
        loopback_close(&loopback);
    }
}

Test(local, what_does_not_fit_waits_and_arrives)
{
    enum { SIZE = 4 * 1024 * 1024 };
    struct loopback loopback = loopback_start(NULL);
    int peer;
    weir_socket socket = open_pair(&loopback, "[{active,false},{packet,4},{sndbuf,4096}]", &peer);
    uint8_t *bytes = malloc(SIZE + 4);
    uint8_t *back = malloc(SIZE + 4);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 11));
    struct background sender = {
        .work = send_in_background, .socket = socket, .bytes = bytes, .size = SIZE};
    background_start(&sender);
    peer_read(peer, back, SIZE + 4);
    GIVES(background_join(&sender), 0);
    cr_assert(memcmp(back + 4, bytes, SIZE) == 0);
    struct background receiver = {.work = receive_in_background, .socket = socket};
    background_start(&receiver);
    peer_write(peer, back, SIZE + 4);
    GIVES(background_join(&receiver), 0);
    free(bytes);
    free(back);
    close(peer);
    loopback_close(&loopback);
}

enum { SCHEDULERS = 3, ROUNDS = 10 };

struct spread {
    int accepted[SCHEDULERS];
    int total;
};

static int total(struct spread *spread)
{
    return __atomic_load_n(&spread->total, __ATOMIC_SEQ_CST);
}

static void count_accepted(weir_socket socket, void *data)
{
    struct spread *spread = data;
    (void)socket;
    __atomic_add_fetch(&spread->accepted[weir_current_scheduler()], 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&spread->total, 1, __ATOMIC_SEQ_CST);
}

/* Holds its scheduler until each has one. */
static void wait_for_others(weir_socket socket, void *data)
{
    struct spread *spread = data;
    uint64_t until_ms = now_ms() + AT_ONCE_MS;
    count_accepted(socket, data);
    int round = (total(spread) + SCHEDULERS - 1) / SCHEDULERS;
    while (total(spread) < round * SCHEDULERS && now_ms() < until_ms)
        continue;
}

static const weir_handler counting = {.accepted = count_accepted};
static const weir_handler waiting = {.accepted = wait_for_others};

/* There is no SO_REUSEPORT for them: who is busy leaves connections to the others. */
Test(local, a_service_uses_all_schedulers)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = SCHEDULERS});
    struct spread spread = {0};
    int peers[ROUNDS * SCHEDULERS];
    weir_socket service;
    GIVES(weir_tcp_serve(loopback.runtime, at("a"), 0, WEIR_OPTIONS(),
                         weir_handled_by(&waiting, &spread), &service),
          0);
    for (int i = 0; i < ROUNDS * SCHEDULERS; i++) {
        peers[i] = local_peer(at("a"), SOCK_STREAM, connect);
        if ((i + 1) % SCHEDULERS == 0)
            EVENTUALLY(total(&spread) == i + 1);
    }
    for (int i = 0; i < SCHEDULERS; i++)
        cr_assert(spread.accepted[i] == ROUNDS, "scheduler %d: %d", i, spread.accepted[i]);
    GIVES(weir_close(service), 0);
    for (int i = 0; i < ROUNDS * SCHEDULERS; i++)
        close(peers[i]);
    loopback_close(&loopback);
}

/* The schedulers' share of its one socket is a descriptor each. */
Test(local, a_service_for_which_there_are_too_few_descriptors)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = SCHEDULERS});
    const weir_owner owner = weir_mailed_to(loopback.mailbox);
    int open_before = descriptor_count();
    rlim_t before = leave_descriptors(2);
    int result = weir_tcp_serve(loopback.runtime, at("a"), 0, NULL, owner, NULL);
    restore_descriptors(before);
    GIVES(result, -EMFILE);
    cr_expect(strstr(weir_last_error_text(), "descriptor"), "%s", weir_last_error_text());
    GIVES(descriptor_count(), open_before);
    loopback_close(&loopback);
}

static void shut_down(weir_socket listener)
{
    int fds[WEIR_FDS_MAX];
    GIVES(weir_duplicate_fds(listener, fds), 1);
    cr_assert(shutdown(fds[0], SHUT_RDWR) == 0);
    close(fds[0]);
}

/* Every scheduler finds it. */
static void expect_owner_told(uint32_t schedulers)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = schedulers});
    weir_socket service;
    GIVES(weir_tcp_serve(loopback.runtime, at("a"), 0, WEIR_OPTIONS(WEIR_REUSEADDR(true)),
                         weir_mailed_to(loopback.mailbox), &service),
          0);
    int peer = local_peer(at("a"), SOCK_STREAM, connect);
    cr_assert(next_message(loopback.mailbox).kind == WEIR_MESSAGE_ACCEPTED);
    shut_down(service);
    for (uint32_t i = 0; i < schedulers; i++) {
        weir_message message = next_message(loopback.mailbox);
        cr_assert(message.kind == WEIR_MESSAGE_ERROR && message.error == -EINVAL, "%d: %s",
                  message.kind, weir_error_name(message.error));
    }
    close(peer);
    loopback_close(&loopback);
}

Test(local, who_listens_is_told_that_something_else_has_shut_it_down)
{
    expect_owner_told(1);
    expect_owner_told(SCHEDULERS);
    struct loopback loopback = loopback_start(NULL);
    weir_socket made;
    GIVES(listen_at(&loopback, at("b"), 0, "[{active,false}]", &loopback.listener), 0);
    struct background acceptor = {.work = accept_in_background, .socket = loopback.listener};
    background_start(&acceptor);
    shut_down(loopback.listener);
    GIVES(background_join(&acceptor), -EINVAL);
    GIVES(weir_tcp_accept(loopback.listener, weir_mailed_to(loopback.mailbox), WAIT_MS, &made),
          -EINVAL);
    loopback_close(&loopback);
}

/* What is in the backlog when the service ends is served. */
Test(local, a_drain_takes_the_backlog)
{
    enum { WAITING = 8 };
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    struct spread spread = {0};
    int peers[WAITING];
    weir_socket service;
    for (int round = 0; round < 20; round++) {
        GIVES(weir_tcp_serve(loopback.runtime, at("a"), 0, WEIR_OPTIONS(WEIR_REUSEADDR(true)),
                             weir_handled_by(&counting, &spread), &service),
              0);
        for (int i = 0; i < WAITING; i++)
            peers[i] = local_peer(at("a"), SOCK_STREAM, connect);
        GIVES(weir_drain(loopback.runtime, 0), WEIR_TIMEOUT);
        EVENTUALLY(__atomic_load_n(&spread.total, __ATOMIC_SEQ_CST) == WAITING * (round + 1));
        for (int i = 0; i < WAITING; i++)
            close(peers[i]);
        GIVES(weir_drain(loopback.runtime, WAIT_MS), 0);
    }
    loopback_close(&loopback);
}

Test(local, descriptors_that_are_there_are_taken)
{
    struct loopback loopback = loopback_start(NULL);
    int pair[2];
    weir_socket socket;
    weir_packet packet;
    cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    char options[64];
    snprintf(options, sizeof(options), "[{active,false},{fd,%d}]", pair[0]);
    GIVES(connect_at(&loopback, at("nowhere"), 0, options, &socket), 0);
    peer_say(pair[1], "hello");
    GIVES(weir_recv(socket, 5, WAIT_MS, &packet), 0);
    weir_packet_release(&packet);
    int listening = local_peer(at("a"), SOCK_STREAM, bind);
    snprintf(options, sizeof(options), "[{active,false},{fd,%d}]", listening);
    weir_socket listener;
    GIVES(listen_at(&loopback, NULL, 0, options, &listener), 0);
    expect_names(listener, at("a"), NULL);
    int peer = local_peer(at("a"), SOCK_STREAM, connect);
    expect_names(accept_at(&loopback, listener), at("a"), "unix:");
    close(peer);
    close(pair[1]);
    loopback_close(&loopback);
}
