/* SPDX-License-Identifier: MIT */
/* Standard input, line by line, for commands that answer each line. */
#ifndef TOOLS_LINES_H
#define TOOLS_LINES_H

#include <stdbool.h>
#include <stdio.h>

/* For getline and lines_close. What has been answered is written out before input is waited for.
 * NULL: no memory. */
FILE *lines_open(void);

/* How the command ends: EXIT_FAILURE, with a message, when there was no line although it was not
 * the end. Directly after getline. NULL has failed too. */
int lines_close(FILE *lines, const char *command, bool was_last);

#endif
