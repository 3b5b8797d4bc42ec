/* SPDX-License-Identifier: MIT */
/* Datagrams of local sockets: who they are from, what sending says, and that none waits for ever.
 */
#include "integration/in_process.h"
#include "integration/local_peer.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/weir_datagrams_XXXXXX";

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

TestSuite(local_udp, .init = open_folder, .fini = remove_folder);

/* "unix:FOLDER/NAME" */
static const char *at(const char *name)
{
    static char text[8][160];
    static size_t next;
    char *place = text[next++ % 8];
    snprintf(place, sizeof(text[0]), "unix:%s/%s", folder, name);
    return place;
}

static int open_at(struct loopback *loopback, const char *address, const char *more,
                   weir_owner owner, weir_socket *socket)
{
    char options[256];
    weir_option *list;
    if (address)
        snprintf(options, sizeof(options), "[binary,{ifaddr,{local,\"%s\"}}%s]",
                 address + strlen("unix:"), more);
    else
        snprintf(options, sizeof(options), "[binary,local%s]", more);
    GIVES(weir_options_parse(options, &list), 0);
    int result = weir_udp_open(loopback->runtime, 0, list, owner, socket);
    weir_options_free(list);
    return result;
}

static weir_socket passive_at(struct loopback *loopback, const char *address)
{
    weir_socket socket;
    GIVES(open_at(loopback, address, ",{active,false}", weir_owned_by_nobody(), &socket), 0);
    return socket;
}

static void expect_from(const weir_packet *packet, const char *source, const char *text)
{
    char written[WEIR_LOCAL_TEXT_SIZE];
    cr_assert(packet->size == strlen(text) && memcmp(packet->bytes, text, packet->size) == 0,
              "%.*s instead of %s", (int)packet->size, (const char *)packet->bytes, text);
    cr_assert(packet->datagram->source.family == WEIR_LOCAL);
    cr_assert(packet->datagram->local != NULL);
    cr_assert_str_eq(weir_local_address_format(packet->datagram->local, written), source);
}

static void expect_received_from(weir_socket socket, const char *source, const char *text)
{
    weir_packet packet;
    GIVES(weir_udp_recv(socket, WAIT_MS, &packet), 0);
    expect_from(&packet, source, text);
    weir_packet_release(&packet);
}

static int say(weir_socket socket, const char *to, const char *text)
{
    return weir_udp_send_to(socket, to, 0, text, strlen(text), WAIT_MS);
}

Test(local_udp, each_knows_who_it_is_from)
{
    struct loopback loopback = loopback_start(NULL);
    char abstract[64];
    snprintf(abstract, sizeof(abstract), "unix:@weir %d", (int)getpid());
    weir_socket receiver = passive_at(&loopback, at("a"));
    weir_socket named = passive_at(&loopback, at("b"));
    weir_socket unnamed = passive_at(&loopback, NULL);
    weir_socket hidden;
    weir_local_address name;
    GIVES(weir_local_address_parse(abstract, &name), 0);
    GIVES(weir_udp_open(
              loopback.runtime, 0,
              WEIR_OPTIONS(WEIR_IP_LOCAL(name.name, name.size), WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
              weir_owned_by_nobody(), &hidden),
          0);
    GIVES(say(named, at("a"), "one"), 0);
    expect_received_from(receiver, at("b"), "one");
    GIVES(say(unnamed, at("a"), "two"), 0);
    expect_received_from(receiver, "unix:", "two");
    GIVES(say(hidden, at("a"), "three"), 0);
    expect_received_from(receiver, abstract, "three");
    GIVES(say(receiver, abstract, "four"), 0);
    expect_received_from(hidden, at("a"), "four");
    GIVES(say(unnamed, at("a"), ""), 0); /* an empty one of nobody, as in Erlang/OTP */
    expect_received_from(receiver, "unix:", "");
    GIVES(weir_local_sockname(receiver, &name), 0);
    GIVES(weir_local_sockname(unnamed, &name), 0);
    cr_assert(name.size == 0);
    GIVES(weir_local_peername(unnamed, &name), -ENOTCONN);
    loopback_close(&loopback);
}

/* However many there are: it need not rest. */
Test(local_udp, empty_ones_of_nobody_are_as_good_as_others)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket receiver = passive_at(&loopback, at("a"));
    weir_socket unnamed = passive_at(&loopback, NULL);
    weir_totals totals;
    for (int i = 0; i < 20; i++) {
        GIVES(say(unnamed, at("a"), ""), 0);
        expect_received_from(receiver, "unix:", "");
    }
    GIVES(weir_get_totals(loopback.runtime, -1, &totals), 0);
    cr_expect(totals.memory_pauses == 0);
    loopback_close(&loopback);
}

