/* SPDX-License-Identifier: MIT */
/*
 * What was measured. The distributions:
 *   response  from the time that was planned to the reply; a request that failed is in it with
 *             the time-out at least, so that failing never makes it look better
 *   service   from the actual sending to the reply; of answered requests
 *   lag       from when the request could have gone (planned, and a connection had room) until it
 *             was handed to the kernel's queue: what this program itself was late
 *   queue     from when the kernel had a whole reply until this program looked at it; none of local
 *             streams, of which the kernel does not say it, nor of others without --own-queue
 */
#ifndef LOAD_RESULTS_H
#define LOAD_RESULTS_H

#include "load/histogram.h"
#include "load/outcome.h"
#include "load/process.h"
#include "load/rounds.h"

#include <stdbool.h>

enum { RESULTS_SECONDS_MAX = 7 * 24 * 3600, RESULTS_CLASSES = 20 };

/* Where the first of these classes ends; each of the others ends at twice the one before. */
#define RESULTS_CLASS_NS UINT64_C(16384)

/* One second of the measured time, by when its replies came. */
struct results_second {
    uint64_t answered;
    uint64_t failed;
    uint64_t p50_ns, p99_ns, max_ns; /* of responses */
    uint8_t shares[RESULTS_CLASSES]; /* percent of them in each class, 1 for less than that; the
                                      * last has all that is above it */
};

struct results {
    struct histogram response;
    struct histogram service;
    struct histogram lag;
    struct histogram queue;
    struct histogram second; /* responses of the second that is on */
    uint64_t outcomes[OUTCOME_COUNT];
    uint64_t connects;
    uint64_t connect_failures;
    char connect_error[160]; /* of the last that failed */
    uint64_t begin_ns, end_ns;
    uint64_t warm_up_ns;
    bool is_steady; /* the warm-up ended by its test, not by running out of time */
    bool is_interrupted;
    uint64_t cpu_ns; /* of the thread that makes the load */
    uint64_t bytes_sent, bytes_received, system_calls;
    struct rounds rounds; /* of all that was put together in it */
    bool has_server;      /* the two samples, of its begin and its end */
    struct process_sample server_begin, server_end;
    uint32_t second_count;
    uint64_t second_failed;
    struct results_second *seconds;
};

/* NULL: no memory. */
struct results *results_create(void);
void results_free(struct results *results);

/* From here on it counts: all that was before is forgotten. */
void results_restart(struct results *results, uint64_t now_ns);

/* Puts a run to those before it. */
void results_add_round(struct results *all, const struct results *run);

/* The first becomes the second. */
void results_copy(struct results *to, const struct results *from);

void results_add(struct results *results, enum outcome outcome, uint64_t response_ns);

/* Ends the seconds that have passed by now. */
void results_tick(struct results *results, uint64_t now_ns);

uint64_t results_failed(const struct results *results);
uint64_t results_requests(const struct results *results);
double results_elapsed_s(const struct results *results);

#endif
