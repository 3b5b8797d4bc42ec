/* SPDX-License-Identifier: MIT */
/* Opening listening descriptors, on the thread that asks for them. */
#ifndef RUNTIME_LISTENER_LISTEN_H
#define RUNTIME_LISTENER_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "options/options.h"
#include <weir/local.h>

/* What a listener is opened from; `setup` points into the caller's options. */
struct listen_plan {
    struct option_setup setup;
    weir_address address;
    weir_local_address local; /* of that family */
    bool has_text;            /* the address was given beside the options */
};

/* Reads address and options. 0, or WEIR_BADARG with the reason. */
int listen_plan(struct listen_plan *plan, const weir_option *defaults, const char *address,
                uint16_t port, const weir_option *options);

/* Opens `count` descriptors that listen on the plan's address, all on the same port, or none. The
 * plan gets to know port and family. */
int listen_open(struct listen_plan *plan, int *fds, uint32_t count);

#endif
