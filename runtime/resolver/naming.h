/* SPDX-License-Identifier: MIT */
/*
 * What the look-ups of a runtime stand on. A configuration is never changed: loading another puts
 * it in its place, and who uses the one before keeps it until it takes the new one.
 */
#ifndef RUNTIME_RESOLVER_NAMING_H
#define RUNTIME_RESOLVER_NAMING_H

#include <pthread.h>

#include "address/inet_config.h"

struct natives;

struct naming {
    pthread_mutex_t lock; /* of `inet` */
    struct inet_config *inet;
    struct natives *natives;
};

/* `inet` is there already; closing frees it, also where nothing was opened. 0 or -ENOMEM. */
int naming_open(struct naming *naming);
void naming_close(struct naming *naming);

/* The present configuration, to be given back by inet_config_free. Any thread, as these. */
struct inet_config *naming_keep(struct naming *naming);
/* `inet` is taken. */
void naming_set(struct naming *naming, struct inet_config *inet);
/* What is asked for when nobody chooses. */
enum weir_family naming_family(struct naming *naming);

#endif
