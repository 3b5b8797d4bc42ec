/* SPDX-License-Identifier: MIT */
#include "runtime/listener/late_options.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/memory.h"

static void expect_list(weir_option *list, const char *expected)
{
    char text[256];
    cr_assert(list != NULL);
    cr_assert(weir_options_format(list, text, sizeof(text)) > 0);
    cr_expect(strcmp(text, expected) == 0, "%s, not %s", text, expected);
    memory_free(list);
}

Test(late_options, the_last_of_each_counts)
{
    const weir_option *earlier = WEIR_OPTIONS(WEIR_NODELAY(true), WEIR_TOS(8));
    expect_list(late_options_join(NULL, WEIR_OPTIONS(WEIR_TOS(8))), "[{tos,8}]");
    expect_list(late_options_join(earlier, WEIR_OPTIONS()), "[{nodelay,true},{tos,8}]");
    expect_list(late_options_join(earlier, WEIR_OPTIONS(WEIR_TOS(16), WEIR_TTL(9))),
                "[{nodelay,true},{tos,16},{ttl,9}]");
    expect_list(late_options_join(earlier, WEIR_OPTIONS(WEIR_NODELAY(false))),
                "[{tos,8},{nodelay,false}]");
}

Test(late_options, raw_ones_are_told_apart)
{
    const weir_option *earlier =
        WEIR_OPTIONS(WEIR_RAW(6, 1, "\1\0\0\0", 4), WEIR_RAW(6, 4, "\1\0\0\0", 4));
    expect_list(late_options_join(earlier, WEIR_OPTIONS(WEIR_RAW(6, 4, "\2\0\0\0", 4))),
                "[{raw,6,1,<<1,0,0,0>>},{raw,6,4,<<2,0,0,0>>}]");
}

Test(late_options, the_result_has_its_own_memory)
{
    char bytes[4] = {1, 0, 0, 0};
    weir_option *list = late_options_join(NULL, WEIR_OPTIONS(WEIR_RAW(6, 1, bytes, 4)));
    bytes[0] = 9;
    expect_list(list, "[{raw,6,1,<<1,0,0,0>>}]");
}

/* Of all that connections have of their listener the kernel gives them all but the priority. */
Test(late_options, what_the_kernel_never_gives_stays)
{
    weir_option *list =
        late_options_join(NULL, WEIR_OPTIONS(WEIR_NODELAY(true), WEIR_PRIORITY(3), WEIR_TOS(8)));
    expect_list(late_options_shorten(list), "[{priority,3}]");
    list = late_options_join(NULL, WEIR_OPTIONS(WEIR_NODELAY(true)));
    cr_expect(late_options_shorten(list) == NULL);
    cr_expect(memory_live_count() == 0);
}
