/* SPDX-License-Identifier: MIT */
/* Reads the rounds of two files that --json has written. Only what is written there is read: it is
 * no reader of JSON. */
#include "load/compare.h"

#include "base/memory.h"
#include "command.h"
#include "load/rounds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_SIZE_MAX = 64 << 20, KEY_SIZE = 64 };

/* The whole file, ended by NUL; NULL with errno. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    size_t size = 0, capacity = 1 << 16;
    char *text = memory_allocate(capacity);
    while (text && size < FILE_SIZE_MAX) {
        size_t count = fread(text + size, 1, capacity - size - 1, file);
        size += count;
        text[size] = '\0';
        if (size + 1 < capacity)
            break;
        char *larger = memory_resize(text, capacity *= 2);
        if (!larger)
            memory_free(text);
        text = larger;
    }
    fclose(file);
    return text;
}

/* The number behind "key": within [from, to). */
static bool read_figure(const char *from, const char *to, const char *key, double *figure)
{
    char quoted[KEY_SIZE], *end;
    int size = snprintf(quoted, sizeof(quoted), "\"%s\": ", key);
    const char *at = strstr(from, quoted);
    if (!at || at >= to)
        return false;
    *figure = strtod(at + size, &end);
    return end != at + size;
}

static bool read_round(const char *from, const char *to, double figures[ROUNDS_FIGURES])
{
    for (int figure = 0; figure < ROUNDS_FIGURES; figure++)
        if (!read_figure(from, to, rounds_name(figure), &figures[figure]))
            return false;
    return true;
}

static bool parse_rounds(const char *text, struct rounds *rounds)
{
    const char *at = strstr(text, "\"rounds\": ["), *end = at ? strchr(at, ']') : NULL;
    bool is_ours = strncmp(text, "{\n  \"format\": 1,", 16) == 0;
    rounds->count = 0;
    if (!is_ours || !end)
        return false;
    while ((at = strchr(at, '{')) && at < end && rounds->count < ROUNDS_MAX) {
        const char *close = strchr(at, '}');
        if (!close || !read_round(at, close, rounds->figures[rounds->count++]))
            return false;
        at = close;
    }
    return true;
}

static int read_rounds(const char *path, struct rounds *rounds)
{
    errno = ENOMEM;
    char *text = read_file(path);
    if (!text)
        return command_misused("load", "compare: %s: %s", path, strerror(errno));
    bool is_ours = parse_rounds(text, rounds);
    memory_free(text);
    return is_ours ? 0 : command_misused("load", "compare: %s is not of weir load --json", path);
}

int compare_run(int argc, char **argv)
{
    if (argc != 3)
        return command_misused("load", "compare takes two files of --json: A and B");
    struct rounds *rounds = memory_allocate_zeroed(2, sizeof(*rounds));
    if (!rounds)
        return command_misused("load", "compare: no memory");
    int status = read_rounds(argv[1], &rounds[0]);
    if (status == 0)
        status = read_rounds(argv[2], &rounds[1]);
    if (status == 0)
        status = rounds_print(stdout, &rounds[0], &rounds[1]);
    memory_free(rounds);
    return status;
}
