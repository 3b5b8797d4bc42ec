/* SPDX-License-Identifier: MIT */
/* What becomes of a send: which bytes are referred to where they lie, which are copied. */
#include "runtime/send_queue/send_source.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "runtime/buffer/buffer.h"
#include "runtime/send_queue/send_queue.h"

enum { SIZE = 16384, PIECES = 8, LARGE = 4096, AT = 1000 };

/* The buffer's, and what stands before and behind it. */
static uint8_t memory[8 + SIZE + 8 + LARGE];
static uint8_t *const bytes = memory + 8;
static struct buffer_pool pool = {.count = 400};
static struct weir_buffer buffer;
static struct weir_buffer other;
static struct send_pools *pools;
static struct send_queue queue;

static struct weir_buffer buffer_of(uint8_t *its_bytes)
{
    struct weir_buffer made = {.pool = &pool, .bytes = its_bytes, .capacity = SIZE, .filled = SIZE};
    atomic_init(&made.refs, 1);
    return made;
}

static void start(void)
{
    for (size_t i = 0; i < sizeof(memory); i++)
        memory[i] = (uint8_t)(i * 7 + i / 251);
    buffer = buffer_of(bytes);
    other = buffer_of(bytes);
    buffer_pool_own(&pool);
    pools = send_pools_open();
    queue = (struct send_queue){0};
}

static void finish(void)
{
    send_queue_close(pools, &queue);
    send_pools_close(pools);
    buffer_pool_own(NULL);
    cr_expect(atomic_load(&buffer.refs) == 1 && atomic_load(&other.refs) == 1);
}

static int enqueue(struct weir_buffer *of, size_t at, size_t size, const uint8_t *header,
                   size_t header_size)
{
    const struct iovec piece = {bytes + at, size};
    const struct send_source source = {.pieces = &piece, .count = 1, .size = size, .buffer = of};
    return send_source_enqueue(&source, pools, &queue, header, header_size);
}

/* What is queued as so many pieces, of which the last refers to bytes there, if to any. */
static void expect_pieces(size_t count, const uint8_t *last, const char *what)
{
    struct iovec pieces[PIECES];
    size_t got = send_queue_gather(&queue, pieces, PIECES);
    cr_expect_eq(got, count, "%s: %zu pieces", what, got);
    const uint8_t *base = pieces[got - 1].iov_base;
    cr_expect_eq(last ? base : NULL, last, "%s", what);
    cr_expect(last || base < memory || base >= memory + sizeof(memory), "%s: it is no copy", what);
    send_queue_sent(pools, &queue, queue.in_flight_bytes);
}

static const struct {
    const char *name;
    size_t at;
    size_t header_size;
    ptrdiff_t header_at; /* where the same bytes stand */
    uint32_t lent;
    size_t size;
    size_t pieces;
    bool as_it_came;
    bool copied;
} rows[] = {
    {"no header", AT, 0, 0, 0, LARGE, 1, true, false},
    {"its own", AT, 4, AT - 4, 0, LARGE, 1, true, false},
    {"its own of two", AT, 2, AT - 2, 0, LARGE, 1, true, false},
    {"another", AT, 4, AT, 0, LARGE, 2, false, false},
    {"another of two", AT, 2, AT - 1, 0, LARGE, 2, false, false},
    {"at the beginning", 0, 0, 0, 0, LARGE, 1, true, false},
    {"right behind it", 4, 4, 0, 0, LARGE, 1, true, false},
    {"half of it before the buffer", 3, 4, -1, 0, LARGE, 2, false, false},
    {"all of it before the buffer", 0, 4, -4, 0, LARGE, 2, false, false},
    {"not in the buffer", SIZE, 4, SIZE - 4, 0, LARGE, 2, false, false},
    {"far from the buffer", SIZE + 8, 4, SIZE + 4, 0, LARGE, 2, false, false},
    {"small", AT, 4, AT - 4, 0, 10, 1, true, false},
    {"small, and many are held", AT, 4, AT - 4, 100, 10, 1, false, true},
    {"another, and most are held", AT, 4, AT, 300, LARGE, 1, false, true},
    {"none, and most are held", AT, 0, 0, 300, LARGE, 1, false, true},
};

