/* SPDX-License-Identifier: MIT */
/*
 * What connections lack of their listener's options: what was set after they had come, and what
 * the kernel gives to none. A connection has its listener's options as of the moment that it came;
 * so when one is set, those that wait are counted (`late_count`, UINT32_MAX when the kernel does
 * not say) and the option is remembered (`late`) until that many have been accepted. They come in
 * order, so one count is enough for options set at different times: who gets one it has already is
 * none the worse. Those that have been accepted and are nobody's yet are given it at once. What the
 * kernel gives to none stays in `late` for ever.
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
int late_options_note(struct scheduler *scheduler, struct listener *listener,
                      const weir_option *options);

/* Sets what a connection that was accepted now lacks of its listener's options. */
void late_options_complete(struct listening *listening, int fd);

#endif
