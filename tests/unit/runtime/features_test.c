/* SPDX-License-Identifier: MIT */
/* Lists that are read from text: kernel features, and cores. */
#include "runtime/ring/features.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "address/inet_config.h"
#include "base/error.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/cpus.h"

static uint32_t parse(const char *text)
{
    uint32_t off = 0xFFFF;
    cr_assert(features_parse(text, &off) == 0, "%s: %s", text, weir_last_error_text());
    return off;
}

Test(features, are_switched_off_by_name)
{
    cr_expect(parse(NULL) == 0);
    cr_expect(parse("") == 0);
    cr_expect(parse(" , ,") == 0);
    cr_expect(parse("send_zc") == FEATURE_BIT(SEND_ZC));
    cr_expect(parse("send_zc,defer_taskrun no_iowait") ==
              (FEATURE_BIT(SEND_ZC) | FEATURE_BIT(DEFER_TASKRUN) | FEATURE_BIT(NO_IOWAIT)));
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        cr_expect(parse(feature_rows[i].name) == 1u << i);
}

Test(features, are_switched_off_by_kernel)
{
    cr_expect(parse("kernel=99.0") == 0 && parse("kernel=10.0") == 0);
    cr_expect(parse("kernel=6.10") == (FEATURE_BIT(NO_IOWAIT) | FEATURE_BIT(MIN_WAIT)));
    cr_expect(parse("kernel=6.1") ==
              (FEATURE_BIT(NO_IOWAIT) | FEATURE_BIT(MIN_WAIT) | FEATURE_BIT(SEND_ZC)));
    cr_expect(parse("kernel=6.15") == 0);
    cr_expect(parse("kernel=6.14") == FEATURE_BIT(NO_IOWAIT));
    cr_expect(parse("kernel=5.18") == (FEATURE_ALL & ~FEATURE_BIT(REGISTERED_RING)));
    cr_expect(parse("kernel=6.0,buffer_ring") ==
              (FEATURE_BIT(NO_IOWAIT) | FEATURE_BIT(MIN_WAIT) | FEATURE_BIT(DEFER_TASKRUN) |
               FEATURE_BIT(SEND_ZC) | FEATURE_BIT(BUFFER_RING)));
}

Test(features, wrong_names_are_named)
{
    static const char *const wrong[] = {
        "warp",        "send_zc,warp", "kernel=",
        "kernel=6",    "kernel=x.y",   "kernel=6.x",
        "kernel=6.1x", "kernel=6.1.",  "kernel=a.1",
        "kernel=6.a",  "kernel=-6.1",  "a_name_that_is_longer_than_any_feature_will_ever_be"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint32_t off;
        cr_expect(features_parse(wrong[i], &off) == -EINVAL, "%s", wrong[i]);
        cr_expect(strstr(weir_last_error_text(), "no feature is named") != NULL);
    }
    uint32_t off;
    cr_expect(features_parse("a_name_of_thirty_and_two_letters", &off) == -EINVAL);
}

/* Cores are counted from those that this process may use. */
static int first_core(void)
{
    int cpus[64];
    cr_assert(cpus_allowed(cpus, 64) >= 1);
    return cpus[0];
}

Test(cpus, lists_and_ranges)
{
    char text[64];
    int core = first_core();
    int cpus[4];
    snprintf(text, sizeof(text), "%d", core);
    cr_expect(cpus_parse(text, cpus, 4) == 1 && cpus[0] == core);
    snprintf(text, sizeof(text), "%d-%d,%d", core, core, core);
    cr_expect(cpus_parse(text, cpus, 4) == 2 && cpus[1] == core);
    snprintf(text, sizeof(text), "%d,%d,%d", core, core, core);
    cr_expect(cpus_parse(text, cpus, 2) == -EINVAL);
}

Test(cpus, what_is_no_list)
{
    static const char *const wrong[] = {
        "",    ",",   "0,",    "x",   "0-",       "-1",   "1-0",
        "0;1", "0 1", "0-0-0", "0x1", "99999999", "0,,0", "9223372036854775808"};
    int cpus[64];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect(cpus_parse(wrong[i], cpus, 64) == -EINVAL, "%s", wrong[i]);
        cr_expect(strstr(weir_last_error_text(), "cpus") != NULL);
    }
}

/* No names are no wish. */
Test(cpus, an_empty_list_pins_nobody)
{
    int cpus[64];
    struct weir_runtime runtime = {0};
    weir_config config = {.cpus = "", .schedulers = (uint32_t)cpus_allowed(cpus, 63) + 1};
    cr_assert(runtime_configure(&runtime, &config) == 0, "%s", weir_last_error_text());
    for (uint32_t i = 0; i < runtime.scheduler_count; i++)
        cr_expect(runtime.cpus[i] == -1);
    inet_config_free(runtime.naming.inet);
}

Test(cpus, cores_that_are_not_ours)
{
    cpu_set_t one;
    int cpus[64];
    char text[16];
    int core = first_core();
    CPU_ZERO(&one);
    CPU_SET((unsigned)core, &one);
    cr_assert(sched_setaffinity(0, sizeof(one), &one) == 0);
    cr_expect(cpus_allowed(cpus, 64) == 1);
    snprintf(text, sizeof(text), "%d", core + 1);
    cr_expect(cpus_parse(text, cpus, 64) == -EINVAL);
}
