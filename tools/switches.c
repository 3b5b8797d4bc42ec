/* SPDX-License-Identifier: MIT */
#include "switches.h"

#include "base/suggest.h"
#include "command.h"

#include <string.h>

static int read_value(const struct switches *switches, const struct switch_row *row,
                      const char *value, void *plan)
{
    char *base = plan;
    if (row->flag_at)
        *(bool *)(base + row->flag_at) = true;
    if (row->flag_at)
        return 0;
    if (row->read)
        return row->read(value, plan);
    if (row->number_at)
        return switches->read_number(row->name, value, (uint32_t *)(base + row->number_at));
    if (row->time_at)
        return switches->read_time(row->name, value, (uint64_t *)(base + row->time_at));
    *(const char **)(base + row->text_at) = value;
    return 0;
}

static int unknown(const struct switches *switches, const char *name)
{
    char text[SUGGEST_TEXT_SIZE];
    struct suggestion suggestion;
    suggest_begin(&suggestion, name, strlen(name));
    for (size_t i = 0; i < switches->count; i++)
        suggest_look(&suggestion, switches->rows[i].name);
    if (suggestion.nearest)
        return command_misused(switches->command, "there is no option '%s'%s", name,
                               suggest_text(&suggestion, text));
    return command_misused(switches->command, "there is no option '%s'; see 'weir help %s'", name,
                           switches->command);
}

static const struct switch_row *find(const struct switches *switches, const char *name)
{
    for (size_t i = 0; i < switches->count; i++)
        if (strcmp(name, switches->rows[i].name) == 0)
            return &switches->rows[i];
    return NULL;
}

int switches_read(const struct switches *switches, char ***argument, void *plan, uint64_t *seen)
{
    char *name = *(*argument)++;
    char *value = strchr(name, '=');
    if (value)
        *value++ = '\0';
    const struct switch_row *row = find(switches, name);
    if (!row)
        return unknown(switches, name);
    if (row->flag_at && value)
        return command_misused(switches->command, "%s takes no value", name);
    if (!row->flag_at && !value && **argument)
        value = *(*argument)++;
    if (!row->flag_at && !value)
        return command_misused(switches->command, "%s needs a value", name);
    uint64_t bit = UINT64_C(1) << (row - switches->rows);
    if ((*seen & bit) && !row->may_repeat)
        return command_misused(switches->command, "%s is given twice", name);
    *seen |= bit;
    return read_value(switches, row, value, plan);
}
