/* SPDX-License-Identifier: MIT */
/* What `weir serve` can serve: one row each. */
#ifndef TOOLS_SERVICE_H
#define TOOLS_SERVICE_H

#include <weir/weir.h>

struct service {
    const char *name;
    const char *options; /* before the user's own */
    const char *fixed;   /* behind them: what the service cannot do without */
    const weir_handler *handler;
};

extern const weir_handler echo_handler;
extern const weir_handler http_handler;

/* NULL: there is none of that name. */
const struct service *service_find(const char *name);

/* "echo, http", for messages. */
const char *service_names(void);

#endif
