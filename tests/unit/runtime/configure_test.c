/* SPDX-License-Identifier: MIT */
/* A program that was built with a newer header hears that this library does not know its field. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <weir/weir.h>

Test(configure, a_field_of_a_newer_header_is_refused)
{
    enum { RESERVED_COUNT = sizeof((weir_config){0}.reserved) / sizeof(uint64_t) };
    for (int i = 0; i < RESERVED_COUNT; i++) {
        weir_runtime *runtime;
        weir_config config = {.schedulers = 1};
        config.reserved[i] = 1;
        cr_assert_eq(weir_start(&runtime, &config), -EINVAL);
        cr_expect(strstr(weir_last_error_text(), "reserved"));
    }
}
