/* SPDX-License-Identifier: MIT */
#include "load/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINE_SIZE = 512, BARS = 24 };

static int terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* A bar per second: the 99th percentile, each step four times the one before, from 16 us on. */
static void draw_bars(const struct results *results, uint32_t count, char text[BARS + 1])
{
    static const char steps[] = "_.-:=+*#%@";
    uint32_t first = count > BARS ? count - BARS : 0;
    for (uint32_t i = first; i < count; i++) {
        unsigned step = 0;
        for (uint64_t bound_ns = 16000; step < sizeof(steps) - 2; step++, bound_ns *= 4)
            if (results->seconds[i].p99_ns < bound_ns)
                break;
        text[i - first] = steps[step];
    }
    text[count - first] = '\0';
}

/* How the responses of a second lie: a column for each doubling, from 16 us to 4 s. */
static void draw_shares(const struct results_second *second, char text[RESULTS_CLASSES + 1])
{
    static const char steps[] = " .:-=+*#%@"; /* none, up to 1%, 2%, 4% and so on */
    for (int i = 0; i < RESULTS_CLASSES; i++) {
        unsigned step = second->shares[i] > 0;
        while (step > 0 && step < sizeof(steps) - 2 && second->shares[i] >= 1U << step)
            step++;
        text[i] = steps[step];
    }
    text[RESULTS_CLASSES] = '\0';
}

void live_show(const struct results *results, void *unused)
{
    uint32_t count = __atomic_load_n(&results->second_count, __ATOMIC_ACQUIRE);
    char line[LINE_SIZE], bars[BARS + 1], shares[RESULTS_CLASSES + 1];
    (void)unused;
    if (count == 0 || !isatty(STDERR_FILENO))
        return;
    const struct results_second *second = &results->seconds[count - 1];
    draw_bars(results, count, bars);
    draw_shares(second, shares);
    snprintf(line, sizeof(line),
             "%us  %" PRIu64 "/s  failed %" PRIu64 "  p50 %.2f  p99 %.2f  max %.2f ms  "
             "16us|%s|4s  p99: %s",
             count, second->answered, second->failed, (double)second->p50_ns / 1e6,
             (double)second->p99_ns / 1e6, (double)second->max_ns / 1e6, shares, bars);
    fprintf(stderr, "\r%.*s\033[K", terminal_width() - 1, line);
}

void live_begin(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\rconnecting and warming up\033[K", stderr);
}

void live_end(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}
