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
    /* Once a second on every scheduler: ends what idles for longer than `*(const uint32_t *)data`
     * seconds. NULL: connections may idle for ever. */
    void (*end_idle)(void *data);
};

extern const weir_handler echo_handler;
extern const weir_handler http_handler;
void http_end_idle(void *data);

/* NULL: there is none of that name. */
const struct service *service_find(const char *name);

/* "echo, http", for messages. */
const char *service_names(void);

#endif
