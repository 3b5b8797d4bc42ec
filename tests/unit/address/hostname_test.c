/* SPDX-License-Identifier: MIT */
#include <weir/address.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* In the place of the C library's: "" is the system's own, NULL one that it does not tell. */
static const char *own_name = "";

int gethostname(char *name, size_t size)
{
    struct utsname system;
    if (!own_name || uname(&system) < 0)
        return -1;
    snprintf(name, size, "%s", *own_name ? own_name : system.nodename);
    return 0;
}

Test(hostname, is_the_systems_up_to_the_first_dot)
{
    struct utsname system;
    char name[256];
    cr_assert_eq(uname(&system), 0);
    system.nodename[strcspn(system.nodename, ".")] = '\0';
    cr_expect_str_eq(weir_gethostname(name, sizeof(name)), system.nodename);
    own_name = "me.example.com";
    cr_expect_str_eq(weir_gethostname(name, sizeof(name)), "me");
}

Test(hostname, of_a_system_that_has_none)
{
    char name[256];
    own_name = NULL;
    cr_expect_str_eq(weir_gethostname(name, sizeof(name)), "nohost");
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
