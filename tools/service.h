/* SPDX-License-Identifier: MIT */
/* What `weir serve` can serve: one row each. */
#ifndef TOOLS_SERVICE_H
#define TOOLS_SERVICE_H

#include "base/suggest.h"

#include <stdbool.h>
#include <weir/weir.h>

struct service {
    const char *name;
    const char *options; /* before the user's own */
    const char *fixed;   /* behind them: what the service cannot do without */
    const weir_handler *handler;
    int (*serve)(weir_runtime *runtime, const char *address, uint16_t port,
                 const weir_option *options, weir_owner owner, weir_socket *socket);
    /* NULL: --idle is {idle_timeout,_}. Else told before any how many seconds connections may make
     * no progress, and a timer of every scheduler. */
    void (*begin)(uint32_t idle_s);
    weir_fired *each_second;
    bool has_connections; /* which --idle and --limit are about */
    bool opens_pairs;     /* sockets of two kinds, on one port: none that are there can be either */
    int (*load)(const char *path); /* of --zone; NULL: it takes none */
    void (*unload)(void);
};

extern const weir_handler echo_handler;
extern const weir_handler http_handler;
extern const weir_handler udp_echo_handler;
extern const weir_handler dns_handler;
int dns_load(const char *path);
void dns_unload(void);
int dns_serve(weir_runtime *runtime, const char *address, uint16_t port, const weir_option *options,
              weir_owner owner, weir_socket *socket);
void http_begin(uint32_t idle_s);
void http_each_second(weir_timer timer, void *unused);

/* NULL: there is none of that name. */
const struct service *service_find(const char *name);

/* "echo, http, udp-echo, dns", for messages. */
const char *service_names(void);

void service_suggest(struct suggestion *suggestion);

#endif
