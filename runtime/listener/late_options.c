/* SPDX-License-Identifier: MIT */
#include "runtime/listener/late_options.h"

#include "base/memory.h"

static size_t length_of(const weir_option *options)
{
    size_t length = 0;
    while (options && options[length].id != WEIR_OPTION_END)
        length++;
    return length;
}

static bool is_same(const weir_option *a, const weir_option *b)
{
    if (a->id != b->id)
        return false;
    return a->id != WEIR_OPTION_RAW ||
           (a->value.raw.level == b->value.raw.level && a->value.raw.number == b->value.raw.number);
}

static bool is_set_by(const weir_option *option, const weir_option *options)
{
    for (; options->id != WEIR_OPTION_END; options++)
        if (is_same(option, options))
            return true;
    return false;
}

weir_option *late_options_shorten(weir_option *options)
{
    size_t length = 0;
    for (const weir_option *option = options; option->id != WEIR_OPTION_END; option++)
        if (options_forgotten(option))
            options[length++] = *option;
    options[length].id = WEIR_OPTION_END;
    if (length > 0)
        return options;
    memory_free(options);
    return NULL;
}

weir_option *late_options_join(const weir_option *earlier, const weir_option *later)
{
    size_t earlier_length = length_of(earlier);
    size_t later_length = length_of(later);
    size_t length = 0;
    weir_option *both = memory_allocate((earlier_length + later_length + 1) * sizeof(weir_option));
    if (!both)
        return NULL;
    for (size_t i = 0; i < earlier_length; i++)
        if (!is_set_by(&earlier[i], later))
            both[length++] = earlier[i];
    for (size_t i = 0; i <= later_length; i++)
        both[length++] = later[i];
    weir_option *copy = options_copy(both);
    memory_free(both);
    return copy;
}
