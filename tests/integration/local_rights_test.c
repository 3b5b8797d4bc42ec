/* SPDX-License-Identifier: MIT */
/* Descriptors that go along with the bytes of local connections, and whose a peer is. */
#include "integration/rights.h"

#include <linux/io_uring.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <weir/process.h>

/* A connection, of which one end is weir's and one is plain. */
struct ends {
    struct loopback loopback;
    weir_socket listener;
    weir_socket socket;
    int plain;
};

static struct ends open_of(const weir_config *config, const char *options)
{
    struct ends ends = {.loopback = loopback_start(config)};
    weir_option *list;
    GIVES(weir_options_parse(options, &list), 0);
    GIVES(weir_tcp_listen(ends.loopback.runtime, name_of("stream"), 0, list, &ends.listener), 0);
    weir_options_free(list);
    ends.plain = local_peer(name_of("stream"), SOCK_STREAM, connect);
    GIVES(weir_tcp_accept(ends.listener, weir_mailed_to(ends.loopback.mailbox), WAIT_MS,
                          &ends.socket),
          0);
    ends.loopback.socket = ends.socket;
    return ends;
}

static struct ends open_with(const char *options)
{
    return open_of(NULL, options);
}

static void close_ends(struct ends *ends)
{
    close(ends->plain);
    loopback_close(&ends->loopback);
}

static void expect_none(weir_socket socket)
{
    int descriptor;
    GIVES(weir_local_take(socket, &descriptor, 1), 0);
}

static void expect_taken(weir_socket socket, const struct mark *mark)
{
    int descriptor;
    GIVES(weir_local_take(socket, &descriptor, 1), 1);
    mark_expect_copy(mark, descriptor);
}

Test(local_rights, come_with_bytes_and_are_taken_in_order)
{
    struct ends ends = open_with("[{active,false},{descriptors,8}]");
    struct mark one = mark_make();
    struct mark two = mark_make();
    expect_none(ends.socket);
    plain_send(ends.plain, "ab", (int[]){one.writer, two.writer}, 2);
    plain_send(ends.plain, "c", (int[]){one.writer}, 1);
    close(one.writer);
    close(two.writer);
    expect_received(ends.socket, 3, "abc");
    expect_taken(ends.socket, &one);
    int descriptors[4];
    GIVES(weir_local_take(ends.socket, descriptors, 4), 2);
    mark_expect_copy(&two, descriptors[0]);
    mark_expect_copy(&one, descriptors[1]);
    expect_none(ends.socket);
    mark_expect_gone(&one);
    mark_expect_gone(&two);
    close_ends(&ends);
}

/* The kernel has been offered each of few buffers: there is another for who is received by a call.
 */
Test(local_rights, come_where_buffers_are_few)
{
    const weir_config config = {.schedulers = 1, .buffer_count = 1};
    struct ends ends = open_of(&config, "[{active,false},{descriptors,8}]");
    struct mark mark = mark_make();
    for (int i = 0; i < 10; i++) {
        plain_send(ends.plain, "some", &mark.writer, 1);
        expect_received(ends.socket, 4, "some");
        expect_taken(ends.socket, &mark);
    }
    close(mark.writer);
    mark_expect_gone(&mark);
    close_ends(&ends);
}

/* What the caller has closed at once arrives all the same, and weir keeps nothing of it. */
Test(local_rights, are_sent_to_a_plain_peer)
{
    struct ends ends = open_with("[{active,false},{packet,4}]");
    struct mark mark = mark_make();
    char bytes[16];
    int descriptors[PLAIN_MOST];
    GIVES(local_send(ends.socket, "none", NULL, 0), 0);
    GIVES(local_send(ends.socket, "hello", (int[]){mark.writer, mark.writer}, 2), 0);
    GIVES(weir_send(ends.socket, "!", 1), 0);
    close(mark.writer);
    GIVES(plain_receive(ends.plain, bytes, 9, descriptors), 0);
    cr_assert(memcmp(bytes, "\0\0\0\4none", 8) == 0);
    GIVES(plain_receive(ends.plain, bytes, 10, descriptors), 2);
    cr_assert(memcmp(bytes, "\0\0\0\5hello", 9) == 0);
    mark_expect_copy(&mark, descriptors[0]);
    mark_expect_copy(&mark, descriptors[1]);
    mark_expect_gone(&mark);
    close_ends(&ends);
}

