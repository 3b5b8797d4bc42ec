/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int scenario_expect_abort(void (*run)(void), const char *word)
{
    int fds[2];
    char text[4096] = "";
    size_t size = 0;
    EXPECT(pipe(fds) == 0, "pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        dup2(fds[1], STDERR_FILENO);
        alarm(60); /* for a hang to be a failure */
        run();
        _exit(0);
    }
    close(fds[1]);
    for (ssize_t count = 1; count > 0 && size<sizeof(text) - 1; size += count> 0 ? count : 0)
        count = read(fds[0], text + size, sizeof(text) - 1 - size);
    close(fds[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SCENARIO_SKIPPED)
        return SCENARIO_SKIPPED;
    EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "it ends by status %x, not aborted",
           status);
    EXPECT(strstr(text, word), "nothing is said of \"%s\": %s", word, text);
    printf("    %s", text);
    return 0;
}
