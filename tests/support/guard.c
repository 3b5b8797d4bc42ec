/* SPDX-License-Identifier: MIT */
#include "support/guard.h"
#include "base/check.h"
#include <string.h>
#include <sys/mman.h>

enum { PAGE_SIZE = 4096 };

static uint8_t *guard_end(void)
{
    static uint8_t *end;
    if (end)
        return end;
    uint8_t *map = mmap(NULL, GUARD_SIZE + PAGE_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(map != MAP_FAILED);
    end = map + GUARD_SIZE;
    CHECK_EQ(mprotect(end, PAGE_SIZE, PROT_NONE), 0);
    return end;
}

const uint8_t *guard_copy(const void *bytes, size_t size)
{
    CHECK_LE(size, (size_t)GUARD_SIZE);
    return memcpy(guard_end() - size, bytes, size);
}