Test(local_udp, an_active_owner_answers_where_it_came_from)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket client = passive_at(&loopback, at("client"));
    weir_socket server;
    GIVES(open_at(&loopback, at("server"), "", weir_mailed_to(loopback.mailbox), &server), 0);
    for (int i = 0; i < 50; i++) {
        GIVES(say(client, at("server"), "ping"), 0);
        weir_message message = next_message(loopback.mailbox);
        cr_assert(message.kind == WEIR_MESSAGE_DATA);
        expect_from(&message.packet, at("client"), "ping");
        GIVES(weir_send_packet(server, &message.packet), 0);
        weir_packet_release(&message.packet);
        expect_received_from(client, at("server"), "ping");
    }
    loopback_close(&loopback);
}

Test(local_udp, connected_ones_send_without_an_address)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket receiver = passive_at(&loopback, at("a"));
    weir_socket sender = passive_at(&loopback, at("b"));
    weir_local_address name;
    char text[WEIR_LOCAL_TEXT_SIZE];
    GIVES(weir_udp_send(sender, NULL, "x", 1), -EINVAL);
    GIVES(weir_udp_connect_to(sender, at("a"), 0, WAIT_MS), 0);
    GIVES(weir_udp_send(sender, NULL, "x", 1), 0);
    expect_received_from(receiver, at("b"), "x");
    GIVES(weir_local_peername(sender, &name), 0);
    cr_assert_str_eq(weir_local_address_format(&name, text), at("a"));
    GIVES(weir_close(receiver), 0);
    GIVES(weir_udp_send(sender, NULL, "x", 1), -ECONNREFUSED);
    loopback_close(&loopback);
}

/* As Erlang/OTP 25 does. */
Test(local_udp, errors)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket first = passive_at(&loopback, at("a"));
    weir_socket inet;
    weir_socket other;
    weir_address address = {.family = WEIR_INET, .bytes = {127, 0, 0, 1}, .port = 7};
    weir_owner nobody = weir_owned_by_nobody();
    static const char passive[] = ",{active,false}";
    GIVES(open_at(&loopback, at("a"), passive, nobody, &other), -EADDRINUSE);
    GIVES(open_at(&loopback, at("a"), ",{active,false},{reuseaddr,true}", nobody, &other),
          -EADDRINUSE);
    GIVES(open_at(&loopback, at("no/a"), passive, nobody, &other), -ENOENT);
    GIVES(open_at(&loopback, at("b"), ",{active,false},{port,5}", nobody, &other), WEIR_BADARG);
    GIVES(weir_udp_open(loopback.runtime, 5,
                        WEIR_OPTIONS(WEIR_LOCAL(), WEIR_ACTIVE(WEIR_ACTIVE_FALSE)), nobody, &other),
          WEIR_BADARG);
    GIVES(say(first, at("no"), "x"), -ENOENT);
    GIVES(weir_udp_send_to(first, at("a"), 7, "x", 1, WAIT_MS), -EINVAL);
    GIVES(weir_udp_send_to(first, at("a"), 0, "x", SIZE_MAX, WAIT_MS), -EINVAL);
    GIVES(weir_udp_send_to_async(first, at("a"), 0, "x", SIZE_MAX, WAIT_MS, NULL, NULL), -EINVAL);
    GIVES(weir_udp_send_to(first, "127.0.0.1", 7, "x", 1, WAIT_MS), -EAFNOSUPPORT);
    GIVES(weir_udp_send(first, &address, "x", 1), -EAFNOSUPPORT);
    GIVES(say(first, "unix:", "x"), -EINVAL);
    GIVES(weir_udp_connect_to(first, at("no"), 0, WAIT_MS), -ENOENT);
    GIVES(weir_udp_open(loopback.runtime, 0,
                        WEIR_OPTIONS(WEIR_IP_LOOPBACK(), WEIR_ACTIVE(WEIR_ACTIVE_FALSE)), nobody,
                        &inet),
          0);
    GIVES(say(inet, at("a"), "x"), -EAFNOSUPPORT);
    GIVES(weir_close(first), 0);
    GIVES(say(inet, at("a"), "x"), -EAFNOSUPPORT);
    GIVES(open_at(&loopback, at("a"), passive, nobody, &other), -EADDRINUSE); /* it has stayed */
    GIVES(open_at(&loopback, at("a"), ",{active,false},{reuseaddr,true}", nobody, &other), 0);
    loopback_close(&loopback);
}

