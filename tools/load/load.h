/* SPDX-License-Identifier: MIT */
/* weir load: makes load for a server, and says how it bore it. */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#define LOAD_ARGUMENTS "URL (--rate N | --connections N) [OPTION VALUE ...]"

extern const char load_details[];

int load_run(int argc, char **argv);

#endif
