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
 * 1. -EINVAL: no name or address, an unknown family; a name server that calls the question
 * malformed
 * 2. WEIR_NXDOMAIN: nobody knows the name, or nobody who was asked answered
 * 3. WEIR_TIMEOUT: the time is up; `timeout_ms` < 0 waits for as long as the configuration does
 * 4. WEIR_CLOSED: the runtime is stopped
 * 5. -ENOMEM
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

/* Frees the host that a look-up gave. NULL is fine. Any thread. */
WEIR_API void weir_hostent_free(weir_hostent *hostent);

/*
 * Looks up the names and addresses of a host, inet:gethostbyname/1 and /2, as `*hostent`, to be
 * freed. The first asks for IPv4, or for IPv6 if the configuration has {inet6,true}. A name that is
 * an address is its own answer, whatever the methods are; one of the other family is nobody's.
 */
WEIR_API int weir_gethostbyname(weir_runtime *runtime, const char *name, int64_t timeout_ms,
                                weir_hostent **hostent) WEIR_CHECK_RESULT;
WEIR_API int weir_gethostbyname2(weir_runtime *runtime, const char *name, enum weir_family family,
                                 int64_t timeout_ms, weir_hostent **hostent) WEIR_CHECK_RESULT;

/* Looks up the names of an address, inet:gethostbyaddr/1. It is the only one of `*hostent`.
 * WEIR_TIMEOUT also when no name server answers. */
WEIR_API int weir_gethostbyaddr(weir_runtime *runtime, const weir_address *address,
                                int64_t timeout_ms, weir_hostent **hostent) WEIR_CHECK_RESULT;

/*
 * Looks up the first, or at most `capacity`, of a host's addresses, inet:getaddr/2 and getaddrs/2.
 * The latter returns how many there are, which may be more. A host of characters that are no
 * printable ASCII, or of none, is -EINVAL.
 */
WEIR_API int weir_getaddr(weir_runtime *runtime, const char *host, enum weir_family family,
                          int64_t timeout_ms, weir_address *address) WEIR_CHECK_RESULT;
WEIR_API int weir_getaddrs(weir_runtime *runtime, const char *host, enum weir_family family,
                           int64_t timeout_ms, weir_address *addresses,
                           size_t capacity) WEIR_CHECK_RESULT;

/* `result` 0 with `hostent`, which is the callee's until it returns; or an error and NULL. */
typedef void weir_found(const weir_hostent *hostent, int result, void *data);

/* Looks names and addresses up without waiting, for schedulers, as the calls of these names do.
 * WEIR_ANY_FAMILY asks as weir_gethostbyname does. 0, or an error and nothing will be called. */
WEIR_API int weir_gethostbyname_async(weir_runtime *runtime, const char *name,
                                      enum weir_family family, int64_t timeout_ms,
                                      weir_found *found, void *data) WEIR_CHECK_RESULT;
WEIR_API int weir_gethostbyaddr_async(weir_runtime *runtime, const weir_address *address,
                                      int64_t timeout_ms, weir_found *found,
                                      void *data) WEIR_CHECK_RESULT;
WEIR_API int weir_getaddrs_async(weir_runtime *runtime, const char *host, enum weir_family family,
                                 int64_t timeout_ms, weir_found *found,
                                 void *data) WEIR_CHECK_RESULT;

/* The flags of an interface. */
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

/* A network interface with its addresses. */
typedef struct weir_interface {
    const char *name;
    uint32_t flags; /* enum weir_interface_flag */
    const weir_interface_address *addresses;
    size_t address_count;
    const uint8_t *hwaddr; /* 6 bytes on Ethernet; NULL: it has none */
    size_t hwaddr_size;
} weir_interface;

/*
 * Lists the network interfaces, inet:getifaddrs/0: all of the caller's network namespace, those
 * that are down too, in the kernel's order, each with its addresses; `*interfaces` is one block of
 * memory. 0, an errno of the kernel's or -ENOMEM. Any thread.
 */
WEIR_API int weir_getifaddrs(weir_interface **interfaces, size_t *count) WEIR_CHECK_RESULT;

/* Frees what weir_getifaddrs gave. NULL is fine. Any thread. */
WEIR_API void weir_interfaces_free(weir_interface *interfaces);

/* The name of a flag of an interface: "up", "broadcast", ...; NULL for what is no flag. Static
 * memory. Any thread. */
WEIR_API const char *weir_interface_flag_name(enum weir_interface_flag flag);

/* One parameter of the inet configuration: the tuple {name,value}, or what follows the name of a
 * longer one, as in {host,{127,0,0,1},["localhost"]}. */
typedef struct weir_parameter {
    const char *name;
    const char *value; /* Erlang terms as text, with commas between */
} weir_parameter;

/*
 * Tells the inet configuration, inet:get_rc/0: what of the inet configuration differs from the
 * defaults, in the document's order, in one block of memory. Name servers and domains of a
 * resolv.conf are there when the configuration names that file. 0, WEIR_CLOSED or -ENOMEM. Any
 * thread, a scheduler too.
 */
WEIR_API int weir_get_rc(weir_runtime *runtime, weir_parameter **parameters,
                         size_t *count) WEIR_CHECK_RESULT;

/*
 * Loads another inet configuration in place of the one that the runtime has: what a runtime would
 * start with whose weir_config has these `inetrc` and `inet_terms`, either of which may be NULL (a
 * file that has changed: its path again). When it returns, every look-up goes by the new one: what
 * was remembered is forgotten, and look-ups that are under way begin again, their callers'
 * time-outs going on. Connects that have their addresses are left alone.
 *
 * If anything is wrong, in a file that the terms name too, the runtime keeps what it has: an errno
 * of open(2) or read(2), -EINVAL (weir_last_error_text says what, with line and column), -ENOMEM.
 * WEIR_CLOSED; -EDEADLK on a scheduler, which must not wait for files. Thread.
 */
WEIR_API int weir_load_rc(weir_runtime *runtime, const char *inetrc,
                          const char *inet_terms) WEIR_CHECK_RESULT;

/* Frees what weir_get_rc gave. NULL is fine. Any thread. */
WEIR_API void weir_parameters_free(weir_parameter *parameters);

WEIR_END

#endif
