/* SPDX-License-Identifier: MIT */
/*
 * Names and interfaces: what the document's inet has of them.
 *
 * The calls of a runtime look names up as its inet configuration says (docs/NAMES.md). Their
 * blocking forms are for ordinary threads; on a scheduler they return -EDEADLK, and their _async
 * forms call back on the scheduler that asked (of a thread that asked, on one of the runtime's),
 * after they have returned. A look-up costs no scheduler's time while it waits.
 *
 * They return, beside what each says of itself:
 *   -EINVAL        no name or address, an unknown family; a name server that calls the question
 * malformed WEIR_NXDOMAIN  nobody knows the name, or nobody who was asked answered WEIR_TIMEOUT the
 * time is up; `timeout_ms` < 0 waits for as long as the configuration does WEIR_CLOSED    the
 * runtime is stopped -ENOMEM
 */
#ifndef WEIR_NAMES_H
#define WEIR_NAMES_H

#include <weir/address.h>
#include <weir/runtime.h>

WEIR_BEGIN

/* The document's #hostent{}. Its names and addresses live as long as it does. */
typedef struct weir_hostent {
    const char *h_name;              /* the official name */
    const char *const *h_aliases;    /* other names, NULL behind the last */
    enum weir_family h_addrtype;     /* WEIR_INET or WEIR_INET6 */
    uint32_t h_length;               /* bytes of an address: 4 or 16 */
    const weir_address *h_addr_list; /* of that family, at least one; ports are 0 */
    size_t alias_count;
    size_t address_count;
} weir_hostent;

/* NULL is fine. Any thread. */
WEIR_API void weir_hostent_free(weir_hostent *hostent);

enum weir_interface_flag {
    WEIR_INTERFACE_UP = 1 << 0,
    WEIR_INTERFACE_BROADCAST = 1 << 1,
    WEIR_INTERFACE_LOOPBACK = 1 << 2,
    WEIR_INTERFACE_POINTTOPOINT = 1 << 3,
    WEIR_INTERFACE_RUNNING = 1 << 4,
    WEIR_INTERFACE_MULTICAST = 1 << 5,
};

/* An address of an interface and what goes with it. What there is not has WEIR_ANY_FAMILY. */
typedef struct weir_interface_address {
    weir_address addr;
    weir_address netmask;
    weir_address broadaddr; /* of interfaces with BROADCAST and without POINTTOPOINT */
    weir_address dstaddr;   /* of interfaces with POINTTOPOINT */
} weir_interface_address;

typedef struct weir_interface {
    const char *name;
    uint32_t flags; /* enum weir_interface_flag */
    const weir_interface_address *addresses;
    size_t address_count;
    const uint8_t *hwaddr; /* 6 bytes on Ethernet; NULL: it has none */
    size_t hwaddr_size;
} weir_interface;

/*
 * inet:getifaddrs/0: all interfaces of the caller's network namespace, those that are down too, in
 * the kernel's order, each with its addresses; `*interfaces` is one block of memory. 0, an errno of
 * the kernel's or -ENOMEM. Any thread.
 */
WEIR_API int weir_getifaddrs(weir_interface **interfaces, size_t *count) WEIR_CHECK_RESULT;

/* NULL is fine. Any thread. */
WEIR_API void weir_interfaces_free(weir_interface *interfaces);

/* "up", "broadcast", ...; NULL for what is no flag. Static memory. Any thread. */
WEIR_API const char *weir_interface_flag_name(enum weir_interface_flag flag);

/* One parameter of the inet configuration: the tuple {name,value}, or what follows the name of a
 * longer one, as in {host,{127,0,0,1},["localhost"]}. */
typedef struct weir_parameter {
    const char *name;
    const char *value; /* Erlang terms as text, with commas between */
} weir_parameter;

/* Of what weir_get_rc gave. NULL is fine. Any thread. */
WEIR_API void weir_parameters_free(weir_parameter *parameters);

WEIR_END

#endif
