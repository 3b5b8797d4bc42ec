/* SPDX-License-Identifier: MIT */
/* A pool without a ring, which is how it is without a kernel that picks. */
#include "runtime/buffer/buffer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"

enum { COUNT = 4, SIZE = 256, NOBODY = 255 };

static atomic_int wakes;

static void wake(uint32_t scheduler)
{
    cr_assert(scheduler == NOBODY);
    atomic_fetch_add(&wakes, 1);
}

static int released_soon;

static void release_soon(void *context)
{
    cr_assert(context == &released_soon);
    released_soon++;
}

static struct buffer_pool *open_pool(void)
{
    const struct buffer_pool_config config = {
        .scheduler = NOBODY,
        .count = COUNT,
        .size = SIZE,
        .wake = wake,
        .release_soon = release_soon,
        .context = &released_soon,
    };
    struct buffer_pool *pool;
    cr_assert(buffer_pool_open(&pool, &config) == 0);
    cr_assert(buffer_pool_available(pool) == COUNT);
    return pool;
}

static void *release(void *data)
{
    buffer_release(data);
    return NULL;
}

static void release_elsewhere(struct weir_buffer *buffer)
{
    pthread_t thread;
    pthread_create(&thread, NULL, release, buffer);
    pthread_join(thread, NULL);
}

Test(buffer, each_is_given_once)
{
    int64_t blocks = memory_live_count();
    struct buffer_pool *pool = open_pool();
    struct weir_buffer *buffers[COUNT];
    for (int i = 0; i < COUNT; i++) {
        buffers[i] = buffer_pool_take(pool);
        cr_assert(buffers[i]->capacity == SIZE);
        cr_assert(buffer_pool_at(pool, buffers[i]->index) == buffers[i]);
        memset(buffers[i]->bytes, i, SIZE);
    }
    cr_assert(buffer_pool_take(pool) == NULL && buffer_pool_available(pool) == 0);
    for (int i = 0; i < COUNT; i++) {
        cr_assert(buffers[i]->bytes[0] == i && buffers[i]->bytes[SIZE - 1] == i);
        buffer_dispatched(buffers[i]);
    }
    cr_assert(buffer_pool_available(pool) == COUNT);
    buffer_pool_close(pool);
    cr_assert(memory_live_count() == blocks);
}

Test(buffer, who_keeps_one_has_it)
{
    struct buffer_pool *pool = open_pool();
    struct weir_buffer *buffer = buffer_pool_take(pool);
    buffer_keep(buffer);
    buffer_keep(buffer);
    buffer_dispatched(buffer);
    cr_assert(pool->lent == 1 && buffer_pool_available(pool) == COUNT - 1);
    buffer_release(buffer);
    cr_assert(pool->lent == 1);
    buffer_release(buffer);
    cr_assert(pool->lent == 0 && buffer_pool_available(pool) == COUNT);
    buffer_pool_close(pool);
}

Test(buffer, kept_and_released_within_its_dispatch)
{
    struct buffer_pool *pool = open_pool();
    struct weir_buffer *buffer = buffer_pool_take(pool);
    buffer_keep(buffer);
    buffer_release(buffer);
    buffer_dispatched(buffer);
    cr_assert(pool->lent == 0 && buffer_pool_available(pool) == COUNT);
    buffer_pool_close(pool);
}

Test(buffer, other_threads_return_it)
{
    struct buffer_pool *pool = open_pool();
    struct weir_buffer *buffer = buffer_pool_take(pool);
    buffer_keep(buffer);
    buffer_dispatched(buffer);
    release_elsewhere(buffer);
    cr_assert_eq(atomic_load(&wakes), 1);
    cr_assert(buffer_pool_has_returns(pool) && buffer_pool_available(pool) == COUNT - 1);
    buffer_pool_collect(pool);
    cr_assert(!buffer_pool_has_returns(pool) && buffer_pool_available(pool) == COUNT);
    cr_assert(pool->lent == 0);
    buffer_pool_close(pool);
}

enum { MANY = 4096, THREADS = 2 };

static struct weir_buffer *many[MANY];
static pthread_barrier_t beginning;

/* Every second one. */
static void *release_many(void *first)
{
    pthread_barrier_wait(&beginning);
    for (size_t i = *(const size_t *)first; i < MANY; i += THREADS)
        buffer_release(many[i]);
    return NULL;
}

