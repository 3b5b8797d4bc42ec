/* SPDX-License-Identifier: MIT */
/* The system's files that an inet configuration may name: {file,Type,Path}. */
#ifndef ADDRESS_SYSTEM_FILE_H
#define ADDRESS_SYSTEM_FILE_H

#include "address/inet_config.h"

struct system_file;

/* What reads files of a type, "hosts" or "resolv" say; NULL: there is no such type. */
const struct system_file *system_file_find(const char *type);

/* 0; an error of read_whole_file; -EINVAL: a line was left out, with where it is in the error text,
 * or -ENOMEM. */
int system_file_load(const struct system_file *file, struct inet_config *config, const char *path);

#endif
