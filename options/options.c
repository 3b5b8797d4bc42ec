/* SPDX-License-Identifier: MIT */
/* Lists of options on a socket that is there: setopts, getopts, accept. */
#include "options/options.h"

#include "base/error.h"
#include "options/check.h"
#include "options/kernel.h"
#include "options/values.h"

#include <errno.h>

static int apply(const weir_option *option, struct option_values *values, int fd, int family)
{
    if (option_row_of(option)->keeper == OPTION_KEEPER_WEIR)
        return values_set(values, option);
    values_follow(values, option);
    return fd < 0 ? 0 : kernel_apply(option, fd, family);
}

int options_apply(const weir_option *options, enum option_scope scope, struct option_values *values,
                  int fd, int family)
{
    for (const weir_option *option = options; option_follows(option); option++) {
        if (option->id == WEIR_OPTION_ACTIVE || !(option_row_of(option)->scopes & scope))
            continue;
        if (apply(option, values, fd, family) < 0)
            return -EINVAL;
    }
    return 0;
}

static bool touches_values(const weir_option *option)
{
    return option->id == WEIR_OPTION_RECBUF || option->id == WEIR_OPTION_SNDBUF ||
           (option_row_of(option)->keeper == OPTION_KEEPER_WEIR &&
            option->id != WEIR_OPTION_ACTIVE);
}

bool options_touch_values(const weir_option *options)
{
    for (const weir_option *option = options; option_follows(option); option++)
        if (touches_values(option))
            return true;
    return false;
}

bool options_touch_inherited(const weir_option *options)
{
    for (const weir_option *option = options; option_follows(option); option++)
        if (option_row_of(option)->accept == OPTION_COPIED)
            return true;
    return false;
}

/* A new connection's priority is 0 whatever its listener's is (Linux 6.18, sk_clone). */
bool options_forgotten(const weir_option *option)
{
    return option->id == WEIR_OPTION_PRIORITY;
}

void options_inherit(const weir_option *options, int fd, int family)
{
    for (const weir_option *option = options; option_follows(option); option++)
        if (option_row_of(option)->accept == OPTION_COPIED)
            (void)kernel_set(option, fd, family);
}

bool options_bit8_seen(const weir_option *options, bool seen)
{
    for (const weir_option *option = options; option_follows(option); option++)
        if (option->id == WEIR_OPTION_BIT8)
            seen = option->value.number == WEIR_BIT8_SET;
    return seen;
}

static int check_wanted(const weir_option *wanted)
{
    if (!option_known(wanted))
        return error_say(-EINVAL, "option %d: there is no such option", (int)wanted->id);
    const struct option_row *row = option_row_of(wanted);
    if (!(row->scopes & OPTION_SCOPES_SET) || (row->traits & OPTION_WRITE_ONLY))
        return error_say(-EINVAL, "option %s: it cannot be read", row->atom);
    return row->type == OPTION_RAW ? check_value(wanted) : 0;
}

static int64_t bit8_reading(const struct option_source *source)
{
    if (source->values->bit8 == WEIR_BIT8_OFF)
        return WEIR_BIT8_OFF;
    return source->bit8_seen ? WEIR_BIT8_SET : WEIR_BIT8_CLEAR;
}

static int64_t kept_reading(const struct option_source *source, enum weir_option_id id)
{
    if (id == WEIR_OPTION_ACTIVE)
        return source->active;
    if (id == WEIR_OPTION_BIT8)
        return bit8_reading(source);
    return values_load(source->values, &option_rows[id]);
}

/* Whether the socket has it. */
static bool read_one(const struct option_source *source, enum option_scope scope,
                     weir_option *wanted)
{
    const struct option_row *row = option_row_of(wanted);
    if (!(row->scopes & scope))
        return false;
    if (row->keeper == OPTION_KEEPER_KERNEL)
        return source->fd >= 0 && kernel_get(wanted, source->fd, source->family) == 0;
    wanted->value.number = kept_reading(source, wanted->id);
    return true;
}

int options_read(const struct option_source *source, enum option_scope scope, weir_option *wanted,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int result = check_wanted(&wanted[i]);
        if (result < 0)
            return result;
    }
    size_t left = 0;
    for (size_t i = 0; i < count; i++)
        if (read_one(source, scope, &wanted[i]))
            wanted[left++] = wanted[i];
    if (left < count)
        wanted[left].id = WEIR_OPTION_END;
    return (int)left;
}
