/* SPDX-License-Identifier: MIT */
#include "runtime/given.h"

#include <errno.h>
#include <limits.h>

#include "base/error.h"
#include "runtime/buffer/buffer.h"

int given_check(const void *bytes, size_t size)
{
    if (!bytes && size > 0)
        return error_say(-EINVAL, "send: no bytes were given");
    if (size > SSIZE_MAX)
        return error_say(-EINVAL, "send: %zu bytes are more than memory has", size);
    return 0;
}

int given_adopt(const weir_owned_bytes *owned, struct weir_buffer **buffer)
{
    int result = given_check(owned->bytes, owned->size);
    if (result == 0) {
        *buffer = buffer_adopt(owned->bytes, owned->size, owned->released, owned->data);
        if (*buffer)
            return 0;
        result = error_say(-ENOMEM, "send: no memory to take over memory");
    }
    owned->released(owned->data);
    return result;
}
