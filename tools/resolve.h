/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_RESOLVE_H
#define TOOLS_RESOLVE_H

#define RESOLVE_ARGUMENTS "NAME|ADDRESS [OPTION VALUE ...]"
extern const char resolve_details[];

int resolve_run(int argc, char **argv);

#endif
