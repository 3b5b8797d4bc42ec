/* SPDX-License-Identifier: MIT */
/* The rows of <weir/option_list.h> as a table. */
#ifndef OPTIONS_ROW_H
#define OPTIONS_ROW_H

#include "options/options.h"

enum option_type {
    OPTION_NO_TYPE,
    OPTION_BOOLEAN,
    OPTION_INTEGER,
    OPTION_TIMEOUT, /* milliseconds, or -1: infinity */
    OPTION_FLAG,    /* a bare word, true when it is there */
    OPTION_ACTIVE,  /* words, or an integer */
    OPTION_BIT8,    /* words only, from here */
    OPTION_DELIVER,
    OPTION_MODE,
    OPTION_PACKET,
    OPTION_ADDRESS,
    OPTION_INTERFACE, /* inet: an address; inet6: an index */
    OPTION_MEMBERSHIP,
    OPTION_LINGER,
    OPTION_NAME, /* up to 15 bytes */
    OPTION_PATH,
    OPTION_RAW,
    OPTION_TYPE_COUNT
};

enum option_keeper { OPTION_KEEPER_CREATION, OPTION_KEEPER_WEIR, OPTION_KEEPER_KERNEL };

enum option_accept { OPTION_ACCEPT_NONE, OPTION_SHARED, OPTION_INHERITED, OPTION_COPIED };

enum option_trait {
    OPTION_RETURNED = 1 << 0,   /* setting it may fail */
    OPTION_WRITE_ONLY = 1 << 1, /* it cannot be read */
    OPTION_EXTENSION = 1 << 2,  /* not in the document */
};

/* As `initial`: the kernel chooses; there is none. */
#define OPTION_SYSTEM INT64_MIN
#define OPTION_NONE   (INT64_MIN + 1)

struct option_kernel_name {
    int level;
    int name;
};

struct option_row {
    const char *atom;
    int64_t least;
    int64_t most;
    int64_t floor;
    int64_t initial[2];                  /* tcp, udp */
    struct option_kernel_name kernel[2]; /* inet, inet6 */
    uint16_t offset;                     /* kept by weir: where in struct option_values, */
    uint8_t size;                        /* and of how many bytes */
    uint8_t type;                        /* enum option_type */
    uint8_t scopes;                      /* enum option_scope */
    uint8_t keeper;                      /* enum option_keeper */
    uint8_t accept;                      /* enum option_accept */
    uint8_t traits;                      /* enum option_trait */
    const char *kernel_name; /* as the system's headers write it; NULL if weir keeps it */
    const char *help;
    const char *text; /* may be NULL */
};

/* By id; the first row, of WEIR_OPTION_END, is empty. */
extern const struct option_row option_rows[WEIR_OPTION_COUNT];

/* Their ids in the order of their names. */
enum { OPTION_ROW_COUNT = WEIR_OPTION_COUNT - 1 };
extern const uint8_t options_by_name[OPTION_ROW_COUNT];

static inline enum weir_option_id option_in_order(size_t place)
{
    return (enum weir_option_id)options_by_name[place];
}

enum { OPTION_SCOPES_SET = OPTION_SET_TCP | OPTION_SET_UDP };

/* Whether a list (NULL is an empty one) goes on with this option. */
static inline bool option_follows(const weir_option *option)
{
    return option && option->id != WEIR_OPTION_END;
}

static inline bool option_known(const weir_option *option)
{
    return option->id > WEIR_OPTION_END && option->id < WEIR_OPTION_COUNT;
}

/* Of an option that has been checked. */
static inline const struct option_row *option_row_of(const weir_option *option)
{
    return &option_rows[option->id];
}

static inline bool option_is_udp(enum option_scope scope)
{
    return scope & (OPTION_UDP | OPTION_SET_UDP);
}

/* The option of that name (which need not end with NUL), or WEIR_OPTION_END. */
enum weir_option_id option_by_name(const char *name, size_t length);

#endif
