/* SPDX-License-Identifier: MIT */
/* Scenarios that change their process for good, each in a child of its own. */
#ifndef FAULTS_SCENARIO_H
#define FAULTS_SCENARIO_H

#include <stdbool.h>

enum { SCENARIO_SKIPPED = 77 };

struct scenario {
    const char *name;
    int (*run)(void); /* 0 or SCENARIO_SKIPPED; what is wrong ends the child by itself */
};

/* All of them. 0; 1 when one failed; SCENARIO_SKIPPED when every one was skipped. */
int scenarios_run(const struct scenario *scenarios, int count);

/* Says what is wrong, and exits. */
void scenario_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#define EXPECT(condition, ...)          \
    do {                                \
        if (!(condition))               \
            scenario_fail(__VA_ARGS__); \
    } while (0)

/* In a child of its own, which must abort and say this word. 0, or SCENARIO_SKIPPED. */
int scenario_expect_abort(void (*run)(void), const char *word);

/* Descriptors that are open. */
int scenario_descriptors(void);

#endif
