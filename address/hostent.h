/* SPDX-License-Identifier: MIT */
/* What is found for a name or an address, in one block of memory. */
#ifndef ADDRESS_HOSTENT_H
#define ADDRESS_HOSTENT_H

#include <weir/names.h>

/* Copies all that `from` names; its lengths and family are taken as they are. NULL: no memory. */
weir_hostent *hostent_copy(const weir_hostent *from);

/* One with these parts, which are copied; the family is that of the addresses. NULL: no memory. */
weir_hostent *hostent_create(const char *name, const char *const *aliases, size_t alias_count,
                             const weir_address *addresses, size_t address_count);

#endif