Test(send_source, refers_to_what_may_be_held_where_it_lies)
{
    start();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t size = rows[i].size;
        pool.lent = rows[i].lent;
        cr_assert_eq(
            enqueue(&buffer, rows[i].at, size, bytes + rows[i].header_at, rows[i].header_size), 0);
        cr_expect_eq(queue.queued_bytes, size + rows[i].header_size, "%s", rows[i].name);
        const uint8_t *from = bytes + rows[i].at - (rows[i].as_it_came ? rows[i].header_size : 0);
        expect_pieces(rows[i].pieces, rows[i].copied ? NULL : from, rows[i].name);
    }
    pool.lent = 0;
    finish();
}

/* The last byte of a header counts, and the first. */
Test(send_source, a_header_is_its_own_only_whole)
{
    start();
    for (size_t size = 1; size <= 8; size++)
        for (size_t wrong = 0; wrong < size; wrong++) {
            uint8_t header[8];
            memcpy(header, bytes + AT - size, size);
            header[wrong] ^= 1;
            cr_assert_eq(enqueue(&buffer, AT, LARGE, header, size), 0);
            expect_pieces(2, bytes + AT, "another header");
        }
    finish();
}

/* Packets that follow each other leave as one piece, small ones too. */
Test(send_source, goes_on_where_the_last_ends)
{
    start();
    cr_assert_eq(enqueue(&buffer, 4, LARGE, bytes, 4), 0);
    pool.lent = 400;
    cr_assert_eq(enqueue(&buffer, LARGE + 8, 10, bytes + LARGE + 4, 4), 0);
    cr_assert_eq(enqueue(&buffer, LARGE + 18, 10, NULL, 0), 0);
    pool.lent = 0;
    cr_expect_eq(queue.queued_bytes, LARGE + 28);
    expect_pieces(1, bytes, "one behind the other");
    const size_t end = AT + LARGE;
    struct {
        const char *name;
        struct weir_buffer *buffer;
        size_t at;
        size_t header_size;
    } others[] = {
        {"another buffer", &other, end, 0},
        {"a gap", &buffer, end + 1, 0},
        {"over it", &buffer, end - 1, 0},
        {"another header", &buffer, end + 4, 4},
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        cr_assert_eq(enqueue(&buffer, AT, LARGE, NULL, 0), 0);
        cr_assert_eq(enqueue(others[i].buffer, others[i].at, LARGE, bytes, others[i].header_size),
                     0);
        expect_pieces(others[i].header_size ? 3 : 2, bytes + others[i].at, others[i].name);
    }
    cr_assert_eq(enqueue(NULL, AT, LARGE, NULL, 0), 0);
    cr_assert_eq(enqueue(&buffer, AT + LARGE, LARGE, NULL, 0), 0);
    expect_pieces(2, bytes + AT + LARGE, "behind a copy");
    finish();
}

Test(send_source, of_no_bytes_is_its_header)
{
    start();
    cr_expect_eq(enqueue(&buffer, AT, 0, bytes + AT - 4, 4), 0);
    cr_expect_eq(queue.queued_bytes, 4);
    expect_pieces(1, NULL, "a header");
    cr_expect_eq(enqueue(&buffer, AT, 0, NULL, 0), 0);
    cr_expect(queue.queued_bytes == 0 && queue.first == NULL);
    finish();
}

Test(send_source, a_copy_has_all_pieces_behind_its_header)
{
    const struct iovec parts[] = {{bytes, 5}, {NULL, 0}, {bytes + 100, 7}};
    const struct send_source source = {.pieces = parts, .count = 3, .size = 12};
    struct iovec piece;
    start();
    cr_assert_eq(send_source_enqueue(&source, pools, &queue, (const uint8_t *)"\1\2\3", 3), 0);
    cr_assert(send_queue_gather(&queue, &piece, 1) == 1 && piece.iov_len == 15);
    const uint8_t *copy = piece.iov_base;
    cr_expect(memcmp(copy, "\1\2\3", 3) == 0 && memcmp(copy + 3, bytes, 5) == 0 &&
              memcmp(copy + 8, bytes + 100, 7) == 0);
    send_queue_sent(pools, &queue, 15);
    finish();
}

