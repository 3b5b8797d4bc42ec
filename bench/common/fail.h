/* SPDX-License-Identifier: MIT */
/* The benchmark programs have one answer to trouble: say what it was and exit. */
#ifndef COMMON_FAIL_H
#define COMMON_FAIL_H

/* Prints "program: text" and exits with 1. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with the text of `error`, an errno or its negative. */
_Noreturn void fail_errno(int error, const char *what);

#endif
