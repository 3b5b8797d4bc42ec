/* SPDX-License-Identifier: MIT */
/* A service: one listener per scheduler on the same port, behind the handle of the first. */
#ifndef RUNTIME_SERVICE_H
#define RUNTIME_SERVICE_H

#include "runtime/runtime.h"
#include <weir/socket.h>

/* The other listeners of the service whose first this is. How many; 0 for every other socket. */
uint32_t service_siblings(weir_socket handle, weir_socket siblings[RUNTIME_SCHEDULERS_MAX]);

/* Whether setting options would have to wait for other schedulers: -EDEADLK, or 0. */
int service_may_setopts(weir_socket handle);

/* What was set on the first listener of a service is set on the others. 0, or an error. */
int service_setopts(weir_socket handle, const weir_option *options);

#endif
