/* SPDX-License-Identifier: MIT */
/* Criterion runs each test by running its own program again, which a kernel of another architecture
 * refuses. Preloaded, this has the emulator run it. */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WORDS_MAX = 64 };

int execve(const char *path, char *const arguments[], char *const environment[])
{
    char *emulator = getenv("WEIR_EMULATOR");
    char *words[WORDS_MAX] = {emulator, "-0", arguments[0], (char *)path};
    size_t count = 4;
    for (size_t i = 1; arguments[0] != NULL && arguments[i] != NULL; i++) {
        if (count + 1 == WORDS_MAX) {
            errno = E2BIG;
            return -1;
        }
        words[count++] = arguments[i];
    }
    return (int)syscall(SYS_execve, emulator, words, environment);
}
