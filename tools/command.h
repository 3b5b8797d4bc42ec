/* SPDX-License-Identifier: MIT */
/* The subcommands of `weir`: one row each in the table of main.c, one file each beside it. */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

struct command {
    const char *name;
    const char *arguments; /* as usage shows them: "[--json]", or "" */
    const char *help;      /* one line */
    const char *details;   /* what `weir help NAME` adds, lines ending in \n; may be NULL */
    /* argv[0] is the command's name. Returns the exit status. */
    int (*run)(int argc, char **argv);
};

enum { EXIT_USAGE = 2 };

/* One line on stderr, "weir NAME: ...", and EXIT_USAGE. The line has to name the thing. */
int command_misused(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
