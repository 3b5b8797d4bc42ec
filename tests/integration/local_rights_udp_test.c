/* SPDX-License-Identifier: MIT */
/* Descriptors and credentials that come with datagrams of local sockets. */
#include "integration/rights.h"

static weir_socket open_at(const struct loopback *loopback, const char *name, const char *more)
{
    weir_socket socket;
    weir_option *list;
    char options[256];
    const char *abstract = name ? name + strlen("unix:@") : "";
    snprintf(options, sizeof(options), "[binary,{ifaddr,{local,<<%s\"%s\">>}}%s]", name ? "0," : "",
             abstract, more);
    GIVES(weir_options_parse(options, &list), 0);
    GIVES(weir_udp_open(loopback->runtime, 0, list, weir_mailed_to(loopback->mailbox), &socket), 0);
    weir_options_free(list);
    return socket;
}

/* A plain peer that is connected to weir's socket. */
struct ends {
    struct loopback loopback;
    weir_socket socket;
    int plain;
};

static struct ends open_with(const char *options)
{
    struct ends ends = {.loopback = loopback_start(NULL)};
    ends.socket = open_at(&ends.loopback, name_of("a"), options);
    ends.loopback.socket = ends.socket;
    ends.plain = local_peer(name_of("a"), SOCK_DGRAM, connect);
    return ends;
}

static void close_ends(struct ends *ends)
{
    close(ends->plain);
    loopback_close(&ends->loopback);
}

/* The next datagram of a passive socket says that so many came with it. */
static void expect_datagram(weir_socket socket, const char *text, int descriptors)
{
    weir_packet packet;
    GIVES(weir_udp_recv(socket, WAIT_MS, &packet), 0);
    cr_assert(packet.size == strlen(text) && memcmp(packet.bytes, text, packet.size) == 0);
    GIVES(packet.datagram->descriptors, descriptors);
    weir_packet_release(&packet);
}

static void expect_taken(weir_socket socket, const struct mark *mark, int count)
{
    int descriptors[PLAIN_MOST];
    GIVES(weir_local_take(socket, descriptors, (size_t)count), count);
    for (int i = 0; i < count; i++)
        mark_expect_copy(mark, descriptors[i]);
}

Test(local_rights_udp, come_with_their_datagram)
{
    struct ends ends = open_with(",{active,false},{descriptors,600}");
    struct mark one = mark_make();
    struct mark two = mark_make();
    int many[PLAIN_MOST];
    for (int i = 0; i < PLAIN_MOST; i++)
        many[i] = two.writer;
    plain_send(ends.plain, "one", (int[]){one.writer}, 1);
    plain_send(ends.plain, "many", many, PLAIN_MOST);
    peer_say(ends.plain, "none");
    plain_send(ends.plain, "two", (int[]){two.writer, one.writer}, 2);
    close(one.writer);
    close(two.writer);
    expect_datagram(ends.socket, "one", 1);
    expect_taken(ends.socket, &one, 1);
    expect_datagram(ends.socket, "many", PLAIN_MOST);
    expect_taken(ends.socket, &two, PLAIN_MOST);
    expect_datagram(ends.socket, "none", 0);
    expect_datagram(ends.socket, "two", 2);
    expect_taken(ends.socket, &two, 1);
    expect_taken(ends.socket, &one, 1);
    mark_expect_gone(&one);
    mark_expect_gone(&two);
    close_ends(&ends);
}

/* A mailbox has datagrams before they are looked at: their descriptors wait in the same order. */
Test(local_rights_udp, wait_in_order_for_a_mailbox)
{
    enum { COUNT = 8 };
    struct ends ends = open_with(",{descriptors,64}");
    struct mark marks[COUNT];
    for (int i = 0; i < COUNT; i++) {
        marks[i] = mark_make();
        plain_send(ends.plain, "x", (int[]){marks[i].writer, marks[i].writer}, 2);
        close(marks[i].writer);
    }
    for (int i = 0; i < COUNT; i++) {
        weir_message message = next_message(ends.loopback.mailbox);
        GIVES(message.packet.datagram->descriptors, 2);
        weir_packet_release(&message.packet);
        expect_taken(ends.socket, &marks[i], 2);
        mark_expect_gone(&marks[i]);
    }
    close_ends(&ends);
}

Test(local_rights_udp, go_to_whom_they_are_sent)
{
    struct loopback loopback = loopback_start(NULL);
    struct mark mark = mark_make();
    weir_socket sender = open_at(&loopback, NULL, ",{active,false}");
    weir_socket receiver = open_at(&loopback, name_of("b"), ",{active,false},{descriptors,4}");
    weir_local_address to;
    struct answer answer = {0};
    GIVES(weir_local_address_parse(name_of("b"), &to), 0);
    const weir_local_message empty = {NULL, 0, (int[]){mark.writer, mark.writer}, 2, &to};
    const weir_local_message later = {"later", 5, &mark.writer, 1, &to};
    const weir_local_message nowhere = {"x", 1, &mark.writer, 1, NULL};
    GIVES(weir_local_send(sender, &nowhere), -EINVAL);
    GIVES(weir_local_send(sender, &empty), 0);
    GIVES(weir_local_send_async(sender, &later, answer_sent, &answer), 0);
    GIVES(answer_wait(&answer), 0);
    expect_datagram(receiver, "", 2);
    expect_datagram(receiver, "later", 1);
    expect_taken(receiver, &mark, 3);
    GIVES(weir_udp_connect_to(sender, name_of("b"), 0, WAIT_MS), 0);
    GIVES(local_send(sender, "connected", &mark.writer, 1), 0);
    expect_datagram(receiver, "connected", 1);
    close(mark.writer);
    cr_assert(mark_is_open(&mark, 0));
    GIVES(weir_close(receiver), 0);
    mark_expect_gone(&mark);
    loopback_close(&loopback);
}

