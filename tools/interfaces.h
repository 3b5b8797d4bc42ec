/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_INTERFACES_H
#define TOOLS_INTERFACES_H

extern const char interfaces_details[];

int interfaces_run(int argc, char **argv);

#endif