/* The kernel lets some ten wait, and has nobody told when there is room for more. */
Test(local_udp, a_full_peer_is_waited_for)
{
    enum { COUNT = 500 };
    struct loopback loopback = loopback_start(NULL);
    int peer = local_peer(at("peer"), SOCK_DGRAM, bind);
    weir_socket sender = passive_at(&loopback, at("sender"));
    struct answer answers[COUNT] = {{.count = 0}};
    for (int i = 0; i < COUNT; i++)
        GIVES(weir_udp_send_to_async(sender, at("peer"), 0, &i, sizeof(i), WAIT_MS, answer_sent,
                                     &answers[i]),
              0);
    weir_totals totals;
    EVENTUALLY(weir_get_totals(loopback.runtime, -1, &totals) == 0 && totals.blocked_sends > 0);
    for (int i = 0; i < COUNT; i++) {
        int number = -1;
        cr_assert(recv(peer, &number, sizeof(number), 0) == sizeof(number));
        cr_assert(number == i, "%d instead of %d", number, i);
    }
    for (int i = 0; i < COUNT; i++)
        GIVES(answer_wait(&answers[i]), 0);
    GIVES(weir_get_totals(loopback.runtime, -1, &totals), 0);
    cr_assert(totals.blocked_sends > 0 && totals.blocked_sends < 100 * COUNT, "%llu",
              (unsigned long long)totals.blocked_sends);
    close(peer);
    loopback_close(&loopback);
}

/* Beyond the high mark they wait, with nothing queued: as many as there may, or somebody waits for
 * them. */

enum { PIECE = 60000, PIECES = 200, LIMIT = 10 * PIECE };

static const char crowd_bytes[PIECE];
static const char *crowded;

static int send_to_text(weir_socket socket, struct answer *answer)
{
    return weir_udp_send_to_async(socket, crowded, 0, crowd_bytes, PIECE, WEIR_INFINITY,
                                  answer_sent, answer);
}

static int send_connected(weir_socket socket, struct answer *answer)
{
    return weir_udp_send_async(socket, NULL, crowd_bytes, PIECE, answer_sent, answer);
}

static int send_local(weir_socket socket, struct answer *answer)
{
    const weir_local_message message = {.bytes = crowd_bytes, .size = PIECE};
    return weir_local_send_async(socket, &message, answer_sent, answer);
}

static void wait_until_set(void *flag)
{
    while (!__atomic_load_n((bool *)flag, __ATOMIC_ACQUIRE))
        sched_yield();
}

/* The address is the caller's again before the scheduler has seen the call. */
Test(local_udp, where_it_goes_is_copied)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket sender = passive_at(&loopback, NULL);
    weir_socket receiver = passive_at(&loopback, at("a"));
    struct answer answer = {0};
    bool go_on = false;
    weir_packet packet;
    weir_local_address to;
    GIVES(weir_local_address_parse(at("a"), &to), 0);
    const weir_local_message message = {.bytes = "x", .size = 1, .to = &to};
    GIVES(weir_run_on(loopback.runtime, 0, wait_until_set, &go_on), 0);
    GIVES(weir_local_send_async(sender, &message, answer_sent, &answer), 0);
    memset(&to, 0, sizeof(to));
    __atomic_store_n(&go_on, true, __ATOMIC_RELEASE);
    GIVES(answer_wait(&answer), 0);
    GIVES(weir_udp_recv(receiver, WAIT_MS, &packet), 0);
    weir_packet_release(&packet);
    loopback_close(&loopback);
}

