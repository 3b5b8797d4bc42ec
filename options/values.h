/* SPDX-License-Identifier: MIT */
/* What weir keeps itself: reading and writing the fields of struct option_values by row. */
#ifndef OPTIONS_VALUES_H
#define OPTIONS_VALUES_H

#include "options/row.h"

/* The defaults of a new socket. */
void values_initialize(struct option_values *values, bool udp);

/* Stores a checked option in its field, floor applied, and keeps what depends on it true. -EINVAL
 * for a value that its type allows and only setting refuses: RETURNED in the list. */
int values_set(struct option_values *values, const weir_option *option);

int64_t values_load(const struct option_values *values, const struct option_row *row);

/* What an option does to values beside its own: recbuf and sndbuf raise buffer. */
void values_follow(struct option_values *values, const weir_option *option);

#endif
