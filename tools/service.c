/* SPDX-License-Identifier: MIT */
#include "service.h"

#include <stddef.h>
#include <string.h>

static const struct service services[] = {
    {"echo", "[binary,{reuseaddr,true},{backlog,1024}]", &echo_handler},
};

const struct service *service_find(const char *name)
{
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        if (strcmp(services[i].name, name) == 0)
            return &services[i];
    return NULL;
}