static int send_and_wait(struct background *background)
{
    return weir_udp_send_to(background->socket, crowded, 0, crowd_bytes, PIECE, WEIR_INFINITY);
}

static int count_of(struct answer answers[PIECES], int result)
{
    int count = 0;
    for (int i = 0; i < PIECES; i++)
        count += answer_wait(&answers[i]) == result;
    return count;
}

static void expect_bounded(int send(weir_socket socket, struct answer *answer))
{
    static struct answer answers[PIECES];
    const weir_config config = {.schedulers = 1, .queued_bytes_limit = LIMIT};
    struct loopback loopback = loopback_start(&config);
    weir_totals totals;
    (void)passive_at(&loopback, crowded = at("crowded"));
    struct background background = {.work = send_and_wait, .socket = passive_at(&loopback, NULL)};
    weir_socket socket = background.socket;
    GIVES(weir_udp_connect_to(socket, crowded, 0, WAIT_MS), 0);
    memset(answers, 0, sizeof(answers));
    for (int i = 0; i < PIECES; i++)
        GIVES(send(socket, &answers[i]), 0);
    EVENTUALLY(weir_get_totals(loopback.runtime, -1, &totals) == 0 &&
               totals.waiting_bytes == LIMIT);
    background_start(&background);
    EVENTUALLY(weir_get_totals(loopback.runtime, -1, &totals) == 0 &&
               totals.waiting_bytes == LIMIT + PIECE);
    GIVES(weir_close(socket), 0);
    GIVES(background_join(&background), WEIR_CLOSED);
    int refused = count_of(answers, -ENOBUFS);
    cr_expect(refused > 0, "none is refused");
    cr_expect_eq(refused + count_of(answers, WEIR_CLOSED) + count_of(answers, 0), PIECES);
    EVENTUALLY(weir_get_totals(loopback.runtime, -1, &totals) == 0 && totals.waiting_bytes == 0);
    loopback_close(&loopback);
}

Test(local_udp, what_waits_for_a_full_peer_is_bounded_and_counted)
{
    expect_bounded(send_connected);
}

Test(local_udp, what_waits_for_a_full_peer_of_a_text_is_bounded_and_counted)
{
    expect_bounded(send_to_text);
}

Test(local_udp, what_waits_as_a_message_for_a_full_peer_is_bounded_and_counted)
{
    expect_bounded(send_local);
}

/* A UDP socket has no end of its own, so a drain waits for what it has queued and no longer. */
Test(local_udp, a_drain_waits_for_what_is_queued_and_no_longer)
{
    enum { COUNT = 40 };
    struct loopback loopback = loopback_start(NULL);
    weir_socket full = passive_at(&loopback, at("full"));
    weir_socket sender = passive_at(&loopback, at("sender"));
    GIVES(weir_drain(loopback.runtime, WAIT_MS), 0);
    for (int i = 0; i < COUNT; i++)
        GIVES(weir_udp_send_to_async(sender, at("full"), 0, "x", 1, WAIT_MS, NULL, NULL), 0);
    settle(sender);
    GIVES(weir_drain(loopback.runtime, 0), WEIR_TIMEOUT);
    for (int i = 0; i < COUNT; i++)
        expect_received_from(full, at("sender"), "x");
    GIVES(weir_drain(loopback.runtime, WAIT_MS), 0);
    GIVES(say(full, at("sender"), "still open"), 0);
    expect_received_from(sender, at("full"), "still open");
    loopback_close(&loopback);
}

/* What waits for room is gone when its socket is. */
Test(local_udp, a_stop_waits_for_no_peer)
{
    int peer = local_peer(at("peer"), SOCK_DGRAM, bind);
    struct loopback loopback = loopback_start(NULL);
    weir_socket sender = passive_at(&loopback, NULL);
    for (int i = 0; i < 100; i++)
        GIVES(weir_udp_send_to_async(sender, at("peer"), 0, "x", 1, WAIT_MS, NULL, NULL), 0);
    settle(sender);
    loopback_close(&loopback);
    close(peer);
}

