/* SPDX-License-Identifier: MIT */
#include "runtime/buffer/block_cache.h"

#include <criterion/criterion.h>

#include "base/memory.h"
#include "runtime/buffer/buffer.h"

static struct weir_buffer *block_of(size_t size)
{
    struct weir_buffer *block = memory_allocate(sizeof(*block) + size);
    *block = (struct weir_buffer){.capacity = size};
    return block;
}

/* Where a sanitizer watches nothing is cached. */
static bool caches(void)
{
    struct block_cache cache = {0};
    struct weir_buffer *block = block_of(1 << 20);
    bool put = block_cache_put(&cache, block);
    if (!put)
        memory_free(block);
    block_cache_empty(&cache);
    return put;
}

Test(block_cache, the_newest_that_fits)
{
    struct block_cache cache = {0};
    if (!caches())
        cr_skip_test("nothing is cached under a sanitizer");
    struct weir_buffer *older = block_of(1 << 20);
    struct weir_buffer *newer = block_of(1 << 20);
    struct weir_buffer *small = block_of(100000);
    cr_assert(block_cache_put(&cache, older) && block_cache_put(&cache, newer) &&
              block_cache_put(&cache, small));
    cr_assert(block_cache_take(&cache, 1 << 20) == newer);
    cr_assert(block_cache_take(&cache, 1000000) == older);
    cr_assert(block_cache_take(&cache, 100001) == NULL, "it is too small");
    cr_assert(block_cache_take(&cache, 49999) == NULL, "it would waste more than it gives");
    cr_assert(block_cache_take(&cache, 50000) == small);
    cr_assert(cache.newest == NULL && cache.bytes == 0);
    memory_free(older);
    memory_free(newer);
    memory_free(small);
}

Test(block_cache, small_ones_and_those_over_the_limit_are_not_taken)
{
    struct block_cache cache = {0};
    struct weir_buffer *small = block_of(1000);
    cr_assert(!block_cache_put(&cache, small));
    memory_free(small);
    int64_t before = memory_live_count();
    for (int i = 0; i < 100; i++) {
        struct weir_buffer *block = block_of(1 << 20);
        if (!block_cache_put(&cache, block))
            memory_free(block);
    }
    cr_assert_eq(cache.bytes, caches() ? 8 << 20 : 0, "it is filled, and no more");
    block_cache_empty(&cache);
    cr_assert(cache.bytes == 0 && memory_live_count() == before);
}

/* From 64 KiB on, and among the last four: who looks further looks for long. */
Test(block_cache, the_oldest_are_not_looked_for)
{
    struct block_cache cache = {0};
    if (!caches())
        cr_skip_test("nothing is cached under a sanitizer");
    cr_assert(block_cache_put(&cache, block_of(64 << 10)));
    for (int i = 0; i < 3; i++)
        cr_assert(block_cache_put(&cache, block_of(1 << 20)));
    struct weir_buffer *oldest = block_cache_take(&cache, 64 << 10);
    cr_assert_not_null(oldest);
    cr_assert(block_cache_put(&cache, oldest));
    for (int i = 0; i < 4; i++)
        cr_assert(block_cache_put(&cache, block_of(1 << 20)));
    cr_expect_null(block_cache_take(&cache, 64 << 10));
    block_cache_empty(&cache);
}
