/* SPDX-License-Identifier: MIT */
#include "runtime/given.h"

#include <errno.h>
#include <limits.h>

#include "base/error.h"

int given_check(const void *bytes, size_t size)
{
    if (!bytes && size > 0)
        return error_say(-EINVAL, "send: no bytes were given");
    if (size > SSIZE_MAX)
        return error_say(-EINVAL, "send: %zu bytes are more than memory has", size);
    return 0;
}
