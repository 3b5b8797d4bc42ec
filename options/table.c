/* SPDX-License-Identifier: MIT */
#include "options/row.h"

#include <linux/in6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

enum {
    LISTEN = OPTION_LISTEN,
    CONNECT = OPTION_CONNECT,
    UDP = OPTION_UDP,
    TCP_SET = OPTION_SET_TCP,
    UDP_SET = OPTION_SET_UDP,
    CREATING = LISTEN | CONNECT | UDP,
    ALL_TCP = LISTEN | CONNECT | TCP_SET,
    EVERYWHERE = CREATING | TCP_SET | UDP_SET,
    SHARED = OPTION_SHARED,
    INHERITED = OPTION_INHERITED,
    COPIED = OPTION_COPIED,
    RETURNED = OPTION_RETURNED,
    WRITE_ONLY = OPTION_WRITE_ONLY,
    EXTENSION = OPTION_EXTENSION,
};

#define RANGE(least_, most_) .least = (least_), .most = (most_)
#define FLOOR(n)             .floor = (n)
#define INITIAL(tcp, udp) \
    {                     \
        (tcp), (udp)      \
    }
#define BOTH(value)      \
    {                    \
        (value), (value) \
    }
#define SYSTEM                       \
    {                                \
        OPTION_SYSTEM, OPTION_SYSTEM \
    }
#define CREATION .keeper = OPTION_KEEPER_CREATION
#define KEPT(field)                                                                \
    .keeper = OPTION_KEEPER_WEIR, .offset = offsetof(struct option_values, field), \
    .size = sizeof(((struct option_values *)NULL)->field)
#define NONE                     \
    {                            \
        OPTION_NONE, OPTION_NONE \
    }
#define KERNEL(level, name)                                                           \
    .keeper = OPTION_KEEPER_KERNEL, .kernel = {{(level), (name)}, {(level), (name)}}, \
    .kernel_name = #level " " #name
#define KERNEL_BY_FAMILY(level, name, level6, name6)                                    \
    .keeper = OPTION_KEEPER_KERNEL, .kernel = {{(level), (name)}, {(level6), (name6)}}, \
    .kernel_name = #level " " #name ", " #level6 " " #name6
#define KERNEL_BY_VALUE .keeper = OPTION_KEEPER_KERNEL, .kernel_name = "as the value says"

const struct option_row option_rows[WEIR_OPTION_COUNT] = {
#define WEIR_OPTION(NAME, number, atom_, ...) [WEIR_OPTION_##NAME] = {.atom = #atom_, __VA_ARGS__},
#include <weir/option_list.h>
};

const uint8_t options_by_name[OPTION_ROW_COUNT] = {
#define WEIR_OPTION(NAME, ...) WEIR_OPTION_##NAME,
#include <weir/option_list.h>
};

/* Two of 56 bytes were zeroed by "rep stos": building {active,once} took 29 ns, now 10. */
_Static_assert(sizeof(weir_option) == 32, "lists of options are built on the hot path");

static int compare(const char *name, size_t length, const char *atom)
{
    int order = strncmp(name, atom, length);
    return order || !atom[length] ? order : -1;
}

enum weir_option_id option_by_name(const char *name, size_t length)
{
    size_t low = 0;
    size_t high = OPTION_ROW_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        enum weir_option_id id = option_in_order(middle);
        int order = compare(name, length, option_rows[id].atom);
        if (order == 0)
            return id;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return WEIR_OPTION_END;
}

const char *weir_option_name(enum weir_option_id id)
{
    return (unsigned)id < WEIR_OPTION_COUNT ? option_rows[id].atom : NULL;
}

enum weir_option_id weir_option_from_name(const char *name)
{
    return option_by_name(name, strlen(name));
}
