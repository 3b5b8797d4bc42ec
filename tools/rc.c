/* SPDX-License-Identifier: MIT */
#include "rc.h"

#include "address/inet_rc.h"
#include "command.h"
#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/error.h>

const char rc_details[] =
    "Reads the inet configuration FILE, or the one that WEIR_INETRC names, and prints\n"
    "what of it differs from the defaults: a term a line, each with its full stop.\n"
    "What is wrong with the file is said on standard error. With --batch each line of\n"
    "standard input names a file, and what it says is one list. Exit status: 1 when\n"
    "something was wrong with a file.\n";

static void print_terms(const weir_parameter *parameters, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("{%s,%s}.\n", parameters[i].name, parameters[i].value);
}

static void print_list(const weir_parameter *parameters, size_t count)
{
    putchar('[');
    for (size_t i = 0; i < count; i++)
        printf("%s{%s,%s}", i ? "," : "", parameters[i].name, parameters[i].value);
    puts("]");
}

typedef void printer(const weir_parameter *parameters, size_t count);

static int no_memory(void)
{
    fputs("weir rc: out of memory\n", stderr);
    return EXIT_FAILURE;
}

static int print_config(const struct inet_config *config, printer *print)
{
    weir_parameter *parameters;
    size_t count;
    if (inet_rc_list(config, &parameters, &count) < 0)
        return no_memory();
    print(parameters, count);
    weir_parameters_free(parameters);
    return EXIT_SUCCESS;
}

/* As in the document, a file with faults counts as far as it can. */
static int show(const char *path, printer *print)
{
    struct inet_config *config;
    if (inet_config_create(&config) < 0)
        return no_memory();
    int result = path ? inet_config_load(config, path) : 0;
    if (result < 0)
        fprintf(stderr, "weir rc: %s\n", weir_last_error_text());
    int status = print_config(config, print);
    inet_config_free(config);
    return result < 0 ? EXIT_FAILURE : status;
}

static int show_line(char *line, size_t size, size_t number)
{
    if (strlen(line) != size) {
        puts("[]");
        return command_misused("rc", "line %zu holds a NUL byte", number);
    }
    line[strcspn(line, "\n")] = '\0';
    return show(line, print_list);
}

/* Each line is answered by a list, whatever was wrong with those before it. */
static int run_batch(void)
{
    FILE *lines = lines_open();
    char *line = NULL;
    size_t capacity = 0;
    int status = EXIT_SUCCESS;
    ssize_t size = 0;
    for (size_t number = 1;
         lines && !ferror(stdout) && (size = getline(&line, &capacity, lines)) >= 0; number++) {
        int result = show_line(line, (size_t)size, number);
        status = result == EXIT_SUCCESS ? status : result;
    }
    int result = lines_close(lines, "rc", size < 0);
    free(line);
    return result == EXIT_SUCCESS ? status : result;
}

/* An empty path is none, as to a runtime. */
static const char *given(void)
{
    const char *path = getenv("WEIR_INETRC");
    return path && *path ? path : NULL;
}

int rc_run(int argc, char **argv)
{
    if (argc > 2)
        return command_misused("rc", "one file at a time, not also '%s'", argv[2]);
    if (argc == 2 && strcmp(argv[1], "--batch") == 0)
        return run_batch();
    if (argc == 2 && argv[1][0] == '-')
        return command_misused("rc", "'%s' is neither --batch nor a file", argv[1]);
    return show(argc == 2 ? argv[1] : given(), print_terms);
}
