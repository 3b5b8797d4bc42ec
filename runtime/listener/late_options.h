/* SPDX-License-Identifier: MIT */
/*
 * What connections lack of their listener's options: what was set after they had come, and what
 * the kernel gives to none.
 */
#ifndef RUNTIME_LISTENER_LATE_OPTIONS_H
#define RUNTIME_LISTENER_LATE_OPTIONS_H

#include "options/options.h"

/* `earlier` (may be NULL) without what `later` sets again, then `later`. NULL: no memory. */
weir_option *late_options_join(const weir_option *earlier, const weir_option *later);

/* Those that the kernel gives to no connection, of `options`. NULL: none. Shortens it in place. */
weir_option *late_options_shorten(weir_option *options);

#endif
