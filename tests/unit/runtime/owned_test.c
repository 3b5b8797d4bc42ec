/* SPDX-License-Identifier: MIT */
#include "runtime/owner/owned.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/memory.h"

static uint64_t id_of(uint32_t scheduler, uint32_t number)
{
    return (uint64_t)scheduler << 56 | 1ull << 32 | number;
}

Test(owned, what_was_added_is_taken)
{
    struct owned owned = {0};
    for (uint32_t i = 1; i <= 100; i++)
        owned_add(&owned, id_of(i % 2, i));
    cr_assert(owned.count == 100);
    for (int i = 0; i < 50; i++)
        cr_assert(owned_take(&owned, 1) >> 56 == 1);
    cr_assert(owned_take(&owned, 1) == 0);
    cr_assert(owned.count == 50);
    owned_free(&owned);
    cr_assert(memory_live_count() == 0);
}

Test(owned, one_that_is_added_twice_is_there_once)
{
    struct owned owned = {0};
    owned_add(&owned, id_of(0, 7));
    owned_add(&owned, id_of(0, 7));
    cr_assert(owned.count == 1);
    owned_remove(&owned, id_of(0, 7));
    owned_remove(&owned, id_of(0, 7));
    cr_assert(owned.count == 0 && owned_take(&owned, 0) == 0);
    owned_free(&owned);
}

/* Beside a table of marks. */
Test(owned, random_adds_and_removes)
{
    enum { NUMBERS = 200 };
    bool there[NUMBERS] = {false};
    struct owned owned = {0};
    uint32_t count = 0;
    srand(1);
    for (int i = 0; i < 20000; i++) {
        uint32_t number = (uint32_t)rand() % NUMBERS;
        if (rand() % 2) {
            owned_add(&owned, id_of(3, number + 1));
            count += !there[number];
            there[number] = true;
        } else {
            owned_remove(&owned, id_of(3, number + 1));
            count -= there[number];
            there[number] = false;
        }
        cr_assert(owned.count == count);
    }
    for (uint64_t id; (id = owned_take(&owned, 3)) != 0; count--) {
        cr_assert(there[(uint32_t)id - 1]);
        there[(uint32_t)id - 1] = false;
    }
    cr_assert(count == 0);
    owned_free(&owned);
}

/* Each costs the same, or this would take minutes. */
Test(owned, very_many_are_taken, .timeout = 20)
{
    enum { MANY = 200000 };
    struct owned owned = {0};
    for (uint32_t i = 1; i <= MANY; i++)
        owned_add(&owned, id_of(i % 2, i));
    for (uint32_t i = 0; i < MANY; i++)
        cr_assert(owned_take(&owned, i < MANY / 2) >> 56 == (i < MANY / 2));
    cr_assert(owned.count == 0);
    owned_free(&owned);
}

Test(owned, without_memory_it_knows_that_it_is_incomplete)
{
    struct owned owned = {0};
    memory_fail_nth(1);
    owned_add(&owned, id_of(0, 1));
    cr_assert(owned.incomplete && owned.count == 0);
    owned_add(&owned, id_of(0, 2));
    cr_assert(owned.count == 1);
    owned_free(&owned);
}
