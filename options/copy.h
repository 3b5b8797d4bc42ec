/* SPDX-License-Identifier: MIT */
/* Lists in memory of their own. */
#ifndef OPTIONS_COPY_H
#define OPTIONS_COPY_H

#include "options/options.h"

/* As options_copy; raw requests that have a size and no buffer get one, of zeros. */
weir_option *copy_request(const weir_option *options);

#endif
