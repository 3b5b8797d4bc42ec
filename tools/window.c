/* SPDX-License-Identifier: MIT */
#include "window.h"
#include "base/memory.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024 };

static int make_room(struct window *window, size_t needed)
{
    size_t size = window->end - window->begin;
    if (window->begin)
        memmove(window->bytes, window->bytes + window->begin, size);
    window->begin = 0;
    window->end = size;
    /* Doubling keeps the copies of a packet of unknown size linear in all. */
    size_t capacity = window->capacity ? window->capacity : READ_SIZE;
    while (capacity < needed || capacity <= size)
        capacity *= 2;
    if (capacity == window->capacity)
        return 0;
    uint8_t *bytes = memory_resize(window->bytes, capacity);
    if (!bytes)
        return -ENOMEM;
    window->bytes = bytes;
    window->capacity = capacity;
    return 0;
}

long window_fill(struct window *window, int fd, size_t needed)
{
    int error = make_room(window, needed);
    if (error)
        return error;
    ssize_t count;
    do
        count = read(fd, window->bytes + window->end, window->capacity - window->end);
    while (count < 0 && errno == EINTR);
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
