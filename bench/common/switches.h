/* SPDX-License-Identifier: MIT */
/* Command lines of the form `--name value`, one row per switch. */
#ifndef COMMON_SWITCHES_H
#define COMMON_SWITCHES_H

enum switch_kind {
    SWITCH_NUMBER, /* value is a long * */
    SWITCH_TEXT,   /* value is a const char ** */
    SWITCH_FLAG,   /* value is a bool *; takes no argument */
};

struct switch_row {
    const char *name;
    enum switch_kind kind;
    void *value;
    const char *help;
};

/* The last row has no name. Prints the rows and exits on --help and on what it does not know. */
void switches_parse(const struct switch_row *rows, char **arguments);

#endif
