/* SPDX-License-Identifier: MIT */
/* The list of kinds of sockets: one row in kinds.c for each. */
#ifndef RUNTIME_KINDS_H
#define RUNTIME_KINDS_H

#include "runtime/scheduler/kind.h"

extern const struct kind *const runtime_kinds[KIND_COUNT];

#endif
