/* SPDX-License-Identifier: MIT */
/* What was set on a listener after it began to listen: connections that came before lack it. */
#ifndef RUNTIME_LATE_OPTIONS_H
#define RUNTIME_LATE_OPTIONS_H

#include "options/options.h"

/* `earlier` (may be NULL) without what `later` sets again, then `later`. NULL: no memory. */
weir_option *late_options_join(const weir_option *earlier, const weir_option *later);

#endif
