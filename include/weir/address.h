/* SPDX-License-Identifier: MIT */
/* Addresses: the document's ip_address(), with a port beside it. */
#ifndef WEIR_ADDRESS_H
#define WEIR_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/version.h>

WEIR_BEGIN

/* The family of an address. */
enum weir_family {
    WEIR_ANY_FAMILY = 0,
    WEIR_LOCAL = 1,  /* AF_UNIX; what its address is, local.h says */
    WEIR_INET = 2,   /* AF_INET */
    WEIR_INET6 = 10, /* AF_INET6 */
};

/* An address of IPv4 or IPv6, with a port. */
typedef struct weir_address {
    uint8_t family;    /* enum weir_family */
    uint8_t bytes[16]; /* network order; 4 of them for inet */
    uint16_t port;     /* host order */
    uint32_t scope_id; /* inet6: interface index, 0 = none */
} weir_address;

/* Room for any address as text, with the final NUL: "ff02:...%4294967295". */
enum { WEIR_ADDRESS_TEXT_SIZE = 64 };

/*
 * Reads an address, inet_parse:address/1: IPv4 in one to four fields, decimal, octal or
 * hexadecimal, else IPv6. The port becomes 0. 0, or -EINVAL. Any thread.
 */
WEIR_API int weir_address_parse(const char *text, weir_address *address) WEIR_CHECK_RESULT;

/* Reads an address in the strict form: IPv4 is exactly four decimal fields. 0, or -EINVAL. Any
 * thread. */
WEIR_API int weir_address_parse_strict(const char *text, weir_address *address) WEIR_CHECK_RESULT;

/* Reads an IPv4 address, inet_parse:ipv4_address/1. 0, or -EINVAL. Any thread. */
WEIR_API int weir_address_parse_ipv4(const char *text, weir_address *address) WEIR_CHECK_RESULT;

/* Reads an IPv6 address, inet_parse:ipv6_address/1; IPv4 text becomes ::ffff:a.b.c.d. 0, or
 * -EINVAL. Any thread. */
WEIR_API int weir_address_parse_ipv6(const char *text, weir_address *address) WEIR_CHECK_RESULT;

/*
 * Reads an address with its port: "ADDRESS:PORT", "[ADDRESS]:PORT" or ":PORT" (every IPv4 address),
 * as the command line takes it. A link-local address may name its interface, "[fe80::1%eth0]:80".
 * 0, or -EINVAL with the reason in weir_last_error_text. Any thread.
 */
WEIR_API int weir_address_parse_endpoint(const char *text, weir_address *address) WEIR_CHECK_RESULT;

/*
 * Writes an address without its port, inet_parse:ntoa/1, into `text` of WEIR_ADDRESS_TEXT_SIZE
 * bytes. Returns `text`; an unknown family gives "". Any thread.
 */
WEIR_API const char *weir_address_format(const weir_address *address, char *text);

/* Writes an address with its port, "127.0.0.1:80", "[::1]:80", into `text` of
 * WEIR_ADDRESS_TEXT_SIZE bytes. Any thread. */
WEIR_API const char *weir_address_format_endpoint(const weir_address *address, char *text);

/*
 * Tells the local host's name up to its first dot, inet:gethostname/0, into `name` of `size` bytes,
 * cut if it does not fit; nothing is written if `size` is 0. Returns `name`. Never fails: a host
 * that will not say is "nohost". Any thread.
 */
WEIR_API const char *weir_gethostname(char *name, size_t size);

/* Whether two addresses have the same family, bytes, port and scope. Any thread. */
WEIR_API bool weir_address_equal(const weir_address *a, const weir_address *b);

WEIR_END

#endif
