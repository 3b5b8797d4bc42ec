/* SPDX-License-Identifier: MIT */
/*
 * Look-ups of one scheduler: those that are under way, each for all who ask the same, and what they
 * stand on. Each name has one scheduler that is asked for it (its home), so that what is asked of
 * a runtime is asked once and remembered once. Made by the first look-up.
 */
#ifndef RUNTIME_RESOLVER_RESOLVER_H
#define RUNTIME_RESOLVER_RESOLVER_H

#include "runtime/resolver/naming.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/kind.h"
#include <weir/names.h>

struct resolver;
struct scheduler;

/* What a call asks for, and in the end what was found, which is then the call's. */
struct look_up {
    struct call call;
    struct naming *naming;
    const char *name; /* NULL: it is an address */
    weir_address address;
    enum weir_family family;
    weir_hostent *hostent;
};

/* A look_up, without a socket, to be made on the home of what it asks for. */
extern const struct call_operation operation_look_up;

/* A naming_call, without a socket: the scheduler's look-ups stand on the present configuration, and
 * those that are under way begin again. */
struct naming_call {
    struct call call;
    struct naming *naming;
};

extern const struct call_operation operation_take_naming;

/* What its home follows from. */
uint32_t look_up_hash(const struct look_up *look_up);

extern const struct kind kind_resolver;

#endif
