/* SPDX-License-Identifier: MIT */
#include "address/name.h"

#include <criterion/criterion.h>
#include <string.h>

Test(name, case_of_ascii_letters_makes_no_difference)
{
    cr_expect(name_equals("AZaz09", "azAZ09"));
    cr_expect(name_equals("", ""));
    cr_expect_not(name_equals("a", "ab"));
    cr_expect_not(name_equals("ab", "a"));
    cr_expect_not(name_equals("@", "`"), "below A");
    cr_expect_not(name_equals("[", "{"), "above Z");
}

/* FNV-1a, as its authors give it; of what compares equal the same. */
Test(name, hash)
{
    cr_expect_eq(name_hash(""), 0x811c9dc5u);
    cr_expect_eq(name_hash("a"), 0xe40c292cu);
    cr_expect_eq(name_hash("foobar"), 0xbf9cf968u);
    cr_expect_eq(name_hash("FooBar"), 0xbf9cf968u);
    cr_expect_eq(name_hash("\xff"), name_hash("\xff"));
}

Test(name, visible)
{
    cr_expect(name_is_visible("!~"));
    cr_expect_not(name_is_visible("a b"));
    cr_expect_not(name_is_visible("a\x7f"));
    cr_expect_not(name_is_visible("\xc3\xa4"));
    cr_expect_not(name_is_visible(""));
    cr_expect_not(name_is_visible(NULL));
}

Test(name, dots)
{
    cr_expect(name_has_inner_dot("a.b"));
    cr_expect(name_has_inner_dot("a.b."));
    cr_expect(name_has_inner_dot(".b"));
    cr_expect_not(name_has_inner_dot("ab."));
    cr_expect_not(name_has_inner_dot("ab"));
    cr_expect(name_ends_in_dot("."));
    cr_expect(name_ends_in_dot("a."));
    cr_expect_not(name_ends_in_dot("a.b"));
    cr_expect_not(name_ends_in_dot(""));
}

Test(name, fits_dns)
{
    char name[260];
    memset(name, 'a', sizeof(name));
    for (size_t i = 63; i < sizeof(name); i += 64)
        name[i] = '.';
    name[253] = '\0';
    cr_expect(name_fits_dns(name), "labels of 63, 253 in all");
    name[253] = '.';
    name[254] = '\0';
    cr_expect(name_fits_dns(name), "and a dot");
    name[253] = 'a';
    cr_expect_not(name_fits_dns(name), "254");
    name[253] = '\0';
    name[63] = 'a';
    cr_expect_not(name_fits_dns(name), "a label of 127");
    name[64] = '\0';
    cr_expect_not(name_fits_dns(name), "a label of 64");
    cr_expect_not(name_fits_dns(""));
    cr_expect_not(name_fits_dns("."));
    cr_expect_not(name_fits_dns("a..b"));
    cr_expect_not(name_fits_dns(".a"));
    cr_expect_not(name_fits_dns("a.."));
    cr_expect(name_fits_dns("a"));
}
