/* SPDX-License-Identifier: MIT */
#include "framing/block.h"
#include "support/guard.h"
#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>

/* One odd byte at each place of a block that ends where nothing may be read any more. */
static void check_each_place(uint8_t odd, uint8_t other, uint32_t (*look)(struct block, uint8_t),
                             bool is_found)
{
    for (uint32_t place = 0; place < BLOCK_SIZE; place++) {
        uint8_t bytes[BLOCK_SIZE];
        memset(bytes, other, sizeof(bytes));
        bytes[place] = odd;
        uint32_t found = look(block_load(guard_copy(bytes, sizeof(bytes))), ' ');
        cr_assert_eq(found, is_found ? 1u << place : 0, "%u among %u: %x", odd, other, found);
    }
}

Test(block, equal_finds_the_byte_and_no_other)
{
    for (int byte = 0; byte < 256; byte++)
        check_each_place((uint8_t)byte, 'x', block_equal, byte == ' ');
}

Test(block, at_most_finds_what_is_not_above)
{
    for (int byte = 0; byte < 256; byte++) {
        check_each_place((uint8_t)byte, 'x', block_at_most, byte <= ' ');
        check_each_place((uint8_t)byte, 0xff, block_at_most, byte <= ' ');
    }
}

Test(block, first_and_before)
{
    for (uint32_t place = 0; place < BLOCK_SIZE; place++) {
        cr_assert_eq(block_first(~0u << place), place);
        cr_assert_eq(block_bits_before(place) + 1u, 1u << place);
    }
}

Test(block, part_has_all_that_there_is_and_zeros)
{
    for (uint32_t size = 0; size <= BLOCK_SIZE; size++)
        for (uint32_t place = 0; place < BLOCK_SIZE; place++) {
            uint8_t bytes[BLOCK_SIZE];
            memset(bytes, 'x', sizeof(bytes));
            bytes[place] = ' ';
            uint32_t there = size < BLOCK_SIZE ? block_bits_before(size) : ~0u;
            struct block block = block_load_part(guard_copy(bytes, size), size);
            cr_assert_eq(block_equal(block, ' '), (1u << place) & there, "%u of %u", place, size);
            cr_assert_eq(block_equal(block, 'x'), ~(1u << place) & there, "%u of %u", place, size);
            cr_assert_eq(block_equal(block, 0), ~there, "%u of %u", place, size);
        }
}
