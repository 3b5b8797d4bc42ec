/* SPDX-License-Identifier: MIT */
/* Rows in words, for `weir options` and docs/OPTIONS.md. */
#ifndef OPTIONS_DESCRIBE_H
#define OPTIONS_DESCRIBE_H

#include "options/row.h"

enum { DESCRIPTION_SIZE = 192 };

/* What becomes of a value that is in its range when it is set by a call. */
enum failure {
    FAILURE_NONE,
    FAILURE_PASSED_OVER,   /* the kernel may refuse it, and nobody is told */
    FAILURE_BADARG,        /* below 1, although its range begins there */
    FAILURE_EINVAL,        /* the same, where the list ends there */
    FAILURE_KERNEL,        /* the call gives what the kernel refuses it with */
    FAILURE_KERNEL_EINVAL, /* it gives einval instead, and the list ends there */
};
enum failure failure_of(const struct option_row *row, enum option_scope scope);

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
