/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_RC_H
#define TOOLS_RC_H

#define RC_ARGUMENTS "[FILE | --batch]"
extern const char rc_details[];

int rc_run(int argc, char **argv);

#endif