Test(buffer, none_is_lost_that_threads_return_at_once)
{
    const struct buffer_pool_config config = {
        .scheduler = NOBODY, .count = MANY, .size = 16, .wake = wake};
    const size_t firsts[THREADS] = {0, 1};
    pthread_t threads[THREADS];
    struct buffer_pool *pool;
    cr_assert_eq(buffer_pool_open(&pool, &config), 0);
    for (size_t i = 0; i < MANY; i++) {
        many[i] = buffer_pool_take(pool);
        buffer_keep(many[i]);
        buffer_dispatched(many[i]);
    }
    pthread_barrier_init(&beginning, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, release_many, (void *)&firsts[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    buffer_pool_collect(pool);
    cr_expect(buffer_pool_available(pool) == MANY && pool->lent == 0);
    cr_expect_eq(atomic_load(&wakes), MANY);
    buffer_pool_close(pool);
}

/* Whoever has the last of a closed pool's buffers frees the pool with it. */
Test(buffer, orphans_outlive_their_pool)
{
    int64_t blocks = memory_live_count();
    struct buffer_pool *pool = open_pool();
    struct weir_buffer *kept[3];
    for (int i = 0; i < 3; i++) {
        kept[i] = buffer_pool_take(pool);
        memset(kept[i]->bytes, 'a' + i, SIZE);
        buffer_keep(kept[i]);
        buffer_dispatched(kept[i]);
    }
    release_elsewhere(kept[0]); /* not collected before the end */
    buffer_pool_close(pool);
    cr_assert(kept[1]->bytes[SIZE - 1] == 'b' && kept[2]->bytes[0] == 'c');
    release_elsewhere(kept[1]);
    cr_assert(kept[2]->bytes[SIZE - 1] == 'c');
    cr_assert(memory_live_count() > blocks);
    buffer_release(kept[2]);
    cr_assert(memory_live_count() == blocks);
}

/* Between the mark and the sum. */
Test(buffer, the_last_may_come_back_while_the_pool_is_closed)
{
    int64_t blocks = memory_live_count();
    struct buffer_pool *pool = open_pool();
    buffer_keep(buffer_pool_take(pool));
    buffer_dispatched(&pool->buffers[0]);
    atomic_fetch_sub(&pool->orphans, 1); /* as who returns it then does */
    buffer_pool_close(pool);
    cr_expect_eq(memory_live_count(), blocks);
}

Test(buffer, a_closed_pool_has_no_pages)
{
    unsigned char is_there;
    struct buffer_pool *pool = open_pool();
    uint8_t *pages = pool->memory;
    cr_expect_eq(mincore(pages, 1, &is_there), 0);
    buffer_pool_close(pool);
    cr_expect(mincore(pages, 1, &is_there) < 0 && errno == ENOMEM);
}

/* Two threads return the last two at once, while the pool closes. */
static void *keep_away(void *data)
{
    struct weir_buffer *buffer = data;
    cr_expect(buffer->bytes[0] == 'x');
    buffer_release(buffer);
    return NULL;
}

Test(buffer, closing_races_with_returning)
{
    int64_t blocks = memory_live_count();
    for (int round = 0; round < 300; round++) {
        struct buffer_pool *pool = open_pool();
        pthread_t threads[COUNT];
        for (int i = 0; i < COUNT; i++) {
            struct weir_buffer *buffer = buffer_pool_take(pool);
            buffer->bytes[0] = 'x';
            buffer_keep(buffer);
            buffer_dispatched(buffer);
            pthread_create(&threads[i], NULL, keep_away, buffer);
        }
        buffer_pool_close(pool);
        for (int i = 0; i < COUNT; i++)
            pthread_join(threads[i], NULL);
    }
    cr_assert(memory_live_count() == blocks);
}

static void note(void *data)
{
    ++*(int *)data;
}

Test(buffer, blocks_and_other_peoples_memory)
{
    int64_t blocks = memory_live_count();
    int released = 0;
    struct weir_buffer *block = buffer_allocate(100);
    struct weir_buffer *adopted = buffer_adopt("abc", 3, note, &released);
    cr_assert(block->capacity == 100 && adopted->capacity == 3);
    memset(block->bytes, 1, 100);
    buffer_keep(adopted);
    release_elsewhere(adopted);
    cr_assert(released == 0);
    buffer_release(adopted);
    cr_assert(released == 1);
    buffer_release(block);
    cr_assert(memory_live_count() == blocks);
}

/* Who is told may release more, or give more memory: it is told of that the next time. */
Test(buffer, a_pool_tells_of_other_peoples_memory_later)
{
    int released = 0;
    struct buffer_pool *pool = open_pool();
    released_soon = 0;
    for (int round = 0; round < 2; round++) {
        buffer_release(buffer_adopt("abc", 3, note, &released));
        buffer_release(buffer_adopt("def", 3, note, &released));
        cr_assert(released == 2 * round && released_soon == round + 1);
        buffer_pool_tell_released(pool);
        cr_assert(released == 2 * round + 2);
    }
    buffer_release(buffer_adopt("ghi", 3, note, &released));
    buffer_pool_close(pool);
    cr_assert(released == 5);
}

/* Of 400 buffers three quarters by large bytes, one by small ones that more came behind. */
static const struct {
    size_t size;
    size_t filled;
    uint32_t lent;
    bool held;
} holders[] = {
    {4096, 4096, 299, true},  {4096, 4096, 300, false}, {4095, 4096, 99, true},
    {4095, 4096, 100, false}, {4095, 4095, 0, false},   {10, 11, 99, true},
    {10, 10, 0, false},
};

Test(buffer, may_be_held_while_most_are_at_hand)
{
    static uint8_t bytes[4096];
    struct buffer_pool pool = {.count = 400};
    struct buffer_pool other = {.count = 400};
    buffer_pool_own(&pool);
    for (size_t i = 0; i < sizeof(holders) / sizeof(holders[0]); i++) {
        struct weir_buffer buffer = {.pool = &pool, .bytes = bytes, .filled = holders[i].filled};
        pool.lent = holders[i].lent;
        cr_expect_eq(buffer_may_be_held(&buffer, bytes, holders[i].size), holders[i].held,
                     "row %zu", i);
        buffer.pool = &other;
        cr_expect(!buffer_may_be_held(&buffer, bytes, holders[i].size), "row %zu: another's", i);
        buffer.pool = NULL;
        cr_expect_eq(buffer_may_be_held(&buffer, bytes, holders[i].size), holders[i].size >= 4096,
                     "row %zu: a block", i);
    }
    buffer_pool_own(NULL);
}

/* Where a sanitizer watches nothing is used again. */
Test(buffer, one_that_is_used_again_is_as_new)
{
    int64_t blocks = memory_live_count();
    struct buffer_pool *pool = open_pool();
    struct weir_buffer *block = buffer_allocate(100000);
    block->shelf = (struct shelf *)pool;
    buffer_release(block);
    struct weir_buffer *again = buffer_allocate(100000);
    cr_assert_not_null(again);
    cr_expect(again->shelf == NULL && atomic_load(&again->refs) == 1);
    cr_expect_null(buffer_reuse(100000), "there was one");
    buffer_release(again);
    buffer_pool_close(pool);
    cr_expect_eq(memory_live_count(), blocks);
}

Test(buffer, one_that_others_hold_does_not_grow)
{
    struct weir_buffer *block = buffer_allocate(10);
    memcpy(block->bytes, "0123456789", 10);
    buffer_keep(block);
    cr_expect_null(buffer_grow(block, 1000));
    buffer_release(block);
    block = buffer_grow(block, 100000);
    cr_assert_not_null(block);
    cr_expect_eq(block->capacity, 100000);
    cr_expect_eq(memcmp(block->bytes, "0123456789", 10), 0);
    memory_fail_nth(1);
    cr_expect_null(buffer_grow(block, 200000));
    memory_fail_nth(0);
    cr_expect_eq(memcmp(block->bytes, "0123456789", 10), 0);
    buffer_release(block);
}

/* In the order in which they were released. */
static char order[8];

static void note_order(void *data)
{
    order[strlen(order)] = *(const char *)data;
}

Test(buffer, the_first_that_was_released_is_told_first)
{
    struct buffer_pool *pool = open_pool();
    char names[] = "abc";
    for (int i = 0; i < 3; i++)
        buffer_release(buffer_adopt("", 0, note_order, &names[i]));
    buffer_pool_tell_released(pool);
    cr_expect_str_eq(order, "abc");
    buffer_pool_close(pool);
}

Test(buffer, a_pool_needs_memory_for_all_it_has)
{
    const struct buffer_pool_config config = {.scheduler = NOBODY, .count = COUNT, .size = SIZE};
    int64_t blocks = memory_live_count();
    struct buffer_pool *pool;
    for (uint64_t nth = 1; nth <= 3; nth++) {
        memory_fail_nth(nth);
        cr_expect_eq(buffer_pool_open(&pool, &config), -ENOMEM);
        memory_fail_nth(0);
        cr_expect_eq(memory_live_count(), blocks);
    }
}
