/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_SERVE_H
#define TOOLS_SERVE_H

#define SERVE_ARGUMENTS "SERVICE --listen PLACE [--options TERMS] [--schedulers N] ..."
extern const char serve_details[];

int serve_run(int argc, char **argv);

#endif
