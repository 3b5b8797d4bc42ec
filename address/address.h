/* SPDX-License-Identifier: MIT */
/* Addresses, names and interfaces. */
#ifndef ADDRESS_ADDRESS_H
#define ADDRESS_ADDRESS_H

#include <sys/socket.h>
#include <weir/address.h>

/* Fills in a sockaddr and returns its size; 0 for an unknown family. */
socklen_t address_to_sockaddr(const weir_address *address, struct sockaddr_storage *storage);

/* -EAFNOSUPPORT for a family that is neither inet nor inet6. */
int address_from_sockaddr(const struct sockaddr_storage *storage, weir_address *address);

/* An address that sockets are bound or connected to: as weir_address_parse, and a link-local one
 * with its interface, "fe80::1%eth0" or "fe80::1%2". -EINVAL, also when there is no such one. */
int address_parse_host(const char *text, weir_address *address);

/* As in Erlang/OTP, the second group of a link-local address is its scope: it moves there. */
void address_take_scope(weir_address *address);

#endif
