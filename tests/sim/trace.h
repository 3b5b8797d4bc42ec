/* SPDX-License-Identifier: MIT */
/* The last things that happened, for when a run fails. */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdint.h>

/* `format` is a literal that takes at most four %lld. */
void trace(const char *format, int64_t a, int64_t b, int64_t c, int64_t d);
void trace_clear(void);

/* What went before, oldest first, to standard error. */
void trace_print(void);

/* A rule is broken: says which and aborts. */
void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#define SIM_CHECK(condition, ...)              \
    do {                                       \
        if (__builtin_expect(!(condition), 0)) \
            sim_fail(__VA_ARGS__);             \
    } while (0)

#endif
