/* SPDX-License-Identifier: MIT */
/*
 * Options: typed values, and text in the document's own syntax.
 *
 *     WEIR_OPTIONS(WEIR_PACKET(4), WEIR_NODELAY(true))
 *     [{packet,4},{nodelay,true}]
 */
#ifndef WEIR_OPTIONS_H
#define WEIR_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/address.h>
#include <weir/packet.h>

WEIR_BEGIN

/* One per row of the option table; docs/OPTIONS.md tells all of each. */
enum weir_option_id {
    WEIR_OPTION_END, /* ends a list */
    WEIR_OPTION_ACTIVE,
    WEIR_OPTION_BACKLOG,
    WEIR_OPTION_BUFFER,
    WEIR_OPTION_DELAY_SEND,
    WEIR_OPTION_EXIT_ON_CLOSE,
    WEIR_OPTION_HIGH_WATERMARK,
    WEIR_OPTION_INET,
    WEIR_OPTION_INET6,
    WEIR_OPTION_IP,
    WEIR_OPTION_LOW_WATERMARK,
    WEIR_OPTION_MODE,
    WEIR_OPTION_NODELAY,
    WEIR_OPTION_PACKET,
    WEIR_OPTION_PACKET_SIZE,
    WEIR_OPTION_PORT,
    WEIR_OPTION_RECBUF,
    WEIR_OPTION_REUSEADDR,
    WEIR_OPTION_SNDBUF,
    WEIR_OPTION_COUNT
};

/* {active, ...}: a count N of messages is itself, the others lie outside its range. */
enum { WEIR_ACTIVE_FALSE = 0x10000, WEIR_ACTIVE_TRUE, WEIR_ACTIVE_ONCE };

typedef struct weir_option {
    enum weir_option_id id;
    union {
        int64_t number; /* booleans, integers, milliseconds (-1: infinity), enumerations */
        weir_address address;
    } value;
} weir_option;

static inline weir_option weir_option_number(enum weir_option_id id, int64_t number)
{
    weir_option option;
    option.id = id;
    option.value.number = number;
    return option;
}

#define WEIR_ACTIVE(how)  weir_option_number(WEIR_OPTION_ACTIVE, (how))
#define WEIR_PACKET(type) weir_option_number(WEIR_OPTION_PACKET, (type))
#define WEIR_NODELAY(on)  weir_option_number(WEIR_OPTION_NODELAY, (on))

WEIR_END

#endif
