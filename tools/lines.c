/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include "streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ssize_t read_after_answering(void *unused, char *to, size_t size)
{
    (void)unused;
    fflush(stdout);
    return streams_read(STDIN_FILENO, to, size);
}

FILE *lines_open(void)
{
    return fopencookie(NULL, "r", (cookie_io_functions_t){.read = read_after_answering});
}

int lines_close(FILE *lines, const char *command, bool was_last)
{
    const char *reason = strerror(errno);
    bool failed = !lines || (was_last && !feof(lines));
    if (failed)
        fprintf(stderr, "weir %s: standard input: %s\n", command, reason);
    if (lines)
        fclose(lines);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
