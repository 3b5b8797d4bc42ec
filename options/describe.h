/* SPDX-License-Identifier: MIT */
/* Rows in words, for `weir options` and docs/OPTIONS.md. */
#ifndef OPTIONS_DESCRIBE_H
#define OPTIONS_DESCRIBE_H

#include "options/row.h"

enum { DESCRIPTION_SIZE = 192 };

/* Each writes into `text` and returns it. */
const char *describe_value(const struct option_row *row, char text[DESCRIPTION_SIZE]);
const char *describe_initial(const struct option_row *row, char text[DESCRIPTION_SIZE]);
const char *describe_calls(const struct option_row *row, char text[DESCRIPTION_SIZE]);
const char *describe_reading(const struct option_row *row, char text[DESCRIPTION_SIZE]);
const char *describe_keeper(const struct option_row *row, char text[DESCRIPTION_SIZE]);
const char *describe_accept(const struct option_row *row, char text[DESCRIPTION_SIZE]);
const char *describe_failure(const struct option_row *row, char text[DESCRIPTION_SIZE]);
const char *describe_source(const struct option_row *row, char text[DESCRIPTION_SIZE]);

#endif
