/* SPDX-License-Identifier: MIT */
#include "service.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct service services[] = {
    {"echo", "[binary,{reuseaddr,true},{backlog,1024}]", "[]", &echo_handler, weir_tcp_serve, NULL,
     NULL},
    {"http", "[{reuseaddr,true},{nodelay,true},{backlog,1024}]",
     "[{packet,line},{active,true},{header,0},{packet_size,0},{buffer,8192},{deliver,term},"
     "{exit_on_close,false}]",
     &http_handler, weir_tcp_serve, http_begin, http_each_second},
    {"udp-echo", "[binary,{recbuf,4194304},{buffer,8192},{read_packets,64}]",
     "[{active,true},{header,0}]", &udp_echo_handler, weir_udp_serve, NULL, NULL},
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
