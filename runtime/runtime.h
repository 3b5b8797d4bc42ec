/* SPDX-License-Identifier: MIT */
/* The schedulers of one weir_start. */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/list.h"
#include "options/options.h"
#include "runtime/resolver/resolver.h"
#include "runtime/scheduler/lease.h"
#include "runtime/scheduler/limits.h"
#include <weir/runtime.h>

struct scheduler;

enum { RUNTIME_SCHEDULERS_MAX = 64 };

struct weir_runtime {
    struct list link; /* in the list of runtimes, as are these two */
    uint64_t id;
    uint32_t inside_count; /* calls that are being made on it */
    struct scheduler_limits limits;
    uint32_t scheduler_count;
    struct lease_pool lease_pool;
    struct scheduler *schedulers[RUNTIME_SCHEDULERS_MAX];
    int cpus[RUNTIME_SCHEDULERS_MAX]; /* -1: not pinned */
    weir_option *default_connect;     /* or NULL */
    weir_option *default_listen;
    atomic_uint next; /* scheduler for a thread's socket */
    struct naming naming;
    pthread_mutex_t lock;
    pthread_cond_t started;
    uint32_t started_count;
};

/* Reads a configuration into the runtime's limits, schedulers and defaults. 0, -EINVAL, -ENOMEM. */
int runtime_configure(struct weir_runtime *runtime, const weir_config *config);

/* Where an inet configuration comes from: weir_config's fields of these names. */
struct inet_sources {
    const char *inetrc;
    const char *inet_terms;
};

/* Reads one. -EINVAL: of the terms; -ENOMEM. What is wrong with the file is in `*of_file` and the
 * error text, and what there is of it counts. */
int runtime_read_inet(struct inet_config **inet, const struct inet_sources *sources, int *of_file);

/* The registry index of the scheduler that a thread's next socket goes to. */
uint32_t runtime_next_scheduler(struct weir_runtime *runtime);

/* The registry index of the scheduler that a name or an address is looked up on. */
uint32_t runtime_home(const struct weir_runtime *runtime, const struct look_up *look_up);

/*
 * What weir_start does before it starts threads: a runtime whose schedulers wait to be opened. Who
 * drives them by hand publishes them in the registry, and has closed them before the runtime is
 * freed. Errors as weir_start, with nothing left behind.
 */
int runtime_create(struct weir_runtime **runtime, const weir_config *config);
void runtime_free(struct weir_runtime *runtime);

#endif
