/* SPDX-License-Identifier: MIT */
/* The calls whose allocations are made to fail. */
#ifndef OOM_CASES_H
#define OOM_CASES_H

#include <stdbool.h>
#include <weir/weir.h>

enum oom_needs {
    DOES_WITHOUT_SOME,
    NEEDS_ALL, /* it never goes well when one of its allocations has failed */
};

struct oom_case {
    const char *name;
    bool needs_runtime;
    /* Once, from nothing to nothing. 0 or the error; anything else is said and ends the test. */
    int (*run)(weir_runtime *runtime);
    enum oom_needs needs;
};

/* The runtime that cases are given has one scheduler; this has two. */
extern weir_runtime *oom_two;

extern const struct oom_case oom_cases[];
extern const unsigned oom_case_count;

/* Connects to a name, looked up by the caller, or by the runtime for a handler. */
int resolve_on_thread(weir_runtime *runtime);
int resolve_on_scheduler(weir_runtime *runtime);

/* Datagrams: udp_cases.c. */
int oom_udp_open_and_close(weir_runtime *runtime);
int oom_udp_connect(weir_runtime *runtime);
int oom_udp_send(weir_runtime *runtime);
int oom_udp_receive(weir_runtime *runtime);
int oom_udp_serve(weir_runtime *runtime);

/* Local sockets: local_cases.c. */
int oom_local_open_and_close(weir_runtime *runtime);
int oom_local_stream(weir_runtime *runtime);
int oom_local_datagrams(weir_runtime *runtime);

/* Processes: process_cases.c. */
int oom_spawn(weir_runtime *runtime);
int oom_first_process(weir_runtime *runtime);
int oom_process_talks(weir_runtime *runtime);

/* A plain client, and weir's end of it. */
struct oom_pair {
    weir_socket listener;
    weir_socket socket;
    int client;
};

int oom_open_pair(weir_runtime *runtime, struct oom_pair *pair);
void oom_close_pair(struct oom_pair *pair);

/* What servers need beside bytes: server_cases.c. */
int oom_timers(weir_runtime *runtime);
int oom_broadcast(weir_runtime *runtime);
int oom_work(weir_runtime *runtime);

/* Says what is wrong, and exits. */
void oom_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
