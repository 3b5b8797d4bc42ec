/* SPDX-License-Identifier: MIT */
/*
 * What connections lack of their listener's options: what was set after they had come, and what
 * the kernel gives to none.
 */
#ifndef RUNTIME_LISTENER_LATE_OPTIONS_H
#define RUNTIME_LISTENER_LATE_OPTIONS_H

#include "options/options.h"

struct listener;
struct listening;
struct scheduler;

/* `earlier` (may be NULL) without what `later` sets again, then `later`. NULL: no memory. */
weir_option *late_options_join(const weir_option *earlier, const weir_option *later);

/* Those that the kernel gives to no connection, of `options`. NULL: none. Shortens it in place. */
weir_option *late_options_shorten(weir_option *options);

/* Remembers options that were set on a listening socket: connections that have come lack them.
 * 0, or -ENOMEM. */
int late_options_note(struct scheduler *scheduler, struct listener *socket,
                      const weir_option *options);

/* Sets what a connection lacks of its listener's options. */
void late_options_complete(struct listening *listener, int fd);
/* One that had been given what it lacks will be given it once more. */
void late_options_count_again(struct listening *listener);

#endif
