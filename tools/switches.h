/* SPDX-License-Identifier: MIT */
/* The switches of a command, "--name value", "--name=value" or just "--name": a row each. */
#ifndef TOOLS_SWITCHES_H
#define TOOLS_SWITCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the value goes: a number, a time or a text in the plan, or to a function. One with
 * `flag_at` has none, and makes that true. */
struct switch_row {
    const char *name;
    size_t number_at;
    size_t time_at;
    size_t text_at;
    size_t flag_at;
    int (*read)(const char *text, void *plan);
    int only; /* the command's own */
    bool may_repeat;
};

struct switches {
    const char *command;
    const struct switch_row *rows; /* 64 at most */
    size_t count;
    int (*read_number)(const char *name, const char *text, uint32_t *number);
    int (*read_time)(const char *name, const char *text, uint64_t *time_ns);
};

/* Reads the switch that `argument` stands at, and moves it on. `seen` gets a bit for its row. 0, or
 * an exit status. */
int switches_read(const struct switches *switches, char ***argument, void *plan, uint64_t *seen);

#endif
