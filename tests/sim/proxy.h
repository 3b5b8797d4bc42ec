/* SPDX-License-Identifier: MIT */
/*
 * Connections that proxies pass on, to services with {proxy_protocol,true}: what they say first, in
 * one form or another, wrong, cut short or not at all. Each is handed over once, when its header
 * has come and no byte behind it was taken, by the names that this says; or it is refused for a
 * reason, in time, and counted.
 */
#ifndef SIM_PROXY_H
#define SIM_PROXY_H

#include <stdint.h>

struct conn;

void proxy_reset(void);

/* For a service's {proxy_timeout,_}. */
int64_t proxy_some_timeout_ms(void);

/* The peer of a new connection is a proxy: a header stands before what it was to say. */
void proxy_plan(uint32_t link);

/* Its descriptor is closed. */
void proxy_file_closed(uint32_t link);

/* Its application asks who it is. */
void proxy_check_names(const struct conn *conn);

/* Everybody sleeps, and time passes; a scheduler has refused so many; the end. */
void proxy_check_asleep(void);
void proxy_count_refused(uint64_t count);
void proxy_check_end(void);

#endif