/* Nor does a close. */
Test(local_udp, a_close_waits_for_no_peer)
{
    struct loopback loopback = loopback_start(NULL);
    struct answer answers[100] = {{.count = 0}};
    weir_socket receiver = passive_at(&loopback, at("a"));
    weir_socket sender = passive_at(&loopback, NULL);
    int sent = 0;
    for (int i = 0; i < 100; i++)
        GIVES(weir_udp_send_to_async(sender, at("a"), 0, "x", 1, WAIT_MS, answer_sent, &answers[i]),
              0);
    GIVES(answer_wait(&answers[0]), 0);
    GIVES(weir_close(sender), 0);
    for (int i = 0; i < 100; i++) {
        int result = answer_wait(&answers[i]);
        cr_assert(result == 0 || result == WEIR_CLOSED, "%s", result_text(result));
        sent += result == 0;
    }
    for (int i = 0; i < sent; i++)
        expect_received_from(receiver, "unix:", "x");
    loopback_close(&loopback);
}

struct last_words {
    weir_socket sender;
    const char *to;
    struct answer answer;
};

static void send_and_close(void *data)
{
    struct last_words *words = data;
    GIVES(weir_udp_send_to_async(words->sender, words->to, 0, "x", 1, WAIT_MS, answer_sent,
                                 &words->answer),
          0);
    GIVES(weir_close(words->sender), 0);
}

static int plain_at(const char *address)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(name.sun_path, address + strlen("unix:"), strlen(address + strlen("unix:")));
    cr_assert(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
    return fd;
}

static void ignore(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket;
    (void)packet;
    (void)data;
}

/* A poll is ready for ever, and nothing is there. */
Test(local_udp, one_whose_reading_side_was_shut_down_rests)
{
    static const weir_handler handler = {.packet = ignore};
    struct loopback loopback = loopback_start(NULL);
    int peer = plain_at(at("a"));
    weir_totals totals;
    weir_socket socket;
    cr_assert(shutdown(peer, SHUT_RD) == 0);
    GIVES(weir_udp_open(loopback.runtime, 0, WEIR_OPTIONS(WEIR_LOCAL(), WEIR_FD(peer)),
                        weir_handled_by(&handler, NULL), &socket),
          0);
    EVENTUALLY(weir_get_totals(loopback.runtime, -1, &totals) == 0 && totals.memory_pauses >= 2);
    close(peer);
    loopback_close(&loopback);
}

/* Nobody reads there. */
static void fill(struct loopback *loopback, const char *address)
{
    weir_socket sender = passive_at(loopback, NULL);
    struct answer answers[20] = {{.count = 0}};
    for (int i = 0; i < 20; i++)
        GIVES(weir_udp_send_to_async(sender, address, 0, "x", 1, WAIT_MS, answer_sent, &answers[i]),
              0);
    GIVES(answer_wait(&answers[0]), 0);
    settle(sender);
    GIVES(weir_close(sender), 0);
    for (int i = 0; i < 20; i++)
        (void)answer_wait(&answers[i]);
}

/* Also when it has not been offered to the kernel yet. */
Test(local_udp, what_is_lost_with_its_socket_is_told_to_be_closed)
{
    struct loopback loopback = loopback_start(NULL);
    int peer = plain_at(at("peer"));
    fill(&loopback, at("peer"));
    struct last_words words = {.sender = passive_at(&loopback, NULL), .to = at("peer")};
    run_there(loopback.runtime, 0, send_and_close, &words);
    GIVES(answer_wait(&words.answer), WEIR_CLOSED);
    close(peer);
    loopback_close(&loopback);
}

static int send_for_ever(void *data)
{
    static const char bytes[60000];
    const struct last_words *words = data;
    int result;
    while ((result = weir_udp_send(words->sender, NULL, bytes, sizeof(bytes))) == 0)
        ;
    return result;
}

/* On the socket's own scheduler it waits until the socket is not busy, on the other for the
 * kernel. */