Test(send_source, a_file_waits_behind_its_header)
{
    const struct send_source source = {.size = 500, .buffer = &buffer, .fd = 7, .offset = 30};
    start();
    cr_assert_eq(send_source_enqueue(&source, pools, &queue, bytes, 4), 0);
    cr_expect_eq(queue.queued_bytes, 504);
    expect_pieces(1, NULL, "its header");
    const struct segment *file = send_queue_file(&queue);
    cr_assert_not_null(file);
    cr_expect(file->fd == 7 && file->offset == 30 && file->size == 500 && file->buffer == &buffer);
    send_queue_drop(pools, &queue);
    finish();
}

Test(send_source, a_file_of_no_bytes_is_its_header)
{
    const struct send_source nothing = {.buffer = &buffer, .fd = 7};
    start();
    cr_assert_eq(send_source_enqueue(&nothing, pools, &queue, bytes, 4), 0);
    expect_pieces(1, NULL, "its header");
    cr_expect(queue.first == NULL && queue.queued_bytes == 0);
    finish();
}

/* They go with its first byte, so it shares no piece. */
Test(send_source, with_descriptors_has_a_piece_of_its_own)
{
    const struct iovec piece = {bytes, 10};
    const struct send_source source = {.pieces = &piece, .count = 1, .size = 10, .rights = &other};
    struct iovec pieces[PIECES];
    start();
    cr_assert_eq(enqueue(NULL, 0, 10, NULL, 0), 0);
    cr_assert_eq(send_source_enqueue(&source, pools, &queue, bytes + AT, 4), 0);
    cr_expect(atomic_load(&other.refs) == 2 && queue.queued_bytes == 24);
    expect_pieces(1, NULL, "what came before");
    cr_expect_eq(send_queue_rights(&queue), &other);
    cr_assert(send_queue_gather(&queue, pieces, PIECES) == 1 && pieces[0].iov_len == 14);
    cr_expect(memcmp(pieces[0].iov_base, bytes + AT, 4) == 0 &&
              memcmp((uint8_t *)pieces[0].iov_base + 4, bytes, 10) == 0);
    send_queue_sent(pools, &queue, 14);
    finish();
}

static const struct iovec one = {bytes + AT, LARGE};
static const struct send_source sources[] = {
    {.pieces = &one, .count = 1, .size = LARGE},
    {.pieces = &one, .count = 1, .size = LARGE, .buffer = &buffer},
    {.pieces = &one, .count = 1, .size = LARGE, .rights = &other},
    {.size = LARGE, .buffer = &buffer, .fd = 7},
};

/* Whichever allocation fails nothing is queued, and nothing kept. */
Test(send_source, without_memory_nothing_is_queued)
{
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
        for (int own = 0; own < 2; own++) {
            int result = -ENOMEM;
            for (uint64_t nth = 1; result < 0; nth++) {
                start();
                memory_fail_nth(nth);
                result = send_source_enqueue(&sources[i], pools, &queue,
                                             own ? bytes + AT - 4 : bytes, 4);
                memory_fail_nth(0);
                cr_expect(result == 0 || result == -ENOMEM);
                cr_expect_eq(queue.queued_bytes, result == 0 ? LARGE + 4 : 0, "%zu", i);
                cr_expect(result == 0 || queue.first == NULL, "%zu: a piece is left", i);
                cr_assert_lt(nth, 4);
                finish();
            }
        }
}

Test(send_source, of_nothing_is_nothing)
{
    const struct send_source nothing = {0};
    start();
    cr_expect_eq(send_source_enqueue(&nothing, pools, &queue, NULL, 0), 0);
    cr_expect(queue.first == NULL && queue.queued_bytes == 0);
    finish();
}
