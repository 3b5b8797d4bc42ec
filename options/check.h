/* SPDX-License-Identifier: MIT */
/* Whether values are of the right type and range. */
#ifndef OPTIONS_CHECK_H
#define OPTIONS_CHECK_H

#include "options/row.h"

/* 0, or -EINVAL with the option, its value and what it may be in the error text. */
int check_value(const weir_option *option);

#endif
