/* SPDX-License-Identifier: MIT */
/* The numbers of options are part of the binary interface: none ever changes. */
#include "options/row.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static const struct {
    int number;
    const char *atom;
} numbers[] = {
#define NUMBER(number, atom) {number, #atom},
#include "numbers.inc"
};

enum { NUMBER_COUNT = sizeof(numbers) / sizeof(numbers[0]) };

Test(numbers, each_option_has_the_number_that_it_had)
{
    for (int i = 0; i < NUMBER_COUNT; i++) {
        cr_expect(eq(int, numbers[i].number, i + 1), "%s", numbers[i].atom);
        cr_expect(eq(int, (int)weir_option_from_name(numbers[i].atom), numbers[i].number), "%s",
                  numbers[i].atom);
    }
}

Test(numbers, an_option_that_is_new_is_on_the_list)
{
    cr_expect(eq(int, NUMBER_COUNT, WEIR_OPTION_COUNT - 1));
}

Test(numbers, names_are_in_order)
{
    for (size_t i = 1; i < OPTION_ROW_COUNT; i++) {
        const char *before = option_rows[option_in_order(i - 1)].atom;
        const char *atom = option_rows[option_in_order(i)].atom;
        cr_expect(lt(int, strcmp(before, atom), 0), "%s", atom);
    }
}
