/* SPDX-License-Identifier: MIT */
#include "service.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct service services[] = {
    {.name = "echo",
     .options = "[binary,{reuseaddr,true},{backlog,1024}]",
     .fixed = "[]",
     .handler = &echo_handler,
     .serve = weir_tcp_serve,
     .has_connections = true},
    {.name = "http",
     .options = "[{reuseaddr,true},{nodelay,true},{backlog,1024}]",
     .fixed = "[{packet,line},{active,true},{header,0},{packet_size,0},{buffer,8192},"
              "{deliver,term},{exit_on_close,false}]",
     .handler = &http_handler,
     .serve = weir_tcp_serve,
     .has_connections = true,
     .begin = http_begin,
     .each_second = http_each_second},
    {.name = "udp-echo",
     .options = "[binary,{recbuf,4194304},{buffer,8192},{read_packets,64}]",
     .fixed = "[{active,true},{header,0}]",
     .handler = &udp_echo_handler,
     .serve = weir_udp_serve},
    {.name = "dns",
     .options = "[binary,{recbuf,1048576},{read_packets,64}]",
     .fixed = "[{active,true},{header,0},{deliver,term},{buffer,8192}]",
     .handler = &dns_handler,
     .serve = dns_serve,
     .opens_pairs = true,
     .load = dns_load,
     .unload = dns_unload},
};

enum { SERVICE_COUNT = sizeof(services) / sizeof(services[0]) };

const struct service *service_find(const char *name)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if (strcmp(services[i].name, name) == 0)
            return &services[i];
    return NULL;
}

const char *service_names(void)
{
    static char names[64];
    int size = 0;
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        size += snprintf(names + size, sizeof(names) - (size_t)size, "%s%s", i > 0 ? ", " : "",
                         services[i].name);
    return names;
}

void service_suggest(struct suggestion *suggestion)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        suggest_look(suggestion, services[i].name);
}
