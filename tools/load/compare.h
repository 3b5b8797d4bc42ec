/* SPDX-License-Identifier: MIT */
/* weir load compare A.json B.json */
#ifndef LOAD_COMPARE_H
#define LOAD_COMPARE_H

/* An exit status. */
int compare_run(int argc, char **argv);

#endif
