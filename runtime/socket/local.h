/* SPDX-License-Identifier: MIT */
/* Local sockets: where they are bound to. */
#ifndef RUNTIME_SOCKET_LOCAL_H
#define RUNTIME_SOCKET_LOCAL_H

#include "options/options.h"
#include <weir/local.h>

/* The name that the options give, or none. -EINVAL, with the name in its text. */
int local_address_of(const struct option_setup *setup, weir_local_address *address);

/* Binds with {file_mode,_}; with {reuseaddr,true} in place of a file that is nobody's any more. 0,
 * or an error with the address in its text. */
int local_bind(const struct option_setup *setup, int fd, const weir_local_address *address);

#endif
