/* SPDX-License-Identifier: MIT */
/*
 * The load itself, on one scheduler. traffic_turn is run there whenever something is due by the
 * clock; between two of these, replies make it go on. What it goes through:
 *
 *   opening    until every connection is open, or the time-out has passed and one is
 *   warming    requests that do not count, until they are steady
 *   measuring  requests that count, by their planned time
 *   draining   nothing new: until each request that counts has its outcome
 *   over
 *
 * A request that is planned while no connection has room waits; its planned time stays what it is.
 */
#ifndef LOAD_TRAFFIC_H
#define LOAD_TRAFFIC_H

#include "load/alarm.h"
#include "load/arrivals.h"
#include "load/connection.h"
#include "load/plan.h"
#include "load/protocol.h"
#include "load/results.h"
#include "load/stamped.h"
#include "load/steady.h"

enum traffic_phase {
    TRAFFIC_OPENING,
    TRAFFIC_WARMING,
    TRAFFIC_MEASURING,
    TRAFFIC_DRAINING,
    TRAFFIC_OVER
};

struct traffic {
    const struct plan *plan;
    const struct protocol *protocol;
    weir_runtime *runtime;
    struct results *results;
    struct alarm alarm;
    weir_option *options; /* one list per source address */
    size_t option_count;  /* in each */
    enum traffic_phase phase;
    int error; /* why it ended before it began */

    struct connection *connections;
    struct request *requests;
    char *replies;
    struct stamped *stamped; /* with --own-queue one for each, else NULL */
    uint8_t *stamped_bytes;
    uint32_t connecting_count, open_count;
    struct list with_room, thinking, down;

    struct arrivals arrivals;
    uint64_t arrivals_begin_ns;
    uint64_t next_ns;       /* planned, and not sent yet */
    uint64_t planned_count; /* that count */
    uint64_t pending_count; /* of these: without an outcome */
    uint64_t phase_begin_ns, slice_end_ns, tick_ns;
    uint64_t size_dice;
    uint64_t cpu_begin_ns;
    struct steady steady;
    weir_totals totals; /* when it began to count */
    uint64_t armed_ns;  /* what the alarm is set to */
    bool is_posted;     /* there is a turn to come without it */
    bool is_interrupted;
};

/* 0, or an exit status. Afterwards traffic_free in either case. */
int traffic_prepare(struct traffic *traffic, const struct plan *plan, weir_runtime *runtime,
                    struct results *results);
void traffic_free(struct traffic *traffic);

/* On the scheduler. `data` is the traffic. */
void traffic_turn(void *data);
void traffic_interrupt(void *data);

/* For connections: it is open; it could not be opened; it has room again; it is down. */
void traffic_opened(struct connection *connection);
void traffic_not_opened(struct connection *connection, int error);
void traffic_has_room(struct connection *connection, uint64_t now_ns);
void traffic_is_down(struct connection *connection);

/* For connections: what became of a request. `now_ns`: when. */
void traffic_done(struct connection *connection, const struct request *request,
                  enum outcome outcome, uint64_t now_ns);

/* For connections: a measured reply is looked at, which the kernel had at a time since 1970. */
void traffic_queued(struct traffic *traffic, uint64_t received_ns);

#endif
