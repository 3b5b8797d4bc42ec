/* SPDX-License-Identifier: MIT */
/* The one door to the allocator. Thread-safe. Tests make the nth allocation fail. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL when out of memory, or when count * size overflows. */
void *memory_allocate(size_t size) __attribute__((malloc, warn_unused_result));
void *memory_allocate_zeroed(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
void *memory_resize(void *block, size_t size) __attribute__((warn_unused_result));
char *memory_copy_text(const char *text) __attribute__((malloc, warn_unused_result));
void memory_free(void *block);

/* Free memory goes back to the kernel, where the allocator can do that. Takes some 0.1 ms for each
 * MiB. */
void memory_trim(void);

/* Whole pages from the kernel, for rings of buffers; zeroed, not inherited by fork. */
void *memory_map(size_t size) __attribute__((warn_unused_result));
void memory_unmap(void *block, size_t size);

/* The same for a stack: its lowest `guard_size` bytes fault, what was not touched takes no memory,
 * and a child of fork has a copy. Unmapping: false if the kernel has no room for one more hole,
 * and it stays as it is. */
void *memory_map_stack(size_t size, size_t guard_size) __attribute__((warn_unused_result));
bool memory_unmap_stack(void *block, size_t size) __attribute__((warn_unused_result));

/* Allocations since the process began, and those not yet freed. Maps count as allocations. */
uint64_t memory_allocation_count(void);
int64_t memory_live_count(void);

/* The nth allocation from now fails (1 = the next), and only that one; 0 = none does. */
void memory_fail_nth(uint64_t nth);

#endif
