/* SPDX-License-Identifier: MIT */
/*
 * Options: one row each (option_list.h), and everything that follows from the rows: checking,
 * setting, reading, defaults, inheritance, parsing and printing.
 */
#ifndef OPTIONS_OPTIONS_H
#define OPTIONS_OPTIONS_H

#include <weir/options.h>

/* What weir itself keeps for a socket. Accepted sockets share their listener's. */
struct option_values {
    weir_decode_options limits; /* derived from buffer, packet_size and line_delimiter */
    int64_t send_timeout_ms;    /* -1: infinity */
    int64_t idle_timeout_ms;    /* the same */
    uint32_t packet_size;
    uint32_t buffer;
    uint32_t header;
    uint32_t high_watermark;
    uint32_t low_watermark;
    uint32_t high_msgq_watermark;
    uint32_t low_msgq_watermark;
    uint32_t descriptors;
    int32_t read_packets;
    int32_t active; /* what a new socket starts with; a live one keeps its own */
    uint8_t packet; /* enum weir_packet_type */
    uint8_t mode;
    uint8_t deliver;
    uint8_t bit8; /* enum weir_bit8 as set: scanning or not */
    uint8_t line_delimiter;
    bool exit_on_close;
    bool send_timeout_close;
    bool delay_send;
    bool show_econnreset;
    bool buffer_explicit; /* {buffer,_} was set: recbuf and sndbuf leave it alone */
    bool of_datagrams;
};

enum option_scope {
    OPTION_LISTEN = 1 << 0,
    OPTION_CONNECT = 1 << 1,
    OPTION_UDP = 1 << 2,
    OPTION_SET_TCP = 1 << 3, /* setopts and getopts */
    OPTION_SET_UDP = 1 << 4,
};

/* What a creating call (listen, connect, open) made of its options. */
struct option_setup {
    struct option_values values;
    enum option_scope scope;
    const weir_option *defaults; /* the lists it came from: the kernel's options are applied from */
    const weir_option *options;  /* them, so they must outlive it */
    weir_address local;          /* ip and port to bind to; family is the socket's */
    weir_local_name local_name;  /* of an ip of that family; family 0: none was given */
    bool has_local_address;      /* an ip or a port was given */
    bool is_loopback;            /* {ip,loopback}: of whichever family the socket is */
    bool family_given;           /* by inet, inet6, local or an address */
    bool reuseaddr;
    bool reuseport;
    int backlog;
    bool backlog_given;
    uint32_t max_connections; /* 0: any number */
    bool proxy_protocol;
    uint32_t proxy_timeout_ms;
    uint32_t happy_eyeballs_ms; /* 0: one address at a time */
    int fd;                     /* {fd,_}, or -1 */
    bool was_not_waiting;       /* its descriptor was O_NONBLOCK until it was made to wait */
    int file_mode;              /* of a local socket's file, or -1 */
    const char *netns;          /* or NULL */
};

/*
 * Reads the lists of a creating call: `defaults` (may be NULL) first, then `options` (may be
 * NULL); the last of duplicates wins. WEIR_BADARG with the option named in the error text.
 */
int options_set_up(struct option_setup *setup, enum option_scope scope, const weir_option *defaults,
                   const weir_option *options);

/* Sets the kernel's options of a setup on a new descriptor, before it is bound. Failures of plain
 * options are swallowed as the document's functions do; others are returned. */
int options_prepare(const struct option_setup *setup, int fd);

/* The whole list: is each option known here, and its value of the right type and range?
 * -EINVAL with the option named. */
int options_check(const weir_option *options, enum option_scope scope);

/*
 * Applies a checked list, front to back, to `values` and to `fd` (-1: the descriptor is gone).
 * {active,_} is the caller's business and skipped. -EINVAL when one that may fail did: what stood
 * before it is applied.
 */
int options_apply(const weir_option *options, enum option_scope scope, struct option_values *values,
                  int fd, int family);

/* Whether applying the list would change `values` at all (else a shared block stays shared). */
bool options_touch_values(const weir_option *options);

/* Whether the list has an option that the kernel keeps and an accepted socket takes from its
 * listener at accept time: set after a connection came, it must be set on it again. */
bool options_touch_inherited(const weir_option *options);

/* Whether the kernel gives new connections nothing of a listener's option: each needs it set. */
bool options_forgotten(const weir_option *option);

/* Sets on `fd` those options of the list that an accepted socket takes from its listener. */
void options_inherit(const weir_option *options, int fd, int family);

/* The flag of {bit8,_} after this list: setting the option clears or sets it, all else leaves it.
 */
bool options_bit8_seen(const weir_option *options, bool seen);

/* What a socket knows beside its option values. */
struct option_source {
    const struct option_values *values;
    int32_t active;
    bool bit8_seen;
    int fd; /* -1: the descriptor is gone, the kernel's options are left out */
    int family;
};

/* getopts: fills in `wanted`, closing up over those that the system does not have. How many are
 * left (END follows them when there is room), or -EINVAL. */
int options_read(const struct option_source *source, enum option_scope scope, weir_option *wanted,
                 size_t count);

/* How many there are before END; `options` may be NULL. */
size_t options_length(const weir_option *options);

/* Whether one of `later` (may be NULL) takes the place of `option`. Both have been checked. */
bool options_supersede(const weir_option *later, const weir_option *option);

/* A list in memory of its own, memory_free: END included, texts and bytes copied behind it. The
 * list need not have been checked. NULL: no memory. */
weir_option *options_copy(const weir_option *options);

#endif
