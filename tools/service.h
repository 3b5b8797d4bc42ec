/* SPDX-License-Identifier: MIT */
/* What `weir serve` can serve: one row each. */
#ifndef TOOLS_SERVICE_H
#define TOOLS_SERVICE_H

#include <weir/weir.h>

struct service {
    const char *name;
    const char *options; /* before the user's own */
    const weir_handler *handler;
};

extern const weir_handler echo_handler;

/* NULL: there is none of that name. */
const struct service *service_find(const char *name);

#endif
