/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_ADDRESS_H
#define TOOLS_ADDRESS_H

#define ADDRESS_ARGUMENTS "TEXT... | --batch"
extern const char address_details[];

int address_run(int argc, char **argv);

#endif
