/* SPDX-License-Identifier: MIT */
/* A list of its own memory: one block, the bytes and texts that it points to behind it. */
#include "base/memory.h"
#include "options/row.h"

#include <string.h>

static size_t length_of(const weir_option *options)
{
    size_t length = 0;
    while (option_follows(options + length))
        length++;
    return length;
}

/* What an option points to, and how many bytes of it. */
static const void *pointed_to(const weir_option *option, size_t *size)
{
    *size = 0;
    switch (option_row_of(option)->type) {
    case OPTION_RAW:
        *size = option->value.raw.size;
        return option->value.raw.bytes;
    case OPTION_PATH:
        *size = option->value.path ? strlen(option->value.path) + 1 : 0;
        return option->value.path;
    default:
        return NULL;
    }
}

static void point_to(weir_option *option, uint8_t *place)
{
    if (option_row_of(option)->type == OPTION_RAW)
        option->value.raw.buffer = place;
    else
        option->value.path = (const char *)place;
}

weir_option *options_copy(const weir_option *options)
{
    size_t length = options ? length_of(options) : 0;
    size_t size = (length + 1) * sizeof(weir_option);
    size_t bytes;
    for (size_t i = 0; i < length; i++) {
        (void)pointed_to(&options[i], &bytes);
        size += bytes;
    }
    weir_option *copy = memory_allocate(size);
    if (!copy)
        return NULL;
    uint8_t *place = (uint8_t *)(copy + length + 1);
    for (size_t i = 0; i < length; i++) {
        copy[i] = options[i];
        const void *from = pointed_to(&options[i], &bytes);
        if (bytes) {
            point_to(&copy[i], memcpy(place, from, bytes));
            place += bytes;
        }
    }
    copy[length] = weir_option_number(WEIR_OPTION_END, 0);
    return copy;
}
