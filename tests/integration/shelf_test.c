/* SPDX-License-Identifier: MIT */
/* A thread that reads a passive connection piece by piece: what came together costs one call of the
 * scheduler, and nothing that anybody does in between is any different for it. */
#include "support/loopback.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { PIECES = 500, PIECE = 20, TURNS_MOST = 60 };

static uint64_t turns(const struct loopback *loopback)
{
    weir_totals totals;
    settle(loopback->socket);
    weir_get_totals(loopback->runtime, 0, &totals);
    return totals.turns;
}

/* Piece i of a stream. */
static void make_piece(char *piece, uint32_t i)
{
    for (size_t at = 0; at < PIECE; at++)
        piece[at] = (char)(i * 7 + at);
}

static void write_pieces(int peer, bool framed)
{
    char bytes[PIECES * (PIECE + 2)];
    size_t size = 0;
    for (uint32_t i = 0; i < PIECES; i++) {
        if (framed) {
            bytes[size++] = 0;
            bytes[size++] = PIECE;
        }
        make_piece(bytes + size, i);
        size += PIECE;
    }
    peer_write(peer, bytes, size);
}

static void expect_piece(weir_socket socket, size_t length, uint32_t i)
{
    char piece[PIECE];
    weir_packet packet;
    make_piece(piece, i);
    GIVES(weir_recv(socket, length, WAIT_MS, &packet), 0);
    cr_assert(packet.size == PIECE && memcmp(packet.bytes, piece, PIECE) == 0, "piece %u", i);
    weir_packet_release(&packet);
}

static void expect_pieces(struct loopback *loopback, size_t length, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        expect_piece(loopback->socket, length, i);
}

static void expect_next(struct loopback *loopback, size_t length, const char *options)
{
    *loopback = loopback_open(options);
    write_pieces(loopback->peer, length == 0);
    expect_pieces(loopback, length, 0, 1);
}

Test(shelf, what_came_together_takes_few_turns)
{
    static const char *const options[] = {"[{active,false}]", "[{active,false},binary]",
                                          "[{active,false},{packet,2}]"};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        struct loopback loopback;
        expect_next(&loopback, i < 2 ? PIECE : 0, options[i]);
        uint64_t before = turns(&loopback);
        expect_pieces(&loopback, i < 2 ? PIECE : 0, 1, PIECES);
        uint64_t took = turns(&loopback) - before;
        cr_expect(took < TURNS_MOST, "%lu turns", (unsigned long)took);
        loopback_close(&loopback);
    }
}

Test(shelf, statistics_count_each_piece)
{
    struct loopback loopback;
    expect_next(&loopback, PIECE, "[{active,false}]");
    for (uint32_t i = 1; i < PIECES; i++) {
        weir_statistics statistics = statistics_of(loopback.socket);
        cr_assert_eq(statistics.recv_cnt, i);
        cr_assert_eq(statistics.recv_oct, (uint64_t)i * PIECE);
        cr_assert_eq(statistics.recv_max, (uint32_t)PIECE);
        expect_piece(loopback.socket, PIECE, i);
    }
    loopback_close(&loopback);
}

Test(shelf, pieces_may_have_any_length)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    peer_say(loopback.peer, "abcdefghijklmnopqrstuvwxyz");
    expect_received(loopback.socket, 3, "abc");
    expect_received(loopback.socket, 1, "d");
    GIVES(weir_recv(loopback.socket, 100, 0, &(weir_packet){0}), WEIR_TIMEOUT);
    expect_received(loopback.socket, 5, "efghi");
    expect_received(loopback.socket, 0, "jklmnopqrstuvwxyz");
    peer_finish(loopback.peer);
    GIVES(weir_recv(loopback.socket, 1, WAIT_MS, &(weir_packet){0}), WEIR_CLOSED);
    loopback_close(&loopback);
}

Test(shelf, becoming_active_goes_on_where_the_thread_was)
{
    struct loopback loopback = loopback_open("[{active,false},{packet,line}]");
    peer_say(loopback.peer, "a\nb\nc\nd\ne\n");
    expect_received(loopback.socket, 0, "a\n");
    expect_received(loopback.socket, 0, "b\n");
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    expect_text(&loopback, "c\n");
    expect_received(loopback.socket, 0, "d\n");
    GIVES(set(loopback.socket, "[{active,true}]"), 0);
    expect_text(&loopback, "e\n");
    loopback_close(&loopback);
}

