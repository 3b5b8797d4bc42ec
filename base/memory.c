/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Relaxed everywhere: the counters order nothing. Their cost is paid by the allocating paths
 * only, and the hot path does not allocate. */
static atomic_uint_fast64_t allocation_count;
static atomic_int_fast64_t live_count;
static atomic_uint_fast64_t fail_at;

static bool refused(void)
{
    uint64_t number = atomic_fetch_add_explicit(&allocation_count, 1, memory_order_relaxed) + 1;
    return number == atomic_load_explicit(&fail_at, memory_order_relaxed);
}

static void *counted(void *block)
{
    if (block)
        atomic_fetch_add_explicit(&live_count, 1, memory_order_relaxed);
    return block;
}

static void forget(void)
{
    atomic_fetch_sub_explicit(&live_count, 1, memory_order_relaxed);
}

void *memory_allocate(size_t size)
{
    return refused() ? NULL : counted(malloc(size));
}

void *memory_allocate_zeroed(size_t count, size_t size)
{
    return refused() ? NULL : counted(calloc(count, size));
}

void *memory_resize(void *block, size_t size)
{
    if (!block)
        return memory_allocate(size);
    return refused() ? NULL : realloc(block, size);
}

char *memory_copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memory_allocate(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

void memory_free(void *block)
{
    if (!block)
        return;
    forget();
    free(block);
}

void memory_trim(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

void *memory_map(size_t size)
{
    if (refused())
        return NULL;
    void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return NULL;
    madvise(block, size, MADV_DONTFORK);
    return counted(block);
}

void memory_unmap(void *block, size_t size)
{
    if (!block)
        return;
    forget();
    munmap(block, size);
}

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* From 6.13 on a guard is a mark in the page table. Before it is a map of its own, of which a
 * process may have 65,530 (vm.max_map_count). A large page would be memory that nobody touched. */
void *memory_map_stack(size_t size, size_t guard_size)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    if (refused())
        return NULL;
    void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (block == MAP_FAILED)
        return NULL;
    madvise(block, size, MADV_NOHUGEPAGE);
    if (madvise(block, guard_size, MADV_GUARD_INSTALL) < 0 &&
        mprotect(block, guard_size, PROT_NONE) < 0) {
        munmap(block, size);
        return NULL;
    }
    return counted(block);
}

bool memory_unmap_stack(void *block, size_t size)
{
    if (munmap(block, size) < 0)
        return false;
    forget();
    return true;
}

uint64_t memory_allocation_count(void)
{
    return atomic_load_explicit(&allocation_count, memory_order_relaxed);
}

int64_t memory_live_count(void)
{
    return atomic_load_explicit(&live_count, memory_order_relaxed);
}

void memory_fail_nth(uint64_t nth)
{
    uint64_t now = memory_allocation_count();
    atomic_store_explicit(&fail_at, nth ? now + nth : 0, memory_order_relaxed);
}
