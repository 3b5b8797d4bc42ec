/* SPDX-License-Identifier: MIT */
/*
 * Options: typed values, and text in the document's own syntax.
 *
 *     WEIR_OPTIONS(WEIR_PACKET(4), WEIR_NODELAY(true))
 *     [{packet,4},{nodelay,true}]
 *
 * What each option is, its range and its default: option_list.h, docs/OPTIONS.md or
 * `weir options`.
 */
#ifndef WEIR_OPTIONS_H
#define WEIR_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/address.h>
#include <weir/packet.h>

WEIR_BEGIN

/* WEIR_OPTION_ACTIVE, WEIR_OPTION_ADD_MEMBERSHIP, ...: one per row of option_list.h, with the
 * number that it has for ever. The count grows with the options of later versions. */
enum weir_option_id {
    WEIR_OPTION_END, /* ends a list */
#define WEIR_OPTION(NAME, number, atom, ...) WEIR_OPTION_##NAME = (number),
#include <weir/option_list.h>
    WEIR_OPTION_COUNT = 1
#define WEIR_OPTION(NAME, number, atom, ...) +1
#include <weir/option_list.h>
};

/* {active, ...}: a count N of messages is itself, the others lie outside its range. */
enum { WEIR_ACTIVE_FALSE = 0x10000, WEIR_ACTIVE_TRUE, WEIR_ACTIVE_ONCE };

/* {bit8, ...} */
enum weir_bit8 { WEIR_BIT8_OFF, WEIR_BIT8_ON, WEIR_BIT8_CLEAR, WEIR_BIT8_SET };

/* {linger, {on, seconds}} */
typedef struct weir_linger {
    bool on;
    int32_t seconds;
} weir_linger;

/* {raw, level, number, bytes}. Setting reads `bytes`. Reading gives `buffer` to the kernel, which
 * may look at it first, and makes `size` what the kernel wrote. */
typedef struct weir_raw {
    int32_t level;
    int32_t number;
    union {
        const void *bytes;
        void *buffer;
    };
    size_t size;
} weir_raw;

/* {ifaddr, {local, Path}}: begins as a weir_address does. `name` is not copied, and what the local
 * address has: a path, or a zero byte and an abstract name. No bytes: the kernel makes one up. */
typedef struct weir_local_name {
    uint8_t family; /* WEIR_LOCAL */
    const char *name;
    size_t size;
} weir_local_name;

enum { WEIR_RAW_SIZE_MAX = 65522, WEIR_OPTION_NAME_SIZE = 16 };

/* {add_membership, {group, interface}}: the interface is an address for inet, an index for inet6.
 * Packed so that an option stays 32 bytes: lists of them are built on the hot path. */
typedef struct weir_membership {
    uint8_t family;
    uint8_t group[16];
    union {
        uint8_t interface[4];
        uint32_t index;
    };
} weir_membership;

/* An option with its value; in a list the last one is WEIR_OPTION_END. */
typedef struct weir_option {
    enum weir_option_id id;
    union {
        int64_t number;        /* booleans, integers, milliseconds (-1: infinity), enumerations */
        weir_address address;  /* family 0: of whichever family the socket is; all zero bytes are
                                  any, a last byte of 1 loopback. multicast_if of inet6: scope_id */
        weir_local_name local; /* ip, ifaddr, when its family says so */
        weir_linger linger;
        weir_raw raw;
        weir_membership membership;
        char name[WEIR_OPTION_NAME_SIZE]; /* bind_to_device, congestion */
        const char *path;                 /* netns */
    } value;
} weir_option;

/* Makes an option of a number, a boolean or an enumeration; the macros below do that by name. */
static inline weir_option weir_option_number(enum weir_option_id id, int64_t number)
{
    weir_option option = {id, {0}};
    option.value.number = number;
    return option;
}

/* Makes an option of an address. */
static inline weir_option weir_option_address(enum weir_option_id id, weir_address address)
{
    weir_option option = {id, {0}};
    option.value.address = address;
    return option;
}

/* Makes an option of the name of a local socket: a path, or a zero byte and an abstract name. It is
 * not copied. */
