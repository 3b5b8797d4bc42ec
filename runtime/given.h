/* SPDX-License-Identifier: MIT */
/* What callers give to be sent. */
#ifndef RUNTIME_GIVEN_H
#define RUNTIME_GIVEN_H

#include <stddef.h>
#include <weir/socket.h>

struct weir_buffer;

/* 0, or -EINVAL for bytes that are NULL, or more than memory has: a number below 0, most likely. */
int given_check(const void *bytes, size_t size);

/* Takes the bytes over. 0; as given_check, or -ENOMEM, and they are released already. */
int given_adopt(const weir_owned_bytes *owned, struct weir_buffer **buffer);

#endif
