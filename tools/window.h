/* SPDX-License-Identifier: MIT */
/* The part of a stream that is not yet consumed, as large as its largest packet. */
#ifndef TOOLS_WINDOW_H
#define TOOLS_WINDOW_H

#include <stddef.h>
#include <stdint.h>

/* All zero at the start. begin <= end <= capacity. */
struct window {
    uint8_t *bytes;
    size_t begin;
    size_t end;
    size_t capacity;
};

/* Reads more bytes. How many, 0 at the end of the stream, or -errno. */
long window_fill(struct window *window, int fd);
void window_free(struct window *window);

#endif
