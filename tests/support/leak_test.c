/* SPDX-License-Identifier: MIT */
/* Leaks on purpose: this program is registered as one that has to fail. */
#include <criterion/criterion.h>

#include "base/memory.h"

static void leak(void)
{
    void *volatile block = memory_allocate(100);
    block = NULL;
    (void)block;
}

Test(leak, is_reported)
{
    leak();
}
