/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include <weir/socket.h>

struct figure {
    const char *name;
    size_t offset;
    size_t size;
};

#define FIGURE(name)                                                                 \
    {                                                                                \
#name, offsetof(weir_statistics, name), sizeof(((weir_statistics *)0)->name) \
    }

static const struct figure figures[] = {
    FIGURE(recv_oct),  FIGURE(recv_cnt), FIGURE(recv_max),  FIGURE(recv_avg), FIGURE(recv_dvi),
    FIGURE(send_oct),  FIGURE(send_cnt), FIGURE(send_max),  FIGURE(send_avg), FIGURE(send_dvi),
    FIGURE(send_pend), FIGURE(dropped),  FIGURE(truncated),
};

int weir_statistic(const weir_statistics *statistics, const char *name, uint64_t *value)
{
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        const char *place = (const char *)statistics + figures[i].offset;
        uint32_t narrow;
        if (strcmp(name, figures[i].name) != 0)
            continue;
        if (figures[i].size == sizeof(*value)) {
            memcpy(value, place, sizeof(*value));
        } else {
            memcpy(&narrow, place, sizeof(narrow));
            *value = narrow;
        }
        return 0;
    }
    return error_say(-EINVAL, "getstat: no figure is named \"%s\"", name);
}
