/* SPDX-License-Identifier: MIT */
#include "options/check.h"

#include "base/error.h"
#include "options/word.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static bool in_range(const struct option_row *row, int64_t number)
{
    return number >= row->least && number <= row->most;
}

static int out_of_range(const struct option_row *row, int64_t number)
{
    return error_say(-EINVAL, "option %s: %" PRId64 " is out of range %" PRId64 "..%" PRId64,
                     row->atom, number, row->least, row->most);
}

static int check_integer(const struct option_row *row, const weir_option *option)
{
    int64_t number = option->value.number;
    return in_range(row, number) ? 0 : out_of_range(row, number);
}

static int check_word(const struct option_row *row, const weir_option *option)
{
    if (word_exists((enum option_type)row->type, option->value.number))
        return 0;
    char list[WORD_LIST_SIZE];
    return error_say(-EINVAL, "option %s: %" PRId64 " is none of %s", row->atom,
                     option->value.number, word_list((enum option_type)row->type, list));
}

static int check_word_or_integer(const struct option_row *row, const weir_option *option)
{
    if (word_exists((enum option_type)row->type, option->value.number))
        return 0;
    return check_integer(row, option);
}

static int check_flag(const struct option_row *row, const weir_option *option)
{
    (void)row;
    (void)option;
    return 0;
}

static int check_family(const struct option_row *row, unsigned family)
{
    if (family == WEIR_ANY_FAMILY || family == WEIR_INET || family == WEIR_INET6)
        return 0;
    return error_say(-EINVAL, "option %s: %u is not a family of addresses", row->atom, family);
}

static int check_local(const struct option_row *row, const weir_option *option)
{
    const weir_local_name *local = &option->value.local;
    return local->size == 0 || local->name
               ? 0
               : error_say(-EINVAL, "option %s: there is no path", row->atom);
}

/* Without a family an address says any or loopback, and nothing else. */
static int check_address(const struct option_row *row, const weir_option *option)
{
    static const uint8_t zeros[15];
    const weir_address *address = &option->value.address;
    if (address->family == WEIR_LOCAL)
        return check_local(row, option);
    if (address->family != WEIR_ANY_FAMILY)
        return check_family(row, address->family);
    if (memcmp(address->bytes, zeros, sizeof(zeros)) == 0 && address->bytes[15] <= 1)
        return 0;
    return error_say(-EINVAL, "option %s: an address without a family is any or loopback",
                     row->atom);
}

static int check_interface(const struct option_row *row, const weir_option *option)
{
    return check_family(row, option->value.address.family);
}

static int check_membership(const struct option_row *row, const weir_option *option)
{
    unsigned family = option->value.membership.family;
    if (family == WEIR_INET || family == WEIR_INET6)
        return 0;
    return error_say(-EINVAL, "option %s: group and interface are not of one family", row->atom);
}

/* The document: without the first, the second is ignored. */
static int check_linger(const struct option_row *row, const weir_option *option)
{
    const weir_linger *linger = &option->value.linger;
    return !linger->on || in_range(row, linger->seconds) ? 0 : out_of_range(row, linger->seconds);
}

static int check_name(const struct option_row *row, const weir_option *option)
{
    if (memchr(option->value.name, '\0', WEIR_OPTION_NAME_SIZE))
        return 0;
    return error_say(-EINVAL, "option %s: the name is longer than %d bytes", row->atom,
                     WEIR_OPTION_NAME_SIZE - 1);
}

static int check_path(const struct option_row *row, const weir_option *option)
{
    if (option->value.path && option->value.path[0])
        return 0;
    return error_say(-EINVAL, "option %s: there is no path", row->atom);
}

static int check_raw(const struct option_row *row, const weir_option *option)
{
    const weir_raw *raw = &option->value.raw;
    if (raw->size > WEIR_RAW_SIZE_MAX)
        return error_say(-EINVAL, "option %s: size %zu is out of range 0..%d", row->atom, raw->size,
                         WEIR_RAW_SIZE_MAX);
    if (raw->size && !raw->bytes)
        return error_say(-EINVAL, "option %s: there are no bytes", row->atom);
    return 0;
}

typedef int check(const struct option_row *row, const weir_option *option);

static check *const checks[OPTION_TYPE_COUNT] = {
    [OPTION_BOOLEAN] = check_word,
    [OPTION_INTEGER] = check_integer,
    [OPTION_TIMEOUT] = check_word_or_integer,
    [OPTION_FLAG] = check_flag,
    [OPTION_ACTIVE] = check_word_or_integer,
    [OPTION_BIT8] = check_word,
    [OPTION_DELIVER] = check_word,
    [OPTION_MODE] = check_word,
    [OPTION_PACKET] = check_word,
    [OPTION_ADDRESS] = check_address,
    [OPTION_INTERFACE] = check_interface,
    [OPTION_MEMBERSHIP] = check_membership,
    [OPTION_LINGER] = check_linger,
    [OPTION_NAME] = check_name,
    [OPTION_PATH] = check_path,
    [OPTION_RAW] = check_raw,
};

int check_value(const weir_option *option)
{
    const struct option_row *row = option_row_of(option);
    return checks[row->type](row, option);
}

static int refused_scope(const struct option_row *row, enum option_scope scope)
{
    const char *where = scope & OPTION_LISTEN    ? "listen"
                        : scope & OPTION_CONNECT ? "connect"
                        : scope & OPTION_UDP     ? "open"
                                                 : "setopts";
    return error_say(-EINVAL, "option %s: %s does not take it", row->atom, where);
}

/* An option of the other protocol is none of setopts's errors: applying passes it over. */
int options_check(const weir_option *options, enum option_scope scope)
{
    unsigned taken = scope & OPTION_SCOPES_SET ? OPTION_SCOPES_SET : scope;
    for (const weir_option *option = options; option_follows(option); option++) {
        if (!option_known(option))
            return error_say(-EINVAL, "option %d: there is no such option", (int)option->id);
        if (!(option_row_of(option)->scopes & taken))
            return refused_scope(option_row_of(option), scope);
        int result = check_value(option);
        if (result < 0)
            return result;
    }
    return 0;
}
