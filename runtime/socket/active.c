/* SPDX-License-Identifier: MIT */
#include "runtime/socket/active.h"

#include <errno.h>

#include "base/error.h"
#include <weir/options.h>

enum { ACTIVE_COUNT_MAX = 32767 };

static bool is_count(int32_t active)
{
    return active >= -ACTIVE_COUNT_MAX - 1 && active <= ACTIVE_COUNT_MAX;
}

int active_next(int32_t present, int32_t wanted, int32_t *next)
{
    *next = is_count(wanted) && is_count(present) ? present + wanted : wanted;
    if (is_count(wanted) && *next > ACTIVE_COUNT_MAX)
        return error_say(-EINVAL, "option active: more than %d messages", ACTIVE_COUNT_MAX);
    return 0;
}

/* The sum of two counts may lie below the range of one. */
bool active_is_spent(int32_t active)
{
    return active <= 0;
}

/* Once means exactly one, and the mode changes before the message is seen. */
bool active_count_down(int32_t *active)
{
    if (*active == WEIR_ACTIVE_TRUE)
        return false;
    if (*active == WEIR_ACTIVE_ONCE) {
        *active = WEIR_ACTIVE_FALSE;
        return false;
    }
    if (--*active > 0)
        return false;
    *active = WEIR_ACTIVE_FALSE;
    return true;
}