static inline weir_option weir_option_local(enum weir_option_id id, const char *name, size_t size)
{
    weir_option option = {id, {0}};
    option.value.local.family = WEIR_LOCAL;
    option.value.local.name = name;
    option.value.local.size = size;
    return option;
}

/* Makes {linger,{on,seconds}}. */
static inline weir_option weir_option_linger(bool on, int32_t seconds)
{
    weir_option option = {WEIR_OPTION_LINGER, {0}};
    option.value.linger.on = on;
    option.value.linger.seconds = seconds;
    return option;
}

/* Makes {raw,level,number,bytes} to be set. The bytes are not copied. */
static inline weir_option weir_option_raw(int32_t level, int32_t number, const void *bytes,
                                          size_t size)
{
    weir_option option = {WEIR_OPTION_RAW, {0}};
    option.value.raw.level = level;
    option.value.raw.number = number;
    option.value.raw.bytes = bytes;
    option.value.raw.size = size;
    return option;
}

/* Makes {raw,level,number,size} to be read into `buffer`. */
static inline weir_option weir_option_raw_request(int32_t level, int32_t number, void *buffer,
                                                  size_t size)
{
    weir_option option = weir_option_raw(level, number, NULL, size);
    option.value.raw.buffer = buffer;
    return option;
}

/* Makes an option of a group and an interface. The interface of inet6 is the scope_id of
 * `interface`. Two families give none, which is refused when it is used. */
static inline weir_option weir_option_membership(enum weir_option_id id, weir_address group,
                                                 weir_address interface)
{
    weir_option option = {id, {0}};
    weir_membership *membership = &option.value.membership;
    membership->family = group.family == interface.family ? group.family : (uint8_t)WEIR_ANY_FAMILY;
    for (size_t i = 0; i < sizeof(group.bytes); i++)
        membership->group[i] = group.bytes[i];
    if (group.family == WEIR_INET6)
        membership->index = interface.scope_id;
    else
        for (size_t i = 0; i < sizeof(membership->interface); i++)
            membership->interface[i] = interface.bytes[i];
    return option;
}

/* Makes an option of a name, as of an interface. One that is too long keeps no final NUL, and is
 * refused when it is used. */
static inline weir_option weir_option_name_value(enum weir_option_id id, const char *name)
{
    weir_option option = {id, {0}};
    for (size_t i = 0; i < WEIR_OPTION_NAME_SIZE; i++) {
        option.value.name[i] = name[i];
        if (!name[i])
            break;
    }
    return option;
}

/* Makes an option of a path, which is not copied. */
static inline weir_option weir_option_path(enum weir_option_id id, const char *path)
{
    weir_option option = {id, {0}};
    option.value.path = path;
    return option;
}

/* The address of no family whose last byte is this, for {ip,_}: 0 is any, 1 loopback. */
static inline weir_address weir_address_of_number(uint8_t last_byte)
{
    weir_address address = {0, {0}, 0, 0};
    address.bytes[15] = last_byte;
    return address;
}

/* One constructor per option. */
#define WEIR_ACTIVE(how) weir_option_number(WEIR_OPTION_ACTIVE, (how))
#define WEIR_ADD_MEMBERSHIP(group, interface) \
    weir_option_membership(WEIR_OPTION_ADD_MEMBERSHIP, (group), (interface))

#define WEIR_BACKLOG(count)       weir_option_number(WEIR_OPTION_BACKLOG, (count))
#define WEIR_BIND_TO_DEVICE(name) weir_option_name_value(WEIR_OPTION_BIND_TO_DEVICE, (name))
#define WEIR_BIT8(how)            weir_option_number(WEIR_OPTION_BIT8, (how))
#define WEIR_BROADCAST(on)        weir_option_number(WEIR_OPTION_BROADCAST, (on))
#define WEIR_BUFFER(bytes)        weir_option_number(WEIR_OPTION_BUFFER, (bytes))
#define WEIR_BUSY_POLL(us)        weir_option_number(WEIR_OPTION_BUSY_POLL, (us))

#define WEIR_CONGESTION(name) weir_option_name_value(WEIR_OPTION_CONGESTION, (name))

