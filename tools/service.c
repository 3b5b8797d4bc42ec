/* SPDX-License-Identifier: MIT */
#include "service.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct service services[] = {
    {"echo", "[binary,{reuseaddr,true},{backlog,1024}]", "[]", &echo_handler, NULL},
    {"http", "[{reuseaddr,true},{nodelay,true},{backlog,1024},{packet_size,8192}]",
     "[{packet,http_bin},{active,true},{header,0}]", &http_handler, http_end_idle},
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
