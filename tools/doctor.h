/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_DOCTOR_H
#define TOOLS_DOCTOR_H

#define DOCTOR_ARGUMENTS ""

extern const char doctor_details[];

int doctor_run(int argc, char **argv);

#endif
