/* SPDX-License-Identifier: MIT */
/* The command `weir`: one table of subcommands, and what is said about them. */
#include "address.h"
#include "base/suggest.h"
#include "command.h"
#include "decode.h"
#include "doctor.h"
#include "interfaces.h"
#include "load/load.h"
#include "options.h"
#include "rc.h"
#include "resolve.h"
#include "serve.h"
#include "streams.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/version.h>

static int run_help(int argc, char **argv);
static int run_version(int argc, char **argv);

static const struct command commands[] = {
    {"address", ADDRESS_ARGUMENTS, "say how texts read as addresses", address_details, address_run},
    {"decode", DECODE_ARGUMENTS, "print the packets of standard input as Erlang terms",
     decode_details, decode_run},
    {"doctor", DOCTOR_ARGUMENTS, "say whether this machine can run weir, and what to change",
     doctor_details, doctor_run},
    {"help", "[COMMAND]", "say what there is, or what COMMAND does", NULL, run_help},
    {"interfaces", "", "list the network interfaces", interfaces_details, interfaces_run},
    {"load", LOAD_ARGUMENTS, "make load for a server, and say how it bears it", load_details,
     load_run},
    {"options", OPTIONS_ARGUMENTS, "list the options, or say all about one", options_details,
     options_run},
    {"rc", RC_ARGUMENTS, "print what the inet configuration says", rc_details, rc_run},
    {"resolve", RESOLVE_ARGUMENTS, "look up a name or an address", resolve_details, resolve_run},
    {"serve", SERVE_ARGUMENTS, "serve clients until SIGTERM or SIGINT", serve_details, serve_run},
    {"version", "", "print the version", NULL, run_version},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

int command_misused(const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "weir %s: ", name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return EXIT_USAGE;
}

/* "--help" and "--version" are the commands of those names, "-h" and "-V" are short for them. */
static const struct command *find(const char *name)
{
    if (strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "-V") == 0)
        name = "version";
    if (strncmp(name, "--", 2) == 0)
        name += 2;
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int unknown(const char *name)
{
    char text[SUGGEST_TEXT_SIZE];
    struct suggestion suggestion;
    suggest_begin(&suggestion, name, strlen(name));
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        suggest_look(&suggestion, commands[i].name);
    fprintf(stderr, "weir: there is no command '%s'%s\n", name,
            suggestion.nearest ? suggest_text(&suggestion, text) : "; 'weir help' lists them");
    return EXIT_USAGE;
}

static void list(FILE *to)
{
    fprintf(to, "weir %s: a per-core io_uring socket runtime\n\nusage: weir COMMAND ...\n\n",
            weir_version());
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    fprintf(to, "\n'weir help COMMAND' says more about one.\n");
}

static void explain(const struct command *command)
{
    const char *space = command->arguments[0] ? " " : "";
    printf("usage: weir %s%s%s\n\n%s\n", command->name, space, command->arguments, command->help);
    if (command->details)
        printf("\n%s", command->details);
}

static int run_help(int argc, char **argv)
{
    if (argc > 2)
        return command_misused("help", "one command at a time, not also '%s'", argv[2]);
    if (argc < 2) {
        list(stdout);
        return EXIT_SUCCESS;
    }
    const struct command *command = find(argv[1]);
    if (!command)
        return unknown(argv[1]);
    explain(command);
    return EXIT_SUCCESS;
}

static int run_version(int argc, char **argv)
{
    if (argc > 1)
        return command_misused("version", "takes no arguments, but was given '%s'", argv[1]);
    printf("weir %s\n", weir_version());
    return EXIT_SUCCESS;
}

/* Wherever it stands: who has half a command line wants to know how it goes on. */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int run(const struct command *command, int argc, char **argv)
{
    if (!asks_for_help(argc, argv))
        return command->run(argc, argv);
    explain(command);
    return EXIT_SUCCESS;
}

/* What was printed has to arrive: a full disk is a failure, not a success with half an answer. */
static int flushed(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    perror("weir: standard output");
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    streams_prepare();
    if (argc < 2) {
        list(stderr);
        return EXIT_USAGE;
    }
    const struct command *command = find(argv[1]);
    if (!command)
        return unknown(argv[1]);
    return flushed(run(command, argc - 1, argv + 1));
}