Test(local_rights_udp, more_than_there_is_room_for_are_lost_and_told)
{
    struct ends ends = open_with(",{active,false},{descriptors,2}");
    struct mark mark = mark_make();
    struct mark lost = mark_make();
    int descriptor;
    plain_send(ends.plain, "a", (int[]){mark.writer}, 1);
    plain_send(ends.plain, "b", (int[]){lost.writer, lost.writer}, 2);
    plain_send(ends.plain, "c", (int[]){mark.writer}, 1);
    close(mark.writer);
    close(lost.writer);
    expect_datagram(ends.socket, "a", 1);
    expect_datagram(ends.socket, "b", -1);
    expect_datagram(ends.socket, "c", 1);
    mark_expect_gone(&lost);
    expect_taken(ends.socket, &mark, 2);
    GIVES(weir_local_take(ends.socket, &descriptor, 1), 0);
    mark_expect_gone(&mark);
    close_ends(&ends);
}

/* Nobody has asked for descriptors; that somebody has for credentials lets none in. */
Test(local_rights_udp, without_the_option_none_is_kept)
{
    static const char *const options[] = {",{active,false}", ",{active,false},{credentials,true}"};
    for (int i = 0; i < 2; i++) {
        struct ends ends = open_with(options[i]);
        struct mark mark = mark_make();
        plain_send(ends.plain, "x", (int[]){mark.writer, mark.writer, mark.writer}, 3);
        close(mark.writer);
        expect_datagram(ends.socket, "x", 0);
        mark_expect_gone(&mark);
        close_ends(&ends);
    }
}

/* The peer has room for few: those behind them wait in weir, until nobody will have them. */
Test(local_rights_udp, that_are_queued_go_with_the_socket)
{
    enum { MORE_THAN_THERE_IS_ROOM_FOR = 2000 };
    struct loopback loopback = loopback_start(NULL);
    int peer = local_peer(name_of("peer"), SOCK_DGRAM, bind);
    weir_socket sender = open_at(&loopback, NULL, ",{active,false}");
    struct mark mark = mark_make();
    GIVES(weir_udp_connect_to(sender, name_of("peer"), 0, WAIT_MS), 0);
    for (int i = 0; i < MORE_THAN_THERE_IS_ROOM_FOR; i++)
        GIVES(weir_udp_send_async(sender, NULL, "x", 1, NULL, NULL), 0);
    const weir_local_message message = {"y", 1, &mark.writer, 1, NULL};
    struct answer answer = {0};
    GIVES(weir_local_send_async(sender, &message, answer_sent, &answer), 0);
    close(mark.writer);
    EVENTUALLY(statistics_of(sender).send_pend > 0);
    cr_assert(mark_is_open(&mark, 0));
    GIVES(weir_close(sender), 0);
    GIVES(answer_wait(&answer), WEIR_CLOSED);
    mark_expect_gone(&mark);
    close(peer);
    loopback_close(&loopback);
}

static bool is_nobody(const weir_credentials *credentials)
{
    return credentials->pid == -1 && credentials->uid == UINT32_MAX &&
           credentials->gid == UINT32_MAX;
}

static weir_credentials credentials_of_next(weir_socket socket)
{
    weir_packet packet;
    GIVES(weir_udp_recv(socket, WAIT_MS, &packet), 0);
    weir_credentials credentials = packet.datagram->credentials;
    weir_packet_release(&packet);
    return credentials;
}

/* By open, by setopts, and with descriptors beside them; of a child, which is another process. */
Test(local_rights_udp, credentials_are_those_of_who_sent)
{
    struct ends ends = open_with(",{active,false}");
    struct mark mark = mark_make();
    peer_say(ends.plain, "before");
    weir_credentials credentials = credentials_of_next(ends.socket);
    cr_assert(is_nobody(&credentials));
    GIVES(set(ends.socket, "[{credentials,true},{descriptors,2}]"), 0);
    GIVES(get(ends.socket, WEIR_OPTION_CREDENTIALS), 1);
    pid_t child = fork();
    if (child == 0) {
        plain_send(ends.plain, "x", &mark.writer, 1);
        _exit(0);
    }
    close(mark.writer);
    credentials = credentials_of_next(ends.socket);
    cr_assert(credentials.pid == child && credentials.uid == getuid() &&
              credentials.gid == getgid());
    expect_taken(ends.socket, &mark, 1);
    GIVES(set(ends.socket, "[{credentials,false}]"), 0);
    peer_say(ends.plain, "after");
    credentials = credentials_of_next(ends.socket);
    cr_assert(is_nobody(&credentials));
    mark_expect_gone(&mark);
    close_ends(&ends);
}