Test(shelf, other_options_hold_from_the_next_piece)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    peer_write(loopback.peer, "ab\0\1cd\nef\n\0\2ghij", 16);
    expect_received(loopback.socket, 1, "a");
    expect_received(loopback.socket, 1, "b");
    GIVES(set(loopback.socket, "[{packet,2}]"), 0);
    expect_received(loopback.socket, 0, "c");
    GIVES(weir_recv(loopback.socket, 1, WAIT_MS, &(weir_packet){0}), -EINVAL);
    GIVES(set(loopback.socket, "[{packet,line}]"), 0);
    expect_received(loopback.socket, 0, "d\n");
    expect_received(loopback.socket, 0, "ef\n");
    GIVES(set(loopback.socket, "[{packet,2},binary]"), 0);
    expect_received(loopback.socket, 0, "gh");
    GIVES(set(loopback.socket, "[{packet,raw}]"), 0);
    expect_received(loopback.socket, 0, "ij");
    loopback_close(&loopback);
}

struct reader {
    pthread_t thread;
    struct loopback *loopback;
    uint32_t from;
};

static void *read_two(void *data)
{
    struct reader *reader = data;
    expect_pieces(reader->loopback, PIECE, reader->from, reader->from + 2);
    return NULL;
}

/* The one who reads from a shelf, and others who have none. */
Test(shelf, threads_may_take_turns)
{
    struct loopback loopback;
    expect_next(&loopback, PIECE, "[{active,false}]");
    for (uint32_t i = 1; i + 4 <= 100; i += 4) {
        struct reader reader = {.loopback = &loopback, .from = i};
        pthread_create(&reader.thread, NULL, read_two, &reader);
        pthread_join(reader.thread, NULL);
        expect_pieces(&loopback, PIECE, i + 2, i + 4);
    }
    loopback_close(&loopback);
}

static void close_there(void *socket)
{
    weir_close(*(weir_socket *)socket);
}

Test(shelf, nothing_is_taken_after_a_close)
{
    struct loopback loopback;
    expect_next(&loopback, PIECE, "[{active,false}]");
    expect_pieces(&loopback, PIECE, 1, 3);
    run_there(loopback.runtime, 0, close_there, &loopback.socket);
    GIVES(weir_recv(loopback.socket, PIECE, WAIT_MS, &(weir_packet){0}), WEIR_CLOSED);
    loopback_close(&loopback);
}

Test(shelf, nothing_is_taken_after_a_stop)
{
    struct loopback loopback;
    expect_next(&loopback, PIECE, "[{active,false}]");
    loopback_close(&loopback);
    GIVES(weir_recv(loopback.socket, PIECE, WAIT_MS, &(weir_packet){0}), WEIR_CLOSED);
}

/* More sockets than a thread has shelves. */
enum { SOCKETS = 20 };

Test(shelf, a_thread_may_read_many_connections)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_socket sockets[SOCKETS];
    int peers[SOCKETS];
    for (int i = 0; i < SOCKETS; i++) {
        sockets[i] = loopback.socket;
        peers[i] = loopback.peer;
        write_pieces(peers[i], false);
        loopback.socket = (weir_socket){0};
        loopback.peer = -1;
        loopback_reopen(&loopback);
    }
    for (uint32_t piece = 0; piece < 50; piece++)
        for (int i = 0; i < SOCKETS; i++)
            expect_piece(sockets[i], PIECE, piece);
    for (int i = 0; i < SOCKETS; i++)
        peer_leave(&peers[i]);
    loopback_close(&loopback);
}

/* A peer that goes on sending to a thread that does not read is held back all the same. */
Test(shelf, a_thread_that_stops_reading_holds_its_peer_back)
{
    enum { MOST = 8 << 20 };
    static const char bytes[65536];
    struct loopback loopback = loopback_open("[{active,false},{recbuf,65536}]");
    weir_totals totals;
    uint64_t written = 0;
    ssize_t result;
    peer_write(loopback.peer, bytes, sizeof(bytes));
    weir_packet packet;
    GIVES(weir_recv(loopback.socket, 1, WAIT_MS, &packet), 0);
    weir_packet_release(&packet);
    do {
        result = send(loopback.peer, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL);
        written += result > 0 ? (uint64_t)result : 0;
        settle(loopback.socket);
    } while (written < MOST && result > 0);
    weir_get_totals(loopback.runtime, 0, &totals);
    cr_expect(totals.bytes_received < 1 << 20, "%lu bytes", (unsigned long)totals.bytes_received);
    loopback_close(&loopback);
}
