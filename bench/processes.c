/* SPDX-License-Identifier: MIT */
/*
 * Very many processes that wait with a time-out, as many of them as there are descriptors in
 * weir_udp_recv on a socket of their own and the rest in weir_receive: how long it takes to begin
 * them, to run them once more and to end them, and what memory they take meanwhile and leave.
 */
#include "common/fail.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <weir/weir.h>

static weir_runtime *runtime;
static uint32_t socket_count;
static atomic_uint begun;
static atomic_uint woken;
static atomic_uint ended;

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int check(int result, const char *what)
{
    if (result < 0)
        fail("%s: %s", what, weir_last_error_text());
    return result;
}

static double resident_mb(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*u %lu", &pages) != 1)
        fail("/proc/self/statm");
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static int wait_in_recv(void)
{
    weir_packet packet;
    weir_socket socket;
    int result = weir_udp_open(runtime, 0, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                               weir_owned_by_self(), &socket);
    if (result < 0)
        return result;
    atomic_fetch_add(&begun, 1);
    return weir_udp_recv(socket, 600000, &packet);
}

/* One message says that all are there; the next one ends it. */
static int wait_for_messages(void)
{
    weir_message message;
    atomic_fetch_add(&begun, 1);
    int result = weir_receive(600000, &message);
    atomic_fetch_add(&woken, 1);
    return result < 0 ? result : weir_receive(600000, &message);
}

static int run(void *data)
{
    return (uintptr_t)data < socket_count ? wait_in_recv() : wait_for_messages();
}

static void note_end(weir_process process, int reason, void *data)
{
    (void)process;
    (void)reason;
    (void)data;
    atomic_fetch_add(&ended, 1);
}

static void await(atomic_uint *counter, uint32_t count)
{
    while (atomic_load(counter) < count)
        usleep(1000);
}

static uint32_t descriptors(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > 200 ? (uint32_t)limit.rlim_cur - 200 : 0;
}

int main(int argc, char **argv)
{
    uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;
    const weir_process_options options = {.ended = note_end};
    weir_process *processes = calloc(count, sizeof(*processes));
    socket_count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : descriptors();
    if (socket_count > count)
        socket_count = count;
    if (!processes)
        fail("no memory");
    check(weir_start(&runtime, &(weir_config){.schedulers = 1}), "start");
    double before_mb = resident_mb();
    double began = now_s();
    for (uint32_t i = 0; i < count; i++)
        check(weir_spawn(runtime, 0, run, (void *)(uintptr_t)i, &options, &processes[i]), "spawn");
    await(&begun, count);
    double started = now_s();
    double full_mb = resident_mb();
    for (uint32_t i = socket_count; i < count; i++)
        check(weir_post(processes[i], NULL), "post");
    await(&woken, count - socket_count);
    double ran = now_s();
    for (uint32_t i = 0; i < count; i++)
        check(i < socket_count ? weir_kill(processes[i]) : weir_post(processes[i], NULL), "end");
    await(&ended, count);
    double over = now_s();
    usleep(1500000); /* memory goes back a second after a flood */
    double after_mb = resident_mb();
    printf("%u processes, %u of them in udp_recv: begun in %.3f s, all others woken in %.3f s, "
           "ended in %.3f s\n",
           count, socket_count, started - began, ran - started, over - ran);
    printf("resident: %.1f MB before, %.1f MB with them (%.0f bytes each), %.1f MB after\n",
           before_mb, full_mb, (full_mb - before_mb) * 1e6 / count, after_mb);
    check(weir_stop(runtime), "stop");
    free(processes);
    return 0;
}
