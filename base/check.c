/* SPDX-License-Identifier: MIT */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *file, int line, const char *condition, intmax_t left, intmax_t right)
{
    fprintf(stderr, "weir: %s:%d: broken invariant: %s (%jd, %jd)\n", file, line, condition, left,
            right);
    abort();
}
