/* SPDX-License-Identifier: MIT */
#include "sim/trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/kernel.h"

enum { LINE_COUNT = 1 << 15 };

struct line {
    const char *format;
    uint64_t at_ns;
    int64_t values[4];
};

static struct line lines[LINE_COUNT];
static uint64_t line_count;

void trace(const char *format, int64_t a, int64_t b, int64_t c, int64_t d)
{
    lines[line_count++ % LINE_COUNT] = (struct line){format, kernel.now_ns, {a, b, c, d}};
}

void trace_clear(void)
{
    line_count = 0;
}

/* Every format is a literal of this folder's. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
static void print_line(const struct line *line)
{
    fprintf(stderr, "%12.3f us  ", (double)line->at_ns / 1000.0);
    fprintf(stderr, line->format, line->values[0], line->values[1], line->values[2],
            line->values[3]);
    fputc('\n', stderr);
}
#pragma GCC diagnostic pop

void trace_print(void)
{
    enum { SHOWN = 60 };
    uint64_t first = line_count > SHOWN ? line_count - SHOWN : 0;
    const char *all = getenv("SIM_TRACE");
    if (all)
        first = line_count > LINE_COUNT ? line_count - LINE_COUNT : 0;
    for (uint64_t i = first; i < line_count; i++)
        print_line(&lines[i % LINE_COUNT]);
}

void sim_fail(const char *format, ...)
{
    va_list arguments;
    fputs("sim: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}
