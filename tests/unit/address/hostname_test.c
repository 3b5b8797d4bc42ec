/* SPDX-License-Identifier: MIT */
#include <weir/address.h>

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

Test(hostname, is_the_systems_up_to_the_first_dot)
{
    char full[256] = "";
    char name[256];
    cr_assert_eq(gethostname(full, sizeof(full) - 1), 0);
    full[strcspn(full, ".")] = '\0';
    cr_expect_str_eq(weir_gethostname(name, sizeof(name)), full);
}

Test(hostname, is_cut_to_what_fits)
{
    char name[3] = "xx";
    cr_expect_eq(strlen(weir_gethostname(name, sizeof(name))), 2);
    char full[256];
    cr_expect_eq(strncmp(name, weir_gethostname(full, sizeof(full)), 2), 0);
}

Test(hostname, nothing_fits_into_nothing)
{
    char name[1] = "x";
    cr_expect_eq(weir_gethostname(name, 0), name);
    cr_expect_eq(name[0], 'x');
}
