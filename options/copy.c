/* SPDX-License-Identifier: MIT */
/* One block: the options, and behind them the bytes and texts that they point to. */
#include "options/copy.h"

#include <string.h>

#include "base/memory.h"
#include "options/row.h"

size_t options_length(const weir_option *options)
{
    size_t length = 0;
    for (const weir_option *option = options; option_follows(option); option++)
        length++;
    return length;
}

/* Lists are copied before they are checked, too: of what a check refuses nothing is followed. */
static bool is_of_type(const weir_option *option, enum option_type type)
{
    return option_known(option) && option_row_of(option)->type == type;
}

static bool is_local(const weir_option *option)
{
    return is_of_type(option, OPTION_ADDRESS) && option->value.address.family == WEIR_LOCAL;
}

static size_t size_behind(const weir_option *option, bool buffers)
{
    const weir_raw *raw = &option->value.raw;
    if (is_of_type(option, OPTION_RAW) && raw->size <= WEIR_RAW_SIZE_MAX)
        return raw->bytes || buffers ? raw->size : 0;
    if (is_of_type(option, OPTION_PATH) && option->value.path)
        return strlen(option->value.path) + 1;
    if (is_local(option) && option->value.local.name)
        return option->value.local.size;
    return 0;
}

/* Where the option points to. */
static const void **pointer_of(weir_option *option)
{
    if (is_of_type(option, OPTION_RAW))
        return &option->value.raw.bytes;
    return (const void **)(is_local(option) ? &option->value.local.name : &option->value.path);
}

static void move_behind(weir_option *option, uint8_t *place, size_t size)
{
    const void **pointer = pointer_of(option);
    if (*pointer)
        memcpy(place, *pointer, size);
    else
        memset(place, 0, size);
    *pointer = place;
}

/* Bytes that are none may lie in memory that the list outlives. */
static void forget_empty(weir_option *option)
{
    if (is_of_type(option, OPTION_RAW) && option->value.raw.size == 0)
        option->value.raw.bytes = NULL;
    if (is_local(option) && option->value.local.size == 0)
        option->value.local.name = NULL;
}

static weir_option *copy_list(const weir_option *options, bool buffers)
{
    size_t length = options_length(options);
    size_t size = (length + 1) * sizeof(weir_option);
    for (size_t i = 0; i < length; i++)
        if (__builtin_add_overflow(size, size_behind(&options[i], buffers), &size))
            return NULL;
    weir_option *copy = memory_allocate(size);
    if (!copy)
        return NULL;
    uint8_t *place = (uint8_t *)(copy + length + 1);
    for (size_t i = 0; i < length; i++) {
        size_t behind = size_behind(&options[i], buffers);
        copy[i] = options[i];
        if (behind)
            move_behind(&copy[i], place, behind);
        else
            forget_empty(&copy[i]);
        place += behind;
    }
    copy[length] = weir_option_number(WEIR_OPTION_END, 0);
    return copy;
}

weir_option *options_copy(const weir_option *options)
{
    return copy_list(options, false);
}

weir_option *copy_request(const weir_option *options)
{
    return copy_list(options, true);
}
