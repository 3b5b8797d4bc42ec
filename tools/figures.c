/* SPDX-License-Identifier: MIT */
#include "figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void figures_begin(struct figures *figures, const weir_runtime *runtime)
{
    figures->at_s = now_s();
    weir_get_totals(runtime, -1, &figures->sum);
    for (uint32_t i = 0; i < weir_scheduler_count(runtime); i++)
        weir_get_totals(runtime, (int)i, &figures->each[i]);
}

static double per_second(uint64_t now, uint64_t before, double seconds)
{
    return seconds > 0 ? (double)(now - before) / seconds : 0;
}

/* A line that wraps cannot be written over. */
static int terminal_width(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

enum { LINE_SIZE = 1024 };

void figures_show(struct figures *figures, const weir_runtime *runtime)
{
    const struct figures before = *figures;
    figures_begin(figures, runtime);
    double seconds = figures->at_s - before.at_s;
    const weir_totals *sum = &figures->sum;
    char line[LINE_SIZE];
    int size = snprintf(
        line, sizeof(line),
        "%" PRIu64 " connections  %.0f packets/s  %.2f MB/s  busy %" PRIu64 "  cores",
        sum->connections, per_second(sum->packets_received, before.sum.packets_received, seconds),
        per_second(sum->bytes_received, before.sum.bytes_received, seconds) / 1e6, sum->busy);
    for (uint32_t i = 0; i < weir_scheduler_count(runtime); i++)
        size +=
            snprintf(line + size, sizeof(line) - (size_t)size, " %3.0f%%",
                     per_second(figures->each[i].busy_ns, before.each[i].busy_ns, seconds) / 1e7);
    printf("\r%.*s\033[K", terminal_width() - 1, line);
    fflush(stdout);
}

void figures_print_totals(const weir_runtime *runtime)
{
    weir_totals totals;
    weir_get_totals(runtime, -1, &totals);
    printf("accepted %" PRIu64 " connections; received %" PRIu64 " packets, %" PRIu64
           " bytes; sent %" PRIu64 " packets, %" PRIu64 " bytes in %" PRIu64 " operations; %" PRIu64
           " system calls in %" PRIu64 " turns\n",
           totals.accepts, totals.packets_received, totals.bytes_received, totals.packets_sent,
           totals.bytes_sent, totals.send_operations, totals.system_calls, totals.turns);
}
