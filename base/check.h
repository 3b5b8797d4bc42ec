/* SPDX-License-Identifier: MIT */
/*
 * Checks of our own invariants. They stay on in release builds; what peers, the kernel and callers
 * do wrong is never checked here but returned as an error.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stdint.h>

/* Prints file, line, the condition and both values, then aborts. */
_Noreturn void check_failed(const char *file, int line, const char *condition, intmax_t left,
                            intmax_t right);

#define CHECK_COMPARE(left, op, right)                                                       \
    do {                                                                                     \
        __typeof__(left) check_left = (left);                                                \
        __typeof__(right) check_right = (right);                                             \
        if (__builtin_expect(!(check_left op check_right), 0))                               \
            check_failed(__FILE__, __LINE__, #left " " #op " " #right, (intmax_t)check_left, \
                         (intmax_t)check_right);                                             \
    } while (0)

#define CHECK(condition)                                        \
    do {                                                        \
        if (__builtin_expect(!(condition), 0))                  \
            check_failed(__FILE__, __LINE__, #condition, 0, 0); \
    } while (0)

#define CHECK_EQ(left, right) CHECK_COMPARE(left, ==, right)
#define CHECK_NE(left, right) CHECK_COMPARE(left, !=, right)
#define CHECK_LT(left, right) CHECK_COMPARE(left, <, right)
#define CHECK_LE(left, right) CHECK_COMPARE(left, <=, right)
#define CHECK_GT(left, right) CHECK_COMPARE(left, >, right)
#define CHECK_GE(left, right) CHECK_COMPARE(left, >=, right)
#define CHECK_NEVER(value)    check_failed(__FILE__, __LINE__, "unreachable: " #value, (value), 0)

#endif