/* Both ends are weir's: the first packet that an owner is told of has them, whatever its size. */
Test(local_rights, go_with_packets_of_any_size)
{
    enum { SIZE = 1 << 20 };
    static char bytes[SIZE];
    struct ends ends = open_with("[binary,{packet,4},{descriptors,300}]");
    weir_socket client;
    int descriptors[PLAIN_MOST];
    GIVES(weir_tcp_connect(ends.loopback.runtime, name_of("stream"), 0,
                           WEIR_OPTIONS(WEIR_PACKET(4), WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                           weir_owned_by_nobody(), WAIT_MS, &client),
          0);
    GIVES(weir_tcp_accept(ends.listener, weir_mailed_to(ends.loopback.mailbox), WAIT_MS,
                          &ends.loopback.socket),
          0);
    struct mark mark = mark_make();
    for (int i = 0; i < PLAIN_MOST; i++)
        descriptors[i] = mark.writer;
    static const size_t sizes[] = {0, 1, 1000, 70000, SIZE};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        size_t size = sizes[s];
        const weir_local_message message = {bytes, size, descriptors, PLAIN_MOST, NULL};
        GIVES(weir_local_send(client, &message), 0);
        expect_data(&ends.loopback, bytes, size);
        int taken[PLAIN_MOST];
        GIVES(weir_local_take(ends.loopback.socket, taken, PLAIN_MOST), PLAIN_MOST);
        for (int i = 0; i < PLAIN_MOST; i++)
            mark_expect_copy(&mark, taken[i]);
        expect_none(ends.loopback.socket);
    }
    close(mark.writer);
    mark_expect_gone(&mark);
    close_ends(&ends);
}

static void pass_on(weir_socket socket, const weir_packet *packet, void *data)
{
    int descriptors[4];
    int count = weir_local_take(socket, descriptors, 4);
    const weir_local_message message = {packet->bytes, packet->size, descriptors,
                                        (size_t)(count > 0 ? count : 0), NULL};
    int *result = data;
    *result = weir_local_send(socket, &message);
    for (int i = 0; i < count; i++)
        close(descriptors[i]);
}

Test(local_rights, a_handler_sends_them_back)
{
    static const weir_handler handler = {.packet = pass_on};
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    int result = -1;
    weir_socket service;
    char bytes[16];
    int descriptors[PLAIN_MOST];
    GIVES(weir_tcp_serve(loopback.runtime, name_of("service"), 0, WEIR_OPTIONS(WEIR_DESCRIPTORS(4)),
                         weir_handled_by(&handler, &result), &service),
          0);
    struct mark mark = mark_make();
    int plain = local_peer(name_of("service"), SOCK_STREAM, connect);
    for (int i = 0; i < 20; i++) {
        plain_send(plain, "there", (int[]){mark.writer, mark.writer}, 2);
        GIVES(plain_receive(plain, bytes, sizeof(bytes), descriptors), 2);
        cr_assert_str_eq(bytes, "there");
        mark_expect_copy(&mark, descriptors[0]);
        mark_expect_copy(&mark, descriptors[1]);
    }
    close(mark.writer);
    mark_expect_gone(&mark);
    close(plain);
    loopback_close(&loopback);
}

Test(local_rights, without_the_option_none_is_kept)
{
    struct ends ends = open_with("[{active,false}]");
    struct mark mark = mark_make();
    plain_send(ends.plain, "ab", (int[]){mark.writer, mark.writer}, 2);
    close(mark.writer);
    expect_received(ends.socket, 2, "ab");
    mark_expect_gone(&mark);
    expect_none(ends.socket);
    close_ends(&ends);
}

