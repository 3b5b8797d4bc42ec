/* SPDX-License-Identifier: MIT */
/* `weir options`: the table of options, or all about one. */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#define OPTIONS_ARGUMENTS "[NAME]"

extern const char options_details[];

int options_run(int argc, char **argv);

#endif
