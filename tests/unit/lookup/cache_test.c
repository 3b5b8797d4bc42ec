/* SPDX-License-Identifier: MIT */
#include "address/hostent.h"
#include "base/memory.h"
#include "lookup/cache.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct cache cache;

static void put(const char *name, uint64_t now_ns, uint64_t lifetime_ns)
{
    const weir_address address = {.family = WEIR_INET, .bytes = {127, 0, 0, 1}};
    weir_hostent *hostent = hostent_create(name, NULL, 0, &address, 1);
    cache_put(&cache, name, ns_t_a, hostent, now_ns, lifetime_ns);
    weir_hostent_free(hostent);
}

static bool has(const char *name, uint64_t now_ns)
{
    const weir_hostent *found = cache_find(&cache, name, ns_t_a, now_ns);
    return found != NULL;
}

Test(cache, an_answer_ends_with_its_time)
{
    cr_assert_eq(cache_open(&cache, 10), 0);
    put("a", 100, 50);
    cr_expect(has("A", 149));
    cr_expect_null(cache_find(&cache, "a", ns_t_aaaa, 149));
    cr_expect_not(has("a", 150));
    cr_expect_eq(cache.count, 0u);
    put("b", 100, 0);
    cr_expect_not(has("b", 100));
    put("c", 100, 10);
    put("d", 100, 20);
    cache_remove_expired(&cache, 110);
    cr_expect_eq(cache.count, 1u);
    cr_expect(has("d", 110));
    cache_close(&cache);
    cr_expect_eq(memory_live_count(), 0);
}

Test(cache, what_was_used_least_recently_goes_first)
{
    cr_assert_eq(cache_open(&cache, 3), 0);
    put("a", 0, 100);
    put("b", 0, 100);
    put("c", 0, 100);
    cr_expect(has("a", 1));
    put("d", 1, 100);
    cr_expect(has("a", 1));
    cr_expect_not(has("b", 1));
    put("c", 2, 100);
    cr_expect_eq(cache.count, 3u);
    cache_clear(&cache);
    cr_expect_not(has("a", 1));
    cache_close(&cache);
    cr_expect_eq(memory_live_count(), 0);
}

Test(cache, the_latest_answer_counts)
{
    cr_assert_eq(cache_open(&cache, 3), 0);
    put("a", 0, 100);
    put("A", 50, 100);
    cr_expect_eq(cache.count, 1u);
    cr_expect(has("a", 149));
    cache_close(&cache);
    cr_expect_eq(memory_live_count(), 0);
}

Test(cache, none_at_all)
{
    cr_assert_eq(cache_open(&cache, 0), 0);
    put("a", 0, 100);
    cr_expect_not(has("a", 1));
    cache_close(&cache);
}

Test(cache, one)
{
    cr_assert_eq(cache_open(&cache, 1), 0);
    put("a", 0, 100);
    put("b", 0, 100);
    cr_expect_not(has("a", 1));
    cr_expect(has("b", 1));
    cache_close(&cache);
    cr_expect_eq(memory_live_count(), 0);
}

Test(cache, many)
{
    char name[16];
    cr_assert_eq(cache_open(&cache, 1000), 0);
    for (uint32_t i = 0; i < 100000; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        put(name, i, 1000000);
        cr_assert_leq(cache.count, 1000u);
    }
    cr_expect(has("n99000", 100000));
    cr_expect_not(has("n98999", 100000));
    cache_close(&cache);
    cr_expect_eq(memory_live_count(), 0);
}

Test(cache, without_memory_it_keeps_nothing)
{
    memory_fail_nth(1);
    cr_expect_eq(cache_open(&cache, 10), -ENOMEM);
    cache_close(&cache);
    cr_assert_eq(cache_open(&cache, 10), 0);
    for (uint64_t nth = 2; nth <= 3; nth++) {
        memory_fail_nth(nth);
        put("a", 0, 100);
        cr_expect_not(has("a", 1));
    }
    memory_fail_nth(0);
    cache_close(&cache);
    cr_expect_eq(memory_live_count(), 0);
}
