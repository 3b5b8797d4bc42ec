/* SPDX-License-Identifier: MIT */
/* A listener: the kind of socket that it is. */
#ifndef RUNTIME_LISTENER_LISTENER_H
#define RUNTIME_LISTENER_LISTENER_H

#include "runtime/scheduler/kind.h"

extern const struct kind kind_listener;

enum listener_operation { LISTENER_ACCEPT = OPERATION_OF_KIND(KIND_LISTENER, 0) };

#endif
