/* SPDX-License-Identifier: MIT */
#include "address/address.h"
#include "base/error.h"

#include <criterion/criterion.h>
#include <errno.h>

enum { CAPACITY = 4 };

/* The first address as text, or the error's name. */
static const char *resolved(const char *host, enum weir_family family)
{
    static char text[WEIR_ADDRESS_TEXT_SIZE];
    weir_address addresses[CAPACITY];
    int count = address_resolve(host, family, addresses, CAPACITY);
    if (count < 0)
        return weir_error_name(count);
    cr_assert_gt(count, 0);
    for (int i = 0; i < count; i++)
        cr_assert_eq(addresses[i].family, family);
    return weir_address_format(&addresses[0], text);
}

Test(resolve, literals)
{
    cr_expect_str_eq(resolved("127.1", WEIR_INET), "127.0.0.1");
    cr_expect_str_eq(resolved("0x7f000001", WEIR_INET), "127.0.0.1");
    cr_expect_str_eq(resolved("::1", WEIR_INET6), "::1");
    cr_expect_str_eq(resolved("fe80::1%02", WEIR_INET6), "fe80::1%02");
}

Test(resolve, literals_of_the_other_family)
{
    cr_expect_str_eq(resolved("127.0.0.1", WEIR_INET6), "nxdomain");
    cr_expect_str_eq(resolved("::1", WEIR_INET), "nxdomain");
    cr_expect_str_eq(weir_last_error_text(), "host '::1': an address of the other family");
}

Test(resolve, localhost)
{
    cr_expect_str_eq(resolved("localhost", WEIR_INET), "127.0.0.1");
    cr_expect_str_eq(weir_last_error_text(), "");
}

/* RFC 6761: no resolver may know a name under "invalid". */
Test(resolve, no_such_name)
{
    cr_expect_str_eq(resolved("no-such-host.invalid", WEIR_INET), "nxdomain");
    cr_expect(strstr(weir_last_error_text(), "host 'no-such-host.invalid': "));
    cr_expect_str_eq(resolved("1.2.3.4.5", WEIR_INET), "nxdomain");
}

Test(resolve, what_is_no_name)
{
    cr_expect_str_eq(resolved("", WEIR_INET), "einval");
    cr_expect_str_eq(resolved(NULL, WEIR_INET), "einval");
    cr_expect_str_eq(resolved("a b", WEIR_INET), "einval");
    cr_expect_str_eq(resolved("a\x7f", WEIR_INET), "einval");
    cr_expect_str_eq(resolved("\xc3\xa9", WEIR_INET), "einval");
    cr_expect_str_eq(resolved("localhost", WEIR_ANY_FAMILY), "einval");
    cr_expect_str_eq(resolved("localhost", (enum weir_family)1), "einval");
}

Test(resolve, no_more_than_there_is_room_for)
{
    weir_address address = {.port = 7};
    cr_expect_eq(address_resolve("127.0.0.1", WEIR_INET, &address, 0), 0);
    cr_expect_eq(address.port, 7);
    cr_expect_eq(address_resolve("localhost", WEIR_INET, &address, 1), 1);
    cr_expect_eq(address.port, 0);
}
