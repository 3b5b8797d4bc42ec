/* SPDX-License-Identifier: MIT */
/* Addresses, names and interfaces. */
#ifndef ADDRESS_ADDRESS_H
#define ADDRESS_ADDRESS_H

#include <sys/socket.h>
#include <weir/address.h>
#include <weir/local.h>

/* Fills in a sockaddr and returns its size; 0 for an unknown family. */
socklen_t address_to_sockaddr(const weir_address *address, struct sockaddr_storage *storage);

/* Of a local one only the family. -EAFNOSUPPORT for a family that is none of these. */
int address_from_sockaddr(const struct sockaddr_storage *storage, weir_address *address);

/* An address that sockets are bound or connected to: as weir_address_parse, and a link-local one
 * with its interface, "fe80::1%eth0" or "fe80::1%2". -EINVAL, also when there is no such one. */
int address_parse_host(const char *text, weir_address *address);

/* As in Erlang/OTP, the second group of a link-local address is its scope: it moves there. */
void address_take_scope(weir_address *address);

/* Whether a text is to be read by weir_local_address_parse. */
bool local_address_is_meant(const char *text);

/* `size` bytes as they stand in the kernel's address. -EINVAL: too many, or a zero byte in a path.
 */
int local_address_set(weir_local_address *address, const char *name, size_t size);

/* Fills in a sockaddr and returns its size: without a name it is the family alone. */
socklen_t local_address_to_sockaddr(const weir_local_address *address,
                                    struct sockaddr_storage *storage);
/* Of an address of that family. */
void local_address_from_sockaddr(const struct sockaddr_storage *storage, socklen_t size,
                                 weir_local_address *address);

#endif