/* The next receive that begins asks for them, and the last that has begun does not: one that is
 * armed for ever is given up. */
Test(local_rights, the_option_is_heeded_on_a_live_socket)
{
    struct ends ends = open_with("[]");
    struct mark mark = mark_make();
    int descriptor;
    peer_say(ends.plain, "armed");
    expect_text(&ends.loopback, "armed");
    GIVES(set(ends.socket, "[{descriptors,3}]"), 0);
    GIVES(get(ends.socket, WEIR_OPTION_DESCRIPTORS), 3);
    int taken = 0;
    for (uint64_t until = now_ms() + WAIT_MS; taken == 0 && now_ms() < until;) {
        plain_send(ends.plain, "x", (int[]){mark.writer}, 1);
        expect_text(&ends.loopback, "x");
        taken = weir_local_take(ends.socket, &descriptor, 1);
    }
    GIVES(taken, 1);
    mark_expect_copy(&mark, descriptor);
    GIVES(set(ends.socket, "[{descriptors,0}]"), 0);
    for (int i = 0; i < 3; i++) {
        plain_send(ends.plain, "y", (int[]){mark.writer}, 1);
        expect_text(&ends.loopback, "y");
    }
    close(mark.writer);
    (void)!weir_local_take(ends.socket, &descriptor, 0);
    GIVES(weir_close(ends.socket), 0);
    mark_expect_gone(&mark);
    close_ends(&ends);
}

/* All of the message are closed, the loss is told once and where it was, and it goes on. */
Test(local_rights, more_than_there_is_room_for_are_lost_and_told)
{
    struct ends ends = open_with("[{active,false},{descriptors,3}]");
    struct mark first = mark_make();
    struct mark lost = mark_make();
    int descriptor;
    plain_send(ends.plain, "a", (int[]){first.writer, first.writer}, 2);
    plain_send(ends.plain, "b", (int[]){lost.writer, lost.writer}, 2);
    plain_send(ends.plain, "c", (int[]){lost.writer}, 1);
    close(lost.writer);
    expect_received(ends.socket, 3, "abc");
    mark_expect_gone(&lost);
    expect_taken(ends.socket, &first);
    expect_taken(ends.socket, &first);
    GIVES(weir_local_take(ends.socket, &descriptor, 1), -ENOBUFS);
    expect_none(ends.socket);
    plain_send(ends.plain, "d", (int[]){first.writer, first.writer, first.writer}, 3);
    close(first.writer);
    expect_received(ends.socket, 1, "d");
    for (int i = 0; i < 3; i++)
        expect_taken(ends.socket, &first);
    mark_expect_gone(&first);
    close_ends(&ends);
}

/* No descriptor is free: the kernel says that it has given fewer. */
Test(local_rights, those_that_the_process_has_no_room_for_are_lost)
{
    struct ends ends = open_with("[{active,false},{descriptors,8}]");
    struct mark mark = mark_make();
    int descriptor;
    rlim_t before = leave_descriptors(1);
    plain_send(ends.plain, "x", (int[]){mark.writer, mark.writer, mark.writer}, 3);
    expect_received(ends.socket, 1, "x");
    GIVES(local_send(ends.socket, "y", (int[]){mark.writer, mark.writer}, 2), -EMFILE);
    restore_descriptors(before);
    close(mark.writer);
    mark_expect_gone(&mark);
    GIVES(weir_local_take(ends.socket, &descriptor, 1), -ENOBUFS);
    close_ends(&ends);
}