#define WEIR_CREDENTIALS(on) weir_option_number(WEIR_OPTION_CREDENTIALS, (on))

#define WEIR_DELAY_SEND(on)     weir_option_number(WEIR_OPTION_DELAY_SEND, (on))
#define WEIR_DELIVER(form)      weir_option_number(WEIR_OPTION_DELIVER, (form))
#define WEIR_DESCRIPTORS(count) weir_option_number(WEIR_OPTION_DESCRIPTORS, (count))
#define WEIR_DONTROUTE(on)      weir_option_number(WEIR_OPTION_DONTROUTE, (on))
#define WEIR_DROP_MEMBERSHIP(group, interface) \
    weir_option_membership(WEIR_OPTION_DROP_MEMBERSHIP, (group), (interface))

#define WEIR_EXIT_ON_CLOSE(on) weir_option_number(WEIR_OPTION_EXIT_ON_CLOSE, (on))

#define WEIR_FASTOPEN(count) weir_option_number(WEIR_OPTION_FASTOPEN, (count))
#define WEIR_FD(fd)          weir_option_number(WEIR_OPTION_FD, (fd))
#define WEIR_FILE_MODE(mode) weir_option_number(WEIR_OPTION_FILE_MODE, (mode))

#define WEIR_HAPPY_EYEBALLS(ms)         weir_option_number(WEIR_OPTION_HAPPY_EYEBALLS, (ms))
#define WEIR_HEADER(bytes)              weir_option_number(WEIR_OPTION_HEADER, (bytes))
#define WEIR_HIGH_MSGQ_WATERMARK(bytes) weir_option_number(WEIR_OPTION_HIGH_MSGQ_WATERMARK, (bytes))
#define WEIR_HIGH_WATERMARK(bytes)      weir_option_number(WEIR_OPTION_HIGH_WATERMARK, (bytes))

#define WEIR_IDLE_TIMEOUT(ms)     weir_option_number(WEIR_OPTION_IDLE_TIMEOUT, (ms))
#define WEIR_IFADDR(address)      weir_option_address(WEIR_OPTION_IFADDR, (address))
#define WEIR_INET()               weir_option_number(WEIR_OPTION_INET, 1)
#define WEIR_INET6()              weir_option_number(WEIR_OPTION_INET6, 1)
#define WEIR_IP(address)          weir_option_address(WEIR_OPTION_IP, (address))
#define WEIR_IP_ANY()             WEIR_IP(weir_address_of_number(0))
#define WEIR_IP_LOOPBACK()        WEIR_IP(weir_address_of_number(1))
#define WEIR_IP_LOCAL(name, size) weir_option_local(WEIR_OPTION_IP, (name), (size))
#define WEIR_IPV6_V6ONLY(on)      weir_option_number(WEIR_OPTION_IPV6_V6ONLY, (on))

#define WEIR_KEEPALIVE(on) weir_option_number(WEIR_OPTION_KEEPALIVE, (on))

#define WEIR_LINE_DELIMITER(byte)      weir_option_number(WEIR_OPTION_LINE_DELIMITER, (byte))
#define WEIR_LINGER(on, seconds)       weir_option_linger((on), (seconds))
#define WEIR_LOCAL()                   weir_option_number(WEIR_OPTION_LOCAL, 1)
#define WEIR_LOW_MSGQ_WATERMARK(bytes) weir_option_number(WEIR_OPTION_LOW_MSGQ_WATERMARK, (bytes))
#define WEIR_LOW_WATERMARK(bytes)      weir_option_number(WEIR_OPTION_LOW_WATERMARK, (bytes))

#define WEIR_MAX_CONNECTIONS(count) weir_option_number(WEIR_OPTION_MAX_CONNECTIONS, (count))
#define WEIR_MODE(mode)             weir_option_number(WEIR_OPTION_MODE, (mode))
#define WEIR_MULTICAST_IF(address)  weir_option_address(WEIR_OPTION_MULTICAST_IF, (address))
#define WEIR_MULTICAST_LOOP(on)     weir_option_number(WEIR_OPTION_MULTICAST_LOOP, (on))
#define WEIR_MULTICAST_TTL(count)   weir_option_number(WEIR_OPTION_MULTICAST_TTL, (count))

