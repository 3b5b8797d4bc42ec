/* SPDX-License-Identifier: MIT */
#include <weir/address.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *weir_gethostname(char *name, size_t size)
{
    char full[256] = "";
    if (gethostname(full, sizeof(full) - 1) < 0 || !full[0])
        memcpy(full, "nohost", sizeof("nohost"));
    full[strcspn(full, ".")] = '\0';
    snprintf(name, size, "%s", full);
    return name;
}
