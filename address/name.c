/* SPDX-License-Identifier: MIT */
#include "address/name.h"

#include <string.h>

enum { NAME_LENGTH_MAX = 253 };

/* The C library's own depends on the locale. */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

bool name_is_visible(const char *name)
{
    if (!name || !*name)
        return false;
    for (; *name; name++)
        if (*name < '!' || *name > '~')
            return false;
    return true;
}

bool name_equals(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

/* FNV-1a */
uint32_t name_hash(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name; name++)
        hash = (hash ^ (uint8_t)lower(*name)) * 16777619u;
    return hash;
}

bool name_ends_in_dot(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && name[length - 1] == '.';
}

bool name_has_inner_dot(const char *name)
{
    const char *dot = strchr(name, '.');
    return dot && dot[1];
}

bool name_fits_dns(const char *name)
{
    size_t length = strlen(name) - name_ends_in_dot(name);
    size_t label = 0;
    if (length == 0 || length > NAME_LENGTH_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '.' && label == 0)
            return false;
        label = name[i] == '.' ? 0 : label + 1;
        if (label > NAME_LABEL_MAX)
            return false;
    }
    return label > 0;
}
