/* SPDX-License-Identifier: MIT */
/* Zones that lie in files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "dns/zone.h"

static char *read_all(FILE *file, size_t *size)
{
    enum { PART = 65536 };
    char *text = NULL;
    size_t got = PART;
    for (*size = 0; got == PART; *size += got) {
        char *longer = memory_resize(text, *size + PART);
        if (!longer) {
            memory_free(text);
            return NULL;
        }
        text = longer;
        got = fread(text + *size, 1, PART, file);
    }
    return text;
}

int dns_zone_read_file(struct dns_zone **zone, const char *path)
{
    char why[256];
    size_t size;
    FILE *file = fopen(path, "r");
    if (!file)
        return error_say(-errno, "%s: %s", path, strerror(errno));
    char *text = read_all(file, &size);
    bool failed = ferror(file);
    fclose(file);
    if (!text || failed) {
        memory_free(text);
        return error_say(failed ? -EIO : -ENOMEM, "%s: it cannot be read", path);
    }
    int result = dns_zone_read(zone, text, size);
    memory_free(text);
    if (result == 0)
        return 0;
    snprintf(why, sizeof(why), "%s", weir_last_error_text());
    return error_say(result, "%s:%s", path, why);
}
