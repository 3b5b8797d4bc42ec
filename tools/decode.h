/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_DECODE_H
#define TOOLS_DECODE_H

#define DECODE_ARGUMENTS "TYPE [--option NAME=VALUE]... | --batch"
extern const char decode_details[];

int decode_run(int argc, char **argv);

#endif
