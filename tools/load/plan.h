/* SPDX-License-Identifier: MIT */
/* What the command line asks for: one row per option in plan.c. */
#ifndef LOAD_PLAN_H
#define LOAD_PLAN_H

#include "load/arrivals.h"
#include "load/target.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <weir/weir.h>

enum { PLAN_HEADERS_MAX = 32, PLAN_SOURCES_MAX = 16, PLAN_SIZE_MAX = 16 << 20 };

/* The time that a warm-up without one takes: until it is steady. */
#define PLAN_UNTIL_STEADY UINT64_MAX

struct plan {
    const char *url;
    struct target target;

    bool is_open_loop; /* by --rate: sending times are planned. Else by connections */
    struct arrivals_shape arrivals;
    uint32_t connections;
    uint32_t depth; /* requests on their way per connection */
    uint64_t think_ns;
    bool churn;     /* a new connection for each request */
    bool own_queue; /* asks the kernel when it had each reply: of datagrams always */

    const char *packet;
    uint32_t size_min, size_max; /* of a tcp request, in bytes */
    const char *method;
    const char *headers[PLAN_HEADERS_MAX];
    size_t header_count;
    const char *body;
    uint32_t expected_status; /* 0: any of 200 to 299 */
    const char *expected_body;

    uint64_t duration_ns, warm_up_ns, timeout_ns;
    uint64_t count; /* 0: as many as the duration takes */
    uint64_t lag_bound_ns;
    weir_address sources[PLAN_SOURCES_MAX];
    size_t source_count;

    const char *find_rate; /* "p99<1ms": the highest rate at which that holds; NULL: one run */
    uint32_t rounds;
    const char *against; /* another URL, whose rounds come in turn with these; or NULL */
    struct target against_target;
    const char *against_json;
    uint32_t pid; /* of the server; 0: not known */

    const char *json, *hgrm, *csv, *html; /* where to; "-" is standard output */
};

/* 0, or an exit status; what is wrong has been said. */
int plan_read(int argc, char **argv, struct plan *plan);

/* Where what is said beside the results goes: standard error, when standard output is one of
 * theirs. */
FILE *plan_says_to(const struct plan *plan);

/* "250us", "1.5ms", "10s", "2m" in nanoseconds. False: it is none, or more than a week. */
bool plan_parse_time(const char *text, uint64_t *time_ns);

#endif
