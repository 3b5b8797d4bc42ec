/* SPDX-License-Identifier: MIT */
#include "common/switches.h"

#include "common/fail.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void print_help(const struct switch_row *rows)
{
    for (; rows->name; rows++) {
        printf("  --%-14s %s", rows->name, rows->help);
        if (rows->kind == SWITCH_NUMBER)
            printf(" (%ld)", *(long *)rows->value);
        putchar('\n');
    }
    exit(0);
}

static const struct switch_row *find(const struct switch_row *rows, const char *argument)
{
    if (strncmp(argument, "--", 2) != 0)
        fail("%s: switches begin with --", argument);
    if (strcmp(argument, "--help") == 0)
        print_help(rows);
    for (; rows->name; rows++)
        if (strcmp(rows->name, argument + 2) == 0)
            return rows;
    fail("%s: no such switch; --help lists them", argument);
}

static long parse_number(const char *name, const char *text)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno || end == text || *end || number < 0)
        fail("--%s %s: a number from 0 is needed", name, text);
    return number;
}

void switches_parse(const struct switch_row *rows, char **arguments)
{
    for (arguments++; *arguments; arguments++) {
        const struct switch_row *row = find(rows, *arguments);
        if (row->kind == SWITCH_FLAG) {
            *(bool *)row->value = true;
            continue;
        }
        const char *argument = *++arguments;
        if (!argument)
            fail("--%s: a value is missing", row->name);
        if (row->kind == SWITCH_NUMBER)
            *(long *)row->value = parse_number(row->name, argument);
        else
            *(const char **)row->value = argument;
    }
}
