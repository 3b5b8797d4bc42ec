/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void scenario_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

int scenario_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = -1; /* its own */
    if (!folder)
        scenario_fail("no /proc");
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2; /* . and .. */
}

static int run_one(const struct scenario *scenario)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        exit(scenario->run());
    int status = 0;
    waitpid(child, &status, 0);
    int result = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    printf("%-40s %s\n", scenario->name,
           result == 0                  ? "passed"
           : result == SCENARIO_SKIPPED ? "skipped"
                                        : "FAILED");
    return result;
}

int scenarios_run(const struct scenario *scenarios, int count)
{
    int passed = 0;
    int failed = 0;
    for (int i = 0; i < count; i++) {
        int result = run_one(&scenarios[i]);
        passed += result == 0;
        failed += result != 0 && result != SCENARIO_SKIPPED;
    }
    if (failed > 0)
        return 1;
    return passed > 0 ? 0 : SCENARIO_SKIPPED;
}
