/* SPDX-License-Identifier: MIT */
#include "dns/name.h"

#include <string.h>

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 'a' - 'A') : byte;
}

/* The 0 at the end is not there yet. */
static const char *add_label(struct dns_name *name, const char *text, size_t size)
{
    if (size == 0)
        return "a name with an empty label";
    if (size > DNS_LABEL_BYTES_MAX)
        return "a label of more than 63 bytes";
    if (name->size + size + 2 > DNS_NAME_BYTES_MAX)
        return "a name of more than 255 bytes";
    name->bytes[name->size++] = (uint8_t)size;
    for (size_t i = 0; i < size; i++)
        name->bytes[name->size++] = lower((uint8_t)text[i]);
    return NULL;
}

static const char *add_origin(struct dns_name *name, const struct dns_name *origin)
{
    if (!origin)
        return "a name that does not end with a dot, before any $ORIGIN";
    if (name->size + origin->size > DNS_NAME_BYTES_MAX)
        return "a name of more than 255 bytes";
    memcpy(name->bytes + name->size, origin->bytes, origin->size);
    name->size = (uint8_t)(name->size + origin->size);
    return NULL;
}

const char *dns_name_read(struct dns_name *name, const char *text, size_t size,
                          const struct dns_name *origin)
{
    const char *end = text + size;
    name->size = 0;
    if (size == 1 && *text == '@')
        return add_origin(name, origin);
    if (size == 1 && *text == '.')
        text = end;
    while (text < end) {
        const char *dot = memchr(text, '.', (size_t)(end - text));
        const char *wrong = add_label(name, text, (size_t)((dot ? dot : end) - text));
        if (wrong)
            return wrong;
        if (!dot)
            return add_origin(name, origin);
        text = dot + 1;
    }
    name->bytes[name->size++] = 0;
    return NULL;
}

size_t dns_name_take(struct dns_name *name, const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    name->size = 0;
    while (at < size && bytes[at] != 0) {
        size_t label = bytes[at];
        if (label > DNS_LABEL_BYTES_MAX || label + 1 > size - at ||
            at + label + 2 > DNS_NAME_BYTES_MAX)
            return 0;
        name->bytes[at++] = (uint8_t)label;
        for (; label > 0; label--, at++)
            name->bytes[at] = lower(bytes[at]);
    }
    if (at == size)
        return 0;
    name->bytes[at++] = 0;
    name->size = (uint8_t)at;
    return at;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

bool dns_name_is_within(const struct dns_name *name, const struct dns_name *origin)
{
    size_t at = 0;
    while (name->size - at > origin->size)
        at += name->bytes[at] + 1u;
    return name->size - at == origin->size &&
           memcmp(name->bytes + at, origin->bytes, origin->size) == 0;
}

bool dns_name_parent(const struct dns_name *name, struct dns_name *parent)
{
    size_t label = name->bytes[0];
    if (label == 0)
        return false;
    parent->size = (uint8_t)(name->size - label - 1);
    memcpy(parent->bytes, name->bytes + label + 1, parent->size);
    return true;
}
