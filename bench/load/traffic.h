/* SPDX-License-Identifier: MIT */
/* The closed loop: each connection sends a batch, waits for all of it, and sends the next. */
#ifndef LOAD_TRAFFIC_H
#define LOAD_TRAFFIC_H

#include "load/frame.h"
#include "load/histogram.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

struct traffic_plan {
    struct sockaddr_in server;
    pid_t server_process; /* 0 = not known, its CPU time is not measured */
    unsigned connections;
    uint64_t warm_up_ns;
    uint64_t measured_ns;
    bool busy; /* polls instead of sleeping, to leave its own wake-ups out */
};

/* What happened between the end of the warm-up and the end. */
struct traffic_result {
    uint64_t elapsed_ns;
    uint64_t server_cpu_ns;
    uint64_t load_cpu_ns;
    uint64_t machine_busy_ns;   /* of all cores and everybody */
    struct histogram latencies; /* one per frame, from its batch's sending to its arrival */
};

void traffic_run(const struct traffic_plan *plan, struct frame_batch *batch,
                 struct traffic_result *result);

#endif
