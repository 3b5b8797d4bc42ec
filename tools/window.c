/* SPDX-License-Identifier: MIT */
#include "window.h"
#include "base/memory.h"
#include "streams.h"
#include <errno.h>
#include <string.h>

enum { READ_SIZE = 64 * 1024 };

static int make_room(struct window *window)
{
    size_t size = window->end - window->begin;
    if (window->begin)
        memmove(window->bytes, window->bytes + window->begin, size);
    window->begin = 0;
    window->end = size;
    if (size < window->capacity)
        return 0;
    /* As large as what came, whatever a header promises. Doubling keeps the copies linear. */
    size_t capacity = window->capacity ? 2 * window->capacity : READ_SIZE;
    uint8_t *bytes = memory_resize(window->bytes, capacity);
    if (!bytes)
        return -ENOMEM;
    window->bytes = bytes;
    window->capacity = capacity;
    return 0;
}

long window_fill(struct window *window, int fd)
{
    int error = make_room(window);
    if (error)
        return error;
    ssize_t count = streams_read(fd, window->bytes + window->end, window->capacity - window->end);
    if (count < 0)
        return -errno;
    window->end += (size_t)count;
    return count;
}

void window_free(struct window *window)
{
    memory_free(window->bytes);
    *window = (struct window){0};
}
