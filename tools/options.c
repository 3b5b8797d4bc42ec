/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "base/suggest.h"
#include "command.h"
#include "options/describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_LENGTH = 80 };

const char options_details[] =
    "Without NAME: every option with its default and what it is for. With NAME: its\n"
    "values, its default, the calls that take it, who keeps it, and the rest of what\n"
    "there is to say.\n";

static const struct option_row *row_at(size_t place)
{
    return &option_rows[option_in_order(place)];
}

static int longer(int length, const char *text)
{
    int other = (int)strlen(text);
    return other > length ? other : length;
}

static void list(void)
{
    char text[DESCRIPTION_SIZE];
    int name_width = 0;
    int initial_width = 0;
    for (size_t i = 0; i < OPTION_ROW_COUNT; i++) {
        name_width = longer(name_width, row_at(i)->atom);
        initial_width = longer(initial_width, describe_initial(row_at(i), text));
    }
    for (size_t i = 0; i < OPTION_ROW_COUNT; i++)
        printf("%-*s  %-*s  %s\n", name_width, row_at(i)->atom, initial_width,
               describe_initial(row_at(i), text), row_at(i)->help);
    printf("\n'weir options NAME' says more about one.\n");
}

/* Breaks lines between words. */
static void print_paragraph(const char *text)
{
    size_t column = 0;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (column && column + 1 + length > LINE_LENGTH) {
            putchar('\n');
            column = 0;
        }
        column += (size_t)printf("%s%.*s", column ? " " : "", (int)length, text);
        text += length;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static const struct {
    const char *heading;
    const char *(*describe)(const struct option_row *row, char text[DESCRIPTION_SIZE]);
} fields[] = {
    {"value", describe_value},     {"default", describe_initial}, {"taken by", describe_calls},
    {"read", describe_reading},    {"kept by", describe_keeper},  {"accept", describe_accept},
    {"failure", describe_failure}, {"from", describe_source},
};

static void explain(const struct option_row *row)
{
    char text[DESCRIPTION_SIZE];
    printf("%s: %s\n\n", row->atom, row->help);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        printf("%-9s %s\n", fields[i].heading, fields[i].describe(row, text));
    if (row->text) {
        putchar('\n');
        print_paragraph(row->text);
    }
}

static int unknown(const char *name)
{
    char text[SUGGEST_TEXT_SIZE];
    struct suggestion suggestion;
    suggest_begin(&suggestion, name, strlen(name));
    for (size_t i = 0; i < OPTION_ROW_COUNT; i++)
        suggest_look(&suggestion, row_at(i)->atom);
    if (suggestion.nearest)
        return command_misused("options", "there is no option '%s'%s", name,
                               suggest_text(&suggestion, text));
    return command_misused("options", "there is no option '%s'; 'weir options' lists them", name);
}

int options_run(int argc, char **argv)
{
    if (argc > 2)
        return command_misused("options", "one option at a time, not also '%s'", argv[2]);
    if (argc < 2) {
        list();
        return EXIT_SUCCESS;
    }
    enum weir_option_id id = weir_option_from_name(argv[1]);
    if (id == WEIR_OPTION_END)
        return unknown(argv[1]);
    explain(&option_rows[id]);
    return EXIT_SUCCESS;
}