/* The peer is gone: what it sent is there until the socket is closed. */
Test(local_rights, outlive_their_peer_and_not_their_socket)
{
    struct ends ends = open_with("[{active,false},{descriptors,8}]");
    struct mark mark = mark_make();
    weir_packet packet;
    plain_send(ends.plain, "x", (int[]){mark.writer, mark.writer}, 2);
    close(mark.writer);
    close(ends.plain);
    expect_received(ends.socket, 1, "x");
    GIVES(weir_recv(ends.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    expect_taken(ends.socket, &mark);
    cr_assert(mark_is_open(&mark, 0));
    GIVES(weir_close(ends.socket), 0);
    mark_expect_gone(&mark);
    int descriptor;
    GIVES(weir_local_take(ends.socket, &descriptor, 1), -EINVAL);
    ends.plain = dup(0);
    close_ends(&ends);
}

static void finished(weir_socket socket, void *data)
{
    (void)socket;
    (void)data;
}

/* A handler that does not care: its sockets end, and what was sent to them. */
Test(local_rights, that_nobody_takes_end_with_the_socket)
{
    static const weir_handler handler = {.closed = finished};
    struct loopback loopback = loopback_start(NULL);
    weir_socket service;
    GIVES(weir_tcp_serve(loopback.runtime, name_of("service"), 0, WEIR_OPTIONS(WEIR_DESCRIPTORS(4)),
                         weir_handled_by(&handler, NULL), &service),
          0);
    struct mark mark = mark_make();
    int plain = local_peer(name_of("service"), SOCK_STREAM, connect);
    int other = local_peer(name_of("service"), SOCK_STREAM, connect);
    struct mark stopped = mark_make();
    plain_send(plain, "x", (int[]){mark.writer}, 1);
    plain_send(other, "x", (int[]){stopped.writer}, 1);
    close(mark.writer);
    close(stopped.writer);
    close(plain);
    mark_expect_gone(&mark);
    loopback.descriptors += 2; /* the mark's end and the peer's, which outlive it */
    loopback_close(&loopback);
    mark_expect_gone(&stopped);
    close(other);
}

/* Behind bytes that the peer does not read. */
static struct mark queue_behind_bytes(struct ends *ends)
{
    static char filler[4 << 20];
    struct mark mark = mark_make();
    GIVES(weir_send_async(ends->socket, filler, sizeof(filler), NULL, NULL), 0);
    GIVES(local_send(ends->socket, "x", (int[]){mark.writer}, 1), 0);
    close(mark.writer);
    cr_assert(mark_is_open(&mark, 0));
    return mark;
}

Test(local_rights, that_are_queued_go_with_a_socket_that_drops_its_queue)
{
    struct ends ends = open_with("[{active,false},{high_watermark,16777216}]");
    struct mark mark = queue_behind_bytes(&ends);
    GIVES(set(ends.socket, "[{linger,{true,0}}]"), 0);
    GIVES(weir_close(ends.socket), 0);
    mark_expect_gone(&mark);
    close_ends(&ends);
}

Test(local_rights, that_are_queued_are_closed_when_the_peer_is_gone)
{
    struct ends ends = open_with("[{active,false},{high_watermark,16777216}]");
    struct mark mark = queue_behind_bytes(&ends);
    close(ends.plain);
    mark_expect_gone(&mark);
    ends.plain = dup(0);
    close_ends(&ends);
}

/* What was accepted leaves, though the socket was closed. */
Test(local_rights, that_are_queued_leave_a_socket_that_is_closed)
{
    struct ends ends = open_with("[{active,false},{high_watermark,16777216}]");
    struct mark mark = queue_behind_bytes(&ends);
    static char bytes[65536];
    int descriptors[PLAIN_MOST];
    GIVES(weir_close(ends.socket), 0);
    int count = 0;
    while (count == 0)
        count = plain_receive(ends.plain, bytes, sizeof(bytes), descriptors);
    GIVES(count, 1);
    mark_expect_copy(&mark, descriptors[0]);
    mark_expect_gone(&mark);
    close_ends(&ends);
}

Test(local_rights, that_are_queued_go_with_the_runtime)
{
    struct ends ends = open_with("[{active,false},{high_watermark,16777216}]");
    struct mark mark = queue_behind_bytes(&ends);
    GIVES(set(ends.socket, "[{linger,{true,0}}]"), 0);
    ends.loopback.descriptors += 2; /* the mark's end and the peer's, which outlive it */
    loopback_close(&ends.loopback);
    mark_expect_gone(&mark);
    close(ends.plain);
}

Test(local_rights, what_cannot_be_sent_is_said)
{
    struct ends ends = open_with("[{active,false}]");
    int many[PLAIN_MOST + 1] = {0};
    const weir_local_address name = {.size = 2, .name = "\0x"};
    const weir_local_message elsewhere = {"x", 1, NULL, 0, &name};
    const weir_local_message nothing = {NULL, 1, NULL, 0, NULL};
    const weir_local_message below_nothing = {"x", SIZE_MAX, NULL, 0, NULL};
    struct answer answer = {0};
    int before = descriptor_count();
    GIVES(local_send(ends.socket, "x", (int[]){0, -1}, 2), -EBADF);
    GIVES(local_send(ends.socket, "x", many, PLAIN_MOST + 1), -EINVAL);
    GIVES(local_send(ends.socket, "", (int[]){0}, 1), -EINVAL);
    GIVES(weir_local_send(ends.socket, &elsewhere), -EISCONN);
    GIVES(weir_local_send(ends.socket, &nothing), -EINVAL);
    GIVES(weir_local_send_async(ends.socket, &nothing, answer_sent, &answer), -EINVAL);
    GIVES(weir_local_send(ends.socket, &below_nothing), -EINVAL);
    GIVES(weir_local_send_async(ends.socket, &below_nothing, answer_sent, &answer), -EINVAL);
    GIVES(local_send(ends.listener, "x", (int[]){0}, 1), -ENOTCONN);
    GIVES(weir_local_send_async(ends.socket, &elsewhere, answer_sent, &answer), 0);
    GIVES(answer_wait(&answer), -EISCONN);
    GIVES(descriptor_count(), before);
    GIVES(weir_close(ends.socket), 0);
    GIVES(local_send(ends.socket, "x", (int[]){0}, 1), WEIR_CLOSED);
    close_ends(&ends);
}

Test(local_rights, a_listener_is_sent_none)
{
    struct ends ends = open_with("[{active,false}]");
    int descriptor;
    GIVES(weir_local_take(ends.listener, &descriptor, 1), -EINVAL);
    close_ends(&ends);
}

Test(local_rights, are_sent_without_waiting)
{
    struct ends ends = open_with("[{active,false}]");
    struct mark mark = mark_make();
    struct answer answer = {0};
    char bytes[8];
    int descriptors[PLAIN_MOST];
    const weir_local_message message = {"later", 5, &mark.writer, 1, NULL};
    GIVES(weir_local_send_async(ends.socket, &message, answer_sent, &answer), 0);
    close(mark.writer);
    GIVES(answer_wait(&answer), 0);
    GIVES(plain_receive(ends.plain, bytes, sizeof(bytes), descriptors), 1);
    cr_assert_str_eq(bytes, "later");
    mark_expect_copy(&mark, descriptors[0]);
    mark_expect_gone(&mark);
    close_ends(&ends);
}

/* The kernel passes no ring: what follows would not be what the peer expects. */
static int send_much(weir_socket socket, void *data)
{
    static const char bytes[64 << 10];
    const weir_local_message message = {.bytes = bytes, .size = sizeof(bytes)};
    atomic_uint *count = data;
    for (int i = 0; i < 64; i++) {
        if (weir_local_send(socket, &message) < 0)
            return 0;
        atomic_fetch_add(count, 1);
    }
    return 0;
}

/* To a peer that reads when all waits. */
Test(local_rights, a_process_waits_for_a_busy_socket)
{
    struct loopback loopback = loopback_start(NULL);
    atomic_uint count = 0;
    const weir_spawner spawner = {.serve = send_much, .data = &count};
    weir_socket service;
    GIVES(weir_tcp_serve(loopback.runtime, name_of("service"), 0,
                         WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_SNDBUF(4096),
                                      WEIR_LOW_WATERMARK(4096), WEIR_HIGH_WATERMARK(8192)),
                         weir_spawning(&spawner), &service),
          0);
    int plain = local_peer(name_of("service"), SOCK_STREAM, connect);
    EVENTUALLY(atomic_load(&count) > 0);
    cr_assert(weir_sleep(50) == 0);
    cr_assert(atomic_load(&count) < 64, "%u", atomic_load(&count));
    cr_assert(peer_drain(plain) == 64 * (64 << 10));
    cr_assert(atomic_load(&count) == 64);
    close(plain);
    loopback_close(&loopback);
}

Test(local_rights, one_that_the_kernel_does_not_pass_ends_the_connection)
{
    struct ends ends = open_with("[]");
    struct io_uring_params parameters = {0};
    int ring = (int)syscall(SYS_io_uring_setup, 2, &parameters);
    cr_assert(ring >= 0, "%s", strerror(errno));
    struct mark mark = mark_make();
    (void)!local_send(ends.socket, "x", (int[]){mark.writer, ring}, 2);
    close(mark.writer);
    close(ring);
    expect_told(&ends.loopback, WEIR_MESSAGE_ERROR, -EINVAL);
    expect_told(&ends.loopback, WEIR_MESSAGE_CLOSED, 0);
    mark_expect_gone(&mark);
    peer_expect_end(ends.plain);
    close_ends(&ends);
}

static bool is_ours(const weir_credentials *credentials, pid_t pid)
{
    return credentials->pid == pid && credentials->uid == getuid() && credentials->gid == getgid();
}

Test(local_rights, the_credentials_are_those_of_the_other_end)
{
    struct ends ends = open_with("[{active,false}]");
    weir_credentials credentials = WEIR_NO_CREDENTIALS;
    GIVES(weir_local_credentials(ends.socket, &credentials), 0);
    cr_assert(is_ours(&credentials, getpid()));
    GIVES(weir_local_credentials(ends.listener, &credentials), -ENOTCONN);
    GIVES(weir_close(ends.socket), 0);
    GIVES(weir_local_credentials(ends.socket, &credentials), -EINVAL);
    close_ends(&ends);
}

/* A peer that has nothing of weir: it sends a file with a line, and is sent one that it reads. */
static const char python_peer[] = "import array, os, socket, sys\n"
                                  "s = socket.socket(socket.AF_UNIX)\n"
                                  "s.connect('\\0' + sys.argv[1])\n"
                                  "r, w = os.pipe()\n"
                                  "os.write(w, b'of python')\n"
                                  "socket.send_fds(s, [b'take'], [r])\n"
                                  "data, fds, flags, _ = socket.recv_fds(s, 64, 4)\n"
                                  "os.write(fds[0], data + b' %d' % os.getpid())\n";

Test(local_rights, with_a_peer_in_python)
{
    struct ends ends = open_with("[{active,false},{descriptors,4}]");
    struct mark mark = mark_make();
    char text[64] = "";
    int descriptor;
    const char *name = name_of("stream") + strlen("unix:@");
    pid_t child = fork();
    if (child == 0) {
        execlp("python3", "python3", "-c", python_peer, name, NULL);
        _exit(127);
    }
    GIVES(weir_close(ends.socket), 0);
    GIVES(weir_tcp_accept(ends.listener, weir_owned_by_nobody(), WAIT_MS, &ends.socket), 0);
    weir_credentials credentials;
    GIVES(weir_local_credentials(ends.socket, &credentials), 0);
    cr_assert(is_ours(&credentials, child));
    expect_received(ends.socket, 4, "take");
    GIVES(weir_local_take(ends.socket, &descriptor, 1), 1);
    cr_assert(read(descriptor, text, sizeof(text)) == 9);
    cr_assert_str_eq(text, "of python");
    close(descriptor);
    GIVES(local_send(ends.socket, "given to", (int[]){mark.writer}, 1), 0);
    close(mark.writer);
    char expected[64];
    snprintf(expected, sizeof(expected), "given to %d", (int)child);
    cr_assert(read(mark.reader, text, sizeof(text)) == (ssize_t)strlen(expected));
    cr_assert(memcmp(text, expected, strlen(expected)) == 0);
    mark_expect_gone(&mark);
    close_ends(&ends);
}
