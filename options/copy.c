/* SPDX-License-Identifier: MIT */
/* A list of its own memory: one block, the bytes and texts that it points to behind it. */
#include "base/memory.h"
#include "options/row.h"

#include <string.h>

static size_t length_of(const weir_option *options)
{
    size_t length = 0;
    for (const weir_option *option = options; option_follows(option); option++)
        length++;
    return length;
}

/* How many bytes an option points to. The request for a path, which is refused, has none. */
static size_t size_behind(const weir_option *option)
{
    switch (option_row_of(option)->type) {
    case OPTION_RAW:
        return option->value.raw.size;
    case OPTION_PATH:
        return option->value.path ? strlen(option->value.path) + 1 : 0;
    default:
        return 0;
    }
}

static bool points(const weir_option *option)
{
    unsigned type = option_row_of(option)->type;
    return type == OPTION_RAW || type == OPTION_PATH;
}

/* A raw request without a buffer gets one, of zeros. */
static void move_behind(weir_option *option, uint8_t *place, size_t size)
{
    bool raw = option_row_of(option)->type == OPTION_RAW;
    const void *from = raw ? option->value.raw.bytes : option->value.path;
    if (size && from)
        memcpy(place, from, size);
    else
        memset(place, 0, size);
    if (raw)
        option->value.raw.buffer = size ? place : NULL;
    else
        option->value.path = size ? (const char *)place : NULL;
}

weir_option *options_copy(const weir_option *options)
{
    size_t length = length_of(options);
    size_t size = (length + 1) * sizeof(weir_option);
    for (size_t i = 0; i < length; i++)
        size += size_behind(&options[i]);
    weir_option *copy = memory_allocate(size);
    if (!copy)
        return NULL;
    uint8_t *place = (uint8_t *)(copy + length + 1);
    for (size_t i = 0; i < length; i++) {
        size_t behind = size_behind(&options[i]);
        copy[i] = options[i];
        if (points(&copy[i]))
            move_behind(&copy[i], place, behind);
        place += behind;
    }
    copy[length] = weir_option_number(WEIR_OPTION_END, 0);
    return copy;
}
