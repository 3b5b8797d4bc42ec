/* SPDX-License-Identifier: MIT */
/* Writes docs/OPTIONS.md: to the file named, or to standard output. */
#include "options/describe.h"

#include <stdio.h>
#include <stdlib.h>

static const char introduction[] =
    "# Options\n"
    "\n"
    "Generated from include/weir/option_list.h by the build target `options_document`; a test\n"
    "compares. `weir options NAME` prints the same about one option.\n"
    "\n"
    "The calls `listen`, `connect` and `open` (of UDP) take a list of options when they create a\n"
    "socket, `setopts` changes a socket that is there, `getopts` reads. A list is checked as a "
    "whole\n"
    "before anything is done: an option that a call does not take, or a value out of its range, "
    "is\n"
    "`badarg` from a call that creates and `einval` from `setopts`, and nothing is set. Then it "
    "is\n"
    "applied. For a call that creates the last of duplicates counts. `setopts` goes front to back, "
    "so\n"
    "each of duplicates is set (`active` adds its counts up), and ends at the first that fails: "
    "what\n"
    "stands before it is set. Under `failure` is said what becomes of values that are in their "
    "range.\n"
    "An option of the other protocol is taken by `setopts`, does nothing, and is left out by\n"
    "`getopts`.\n"
    "\n"
    "A call that creates takes the runtime's defaults first, `default_connect_options` and\n"
    "`default_listen_options` of `weir_config`, or those of the environment,\n"
    "`WEIR_DEFAULT_CONNECT_OPTIONS` and `WEIR_DEFAULT_LISTEN_OPTIONS`, where the configuration "
    "has\n"
    "none; what it is given comes behind them. `active` of the defaults is dropped. An address "
    "given as\n"
    "an argument of `listen` beats `{ip,_}`, and a port that is not 0 beats `{port,_}`.\n"
    "\n"
    "In C an option is written `WEIR_PACKET(4)`, in text `{packet,4}`.\n";

/* A bar would end the cell. */
static void print_cell(const char *text)
{
    fputs(" ", stdout);
    for (; *text; text++)
        printf(*text == '|' ? "\\|" : "%c", *text);
    fputs(" |", stdout);
}

static void print_code_cell(const char *text)
{
    printf(" `%s` |", text);
}

static void print_table(void)
{
    char text[DESCRIPTION_SIZE];
    printf(
        "\n| option | value | default | taken by | what for |\n| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < OPTION_ROW_COUNT; i++) {
        const struct option_row *row = &option_rows[option_in_order(i)];
        printf("| [%s](#%s) |", row->atom, row->atom);
        print_code_cell(describe_value(row, text));
        print_code_cell(describe_initial(row, text));
        print_cell(describe_calls(row, text));
        print_cell(row->help);
        printf("\n");
    }
}

static void print_section(const struct option_row *row)
{
    char text[DESCRIPTION_SIZE];
    printf("\n## %s\n\n%c%s.", row->atom, row->help[0] - 'a' + 'A', row->help + 1);
    if (row->text)
        printf(" %s", row->text);
    printf("\n\n- value: `%s`\n", describe_value(row, text));
    printf("- default: `%s`\n", describe_initial(row, text));
    printf("- taken by: %s\n", describe_calls(row, text));
    printf("- kept by: %s\n", describe_keeper(row, text));
    printf("- reading: %s\n", describe_reading(row, text));
    printf("- accept: %s\n", describe_accept(row, text));
    printf("- failure: %s\n", describe_failure(row, text));
    printf("- from: %s\n", describe_source(row, text));
}

int main(int argc, char **argv)
{
    if (argc > 1 && !freopen(argv[1], "w", stdout)) {
        perror(argv[1]);
        return EXIT_FAILURE;
    }
    fputs(introduction, stdout);
    print_table();
    for (size_t i = 0; i < OPTION_ROW_COUNT; i++)
        print_section(&option_rows[option_in_order(i)]);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