#define WEIR_NETNS(path) weir_option_path(WEIR_OPTION_NETNS, (path))
#define WEIR_NODELAY(on) weir_option_number(WEIR_OPTION_NODELAY, (on))
#define WEIR_NOPUSH(on)  weir_option_number(WEIR_OPTION_NOPUSH, (on))

#define WEIR_PACKET(type)       weir_option_number(WEIR_OPTION_PACKET, (type))
#define WEIR_PACKET_SIZE(bytes) weir_option_number(WEIR_OPTION_PACKET_SIZE, (bytes))
#define WEIR_PKTINFO(on)        weir_option_number(WEIR_OPTION_PKTINFO, (on))
#define WEIR_PORT(port)         weir_option_number(WEIR_OPTION_PORT, (port))
#define WEIR_PRIORITY(priority) weir_option_number(WEIR_OPTION_PRIORITY, (priority))

#define WEIR_PROXY_PROTOCOL(on) weir_option_number(WEIR_OPTION_PROXY_PROTOCOL, (on))
#define WEIR_PROXY_TIMEOUT(ms)  weir_option_number(WEIR_OPTION_PROXY_TIMEOUT, (ms))

#define WEIR_RAW(level, number, bytes, size) weir_option_raw((level), (number), (bytes), (size))
#define WEIR_READ_PACKETS(count)             weir_option_number(WEIR_OPTION_READ_PACKETS, (count))
#define WEIR_RECBUF(bytes)                   weir_option_number(WEIR_OPTION_RECBUF, (bytes))
#define WEIR_RECVTCLASS(on)                  weir_option_number(WEIR_OPTION_RECVTCLASS, (on))
#define WEIR_RECVTOS(on)                     weir_option_number(WEIR_OPTION_RECVTOS, (on))
#define WEIR_RECVTTL(on)                     weir_option_number(WEIR_OPTION_RECVTTL, (on))
#define WEIR_REUSEADDR(on)                   weir_option_number(WEIR_OPTION_REUSEADDR, (on))
#define WEIR_REUSEPORT(on)                   weir_option_number(WEIR_OPTION_REUSEPORT, (on))

#define WEIR_SEND_TIMEOUT(ms)       weir_option_number(WEIR_OPTION_SEND_TIMEOUT, (ms))
#define WEIR_SEND_TIMEOUT_CLOSE(on) weir_option_number(WEIR_OPTION_SEND_TIMEOUT_CLOSE, (on))
#define WEIR_SHOW_ECONNRESET(on)    weir_option_number(WEIR_OPTION_SHOW_ECONNRESET, (on))
#define WEIR_SNDBUF(bytes)          weir_option_number(WEIR_OPTION_SNDBUF, (bytes))

#define WEIR_TCLASS(tclass)     weir_option_number(WEIR_OPTION_TCLASS, (tclass))
#define WEIR_TCP_KEEPCNT(count) weir_option_number(WEIR_OPTION_TCP_KEEPCNT, (count))
#define WEIR_TCP_KEEPIDLE(s)    weir_option_number(WEIR_OPTION_TCP_KEEPIDLE, (s))
#define WEIR_TCP_KEEPINTVL(s)   weir_option_number(WEIR_OPTION_TCP_KEEPINTVL, (s))
#define WEIR_TIMESTAMP(on)      weir_option_number(WEIR_OPTION_TIMESTAMP, (on))
#define WEIR_TOS(tos)           weir_option_number(WEIR_OPTION_TOS, (tos))
#define WEIR_TTL(count)         weir_option_number(WEIR_OPTION_TTL, (count))

#define WEIR_UDP_GRO(on)      weir_option_number(WEIR_OPTION_UDP_GRO, (on))
#define WEIR_USER_TIMEOUT(ms) weir_option_number(WEIR_OPTION_USER_TIMEOUT, (ms))

/* For weir_getopts: what is asked for. WEIR_REQUEST(PACKET), WEIR_RAW_REQUEST(6, 11, &info, 92).
 * A raw request's buffer must outlive the call. */