Test(local_udp, a_kill_ends_the_wait_for_a_peer)
{
    static const weir_config two_schedulers = {.schedulers = 2};
    struct loopback loopback = loopback_start(&two_schedulers);
    int peer = plain_at(at("peer"));
    fill(&loopback, at("peer"));
    for (int i = 0; i < 2; i++) {
        struct last_words words = {.sender = passive_at(&loopback, NULL)};
        GIVES(weir_udp_connect_to(words.sender, at("peer"), 0, WAIT_MS), 0);
        int scheduler = (weir_scheduler_of(words.sender) + i) % 2;
        weir_process process = spawn_on(&loopback, scheduler, send_for_ever, &words);
        EVENTUALLY(statistics_of(words.sender).send_pend > 0);
        uint64_t before = statistics_of(words.sender).send_pend;
        GIVES(weir_monitor(process, loopback.mailbox, NULL), 0);
        GIVES(weir_kill(process), 0);
        GIVES(reason_of(&loopback, process), WEIR_KILLED);
        cr_expect(statistics_of(words.sender).send_pend == before, "it has taken something back");
        GIVES(weir_close(words.sender), 0);
    }
    close(peer);
    loopback_close(&loopback);
}

/* Nobody has asked for the descriptors that a peer sends along: none is left. */
Test(local_udp, descriptors_that_are_sent_along_are_not_kept)
{
    struct loopback loopback = loopback_start(NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    weir_socket receiver = passive_at(&loopback, at("a"));
    int peer = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, at("a") + 5, strlen(at("a") + 5));
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.header), &peer, sizeof(peer));
    struct iovec piece = {(void *)"x", 1};
    const struct msghdr message = {&address,     sizeof(address), &piece, 1,
                                   control.room, sizeof(control), 0};
    int before = descriptor_count();
    for (int i = 0; i < 5; i++) {
        cr_assert(sendmsg(peer, &message, 0) == 1, "%s", strerror(errno));
        expect_received_from(receiver, "unix:", "x");
    }
    GIVES(descriptor_count(), before);
    close(peer);
    loopback_close(&loopback);
}

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    (void)!weir_send_packet(socket, packet);
}

Test(local_udp, a_service_is_one_socket)
{
    static const weir_handler echoes = {.packet = echo};
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    weir_socket service;
    weir_owner owner = weir_handled_by(&echoes, NULL);
    GIVES(weir_udp_serve(loopback.runtime, at("a"), 0, NULL, owner, &service), 0);
    weir_socket client = passive_at(&loopback, at("client"));
    GIVES(say(client, at("a"), "hello"), 0);
    expect_received_from(client, at("a"), "hello");
    weir_socket other;
    GIVES(weir_udp_serve(loopback.runtime, at("a"), 0, NULL, owner, &other), -EADDRINUSE);
    GIVES(weir_udp_serve(loopback.runtime, at("b"), 5, NULL, owner, &other), WEIR_BADARG);
    GIVES(weir_udp_serve(loopback.runtime, NULL, 0, WEIR_OPTIONS(WEIR_LOCAL()), owner, &other),
          -EINVAL);
    GIVES(weir_udp_serve(loopback.runtime, at("b"), 0, WEIR_OPTIONS(WEIR_INET()), owner, &other),
          WEIR_BADARG);
    GIVES(weir_close(service), 0);
    loopback_close(&loopback);
}

/* A large one in mode list, of a socket whose buffers are blocks, and one that is cut. */
Test(local_udp, of_any_size)
{
    enum { SIZE = 60000 };
    static char bytes[SIZE];
    struct loopback loopback = loopback_start(NULL);
    weir_socket sender = passive_at(&loopback, at("sender"));
    weir_socket receiver;
    weir_packet packet;
    memset(bytes, 'y', sizeof(bytes));
    GIVES(open_at(&loopback, at("a"), ",list,{active,false},{buffer,65536}", weir_owned_by_nobody(),
                  &receiver),
          0);
    for (size_t size = 1; size <= SIZE; size += 9999) {
        GIVES(weir_udp_send_to(sender, at("a"), 0, bytes, size, WAIT_MS), 0);
        GIVES(weir_udp_recv(receiver, WAIT_MS, &packet), 0);
        cr_assert(packet.size == size && memcmp(packet.bytes, bytes, size) == 0);
        cr_assert(packet.datagram->local->size == strlen(at("sender")) - 5);
        weir_packet_release(&packet);
    }
    GIVES(set(receiver, "[{buffer,3}]"), 0);
    GIVES(say(sender, at("a"), "sliced"), 0);
    GIVES(weir_udp_recv(receiver, WAIT_MS, &packet), 0);
    cr_assert(packet.datagram->truncated);
    expect_from(&packet, at("sender"), "sli");
    weir_packet_release(&packet);
    loopback_close(&loopback);
}