#define WEIR_REQUEST(NAME) weir_option_number(WEIR_OPTION_##NAME, 0)
#define WEIR_RAW_REQUEST(level, number, buffer, size) \
    weir_option_raw_request((level), (number), (buffer), (size))

/*
 * WEIR_OPTIONS(WEIR_PACKET(4), ...): a list, ended by WEIR_OPTION_END, to be given to a call.
 * It may be empty. In C it lives as long as the block it stands in, in C++ as long as the
 * expression: do not keep it there.
 */
#ifdef __cplusplus
WEIR_END
template <size_t count> struct weir_option_array {
    weir_option options[count];
    const weir_option *list() const
    {
        return options;
    }
};
template <typename... Option>
weir_option_array<sizeof...(Option) + 1> weir_option_array_of(const Option &...option)
{
    return {{option..., weir_option_number(WEIR_OPTION_END, 0)}};
}
#define WEIR_OPTIONS(...) (weir_option_array_of(__VA_ARGS__).list())
WEIR_BEGIN
#else
/* The first element only lets the list be empty: "{END, }" is C, "{}" is not. The array has one
 * more than it is given, which is the END. */
#define WEIR_OPTION_ITEMS(...)              \
    {                                       \
        {WEIR_OPTION_END, {0}}, __VA_ARGS__ \
    }
#define WEIR_OPTION_ROOM(...) \
    (sizeof((weir_option[])WEIR_OPTION_ITEMS(__VA_ARGS__)) / sizeof(weir_option) + 1)
#define WEIR_OPTIONS(...) \
    ((const weir_option[WEIR_OPTION_ROOM(__VA_ARGS__)])WEIR_OPTION_ITEMS(__VA_ARGS__) + 1)
#endif

/* The name of an option, "packet", or NULL. Any thread. Static memory. */
WEIR_API const char *weir_option_name(enum weir_option_id id);

/* The option of that name, or WEIR_OPTION_END. Any thread. */
WEIR_API enum weir_option_id weir_option_from_name(const char *name);

/*
 * Reads options from text, as Erlang writes them: a list, or one option.
 *
 *     [{active,once},{packet,4},binary,{ip,{127,0,0,1}},{raw,6,8,<<30:32/native>>}]
 *
 * Integers may be written 16#ff, 1_000 and $\n, strings may stand side by side and have escapes
 * such as "\x1b" and "\^a", comments begin with %, and a dot may end it. Bytes above 127 in a
 * string are taken as they are. Each value is checked; whether a call takes the option is seen
 * when it is given to one. The list in `options` is the caller's: weir_options_free. 0; -EINVAL,
 * with "character N: ..." (of UTF-8, from 1) in weir_last_error_text; -ENOMEM. Any thread.
 */
WEIR_API int weir_options_parse(const char *text, weir_option **options) WEIR_CHECK_RESULT;

/*
 * Reads from text what weir_getopts is asked for: names, and raw requests with a size or with
 * bytes.
 *
 *     [active,packet,{raw,6,11,92}]
 *
 * Raw requests have their buffers, 1 MiB at most for all of them. `count` is the number of
 * requests. Else as weir_options_parse.
 */
WEIR_API int weir_options_parse_request(const char *text, weir_option **options,
                                        size_t *count) WEIR_CHECK_RESULT;

/* Frees what weir_options_parse and weir_options_parse_request gave; NULL is allowed. Any thread.
 */
WEIR_API void weir_options_free(weir_option *options);

/*
 * Writes a list as text, which weir_options_parse reads back. As snprintf: returns the length of
 * the whole, writes what fits into `size` bytes with a final NUL, and `text` may be NULL if `size`
 * is 0. -EINVAL for what has no text: an option or a value that is none, a raw option without
 * bytes, an inet6 address whose scope is not its second number ({ip,_} takes that of fe80:: and
 * ff02:: from there). The port of an address counts for nothing and is left out. Any thread.
 */
WEIR_API int weir_options_format(const weir_option *options, char *text,
                                 size_t size) WEIR_CHECK_RESULT;

WEIR_END

#endif
