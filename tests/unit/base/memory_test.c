/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

Test(memory, only_the_nth_fails)
{
    memory_fail_nth(2);
    void *first = memory_allocate(8);
    void *second = memory_allocate(8);
    void *third = memory_allocate(8);
    cr_expect_not_null(first);
    cr_expect_null(second);
    cr_expect_not_null(third);
    memory_free(first);
    memory_free(third);
}

Test(memory, zero_lets_all_succeed)
{
    memory_fail_nth(1);
    memory_fail_nth(0);
    void *block = memory_allocate(8);
    cr_expect_not_null(block);
    memory_free(block);
}

Test(memory, a_resize_that_fails_keeps_the_block)
{
    char *block = memory_copy_text("kept");
    memory_fail_nth(1);
    cr_expect_null(memory_resize(block, 1 << 20));
    cr_expect_str_eq(block, "kept");
    char *larger = memory_resize(block, 1 << 20);
    cr_expect_str_eq(larger, "kept");
    memory_free(larger);
}

/* Every way in goes through the door, and the books are even in the end. */
Test(memory, every_door_counts_and_can_fail)
{
    int64_t live = memory_live_count();
    uint64_t count = memory_allocation_count();
    void *blocks[] = {memory_allocate(1), memory_allocate_zeroed(2, 3), memory_resize(NULL, 4),
                      memory_copy_text("x")};
    void *map = memory_map(4096);
    cr_expect_eq(memory_live_count() - live, 5);
    cr_expect_eq(memory_allocation_count() - count, 5);
    for (size_t i = 0; i < 4; i++)
        memory_free(blocks[i]);
    memory_unmap(map, 4096);
    cr_expect_eq(memory_live_count(), live);
    memory_free(NULL);
    memory_unmap(NULL, 4096);
    cr_expect_eq(memory_live_count(), live);

    memory_fail_nth(1);
    cr_expect_null(memory_allocate_zeroed(1, 1));
    memory_fail_nth(1);
    cr_expect_null(memory_copy_text("x"));
    memory_fail_nth(1);
    cr_expect_null(memory_map(4096));
    memory_fail_nth(1);
    cr_expect_null(memory_resize(NULL, 1));
    cr_expect_eq(memory_live_count(), live);
}

Test(memory, zeroed_is_zero_and_refuses_overflow)
{
    static const char zeros[4096];
    char *block = memory_allocate_zeroed(64, 64);
    cr_expect_eq(memcmp(block, zeros, sizeof(zeros)), 0);
    memory_free(block);
    cr_expect_null(memory_allocate_zeroed(SIZE_MAX / 2, 3));
}

Test(memory, maps_are_zeroed_pages)
{
    char *map = memory_map(3 * 4096);
    cr_assert_not_null(map);
    cr_expect_eq((uintptr_t)map % 4096, 0);
    cr_expect_eq(map[0] | map[3 * 4096 - 1], 0);
    memory_unmap(map, 3 * 4096);
}

/* A kernel without guards, or with too many maps for one more. */

static bool without_guards;
static bool without_maps;
static bool without_holes;
static size_t unmapped;
static size_t advised[128]; /* about how much of it, by the advice */
static int map_flags;
static unsigned freed_count;
static unsigned trim_count;

int __real_madvise(void *address, size_t size, int advice);
int __wrap_madvise(void *address, size_t size, int advice);
int __real_mprotect(void *address, size_t size, int access);
int __wrap_mprotect(void *address, size_t size, int access);
int __real_munmap(void *address, size_t size);
int __wrap_munmap(void *address, size_t size);

void *__real_mmap(void *address, size_t size, int access, int flags, int fd, off_t offset);
void *__wrap_mmap(void *address, size_t size, int access, int flags, int fd, off_t offset);
void __real_free(void *block);
void __wrap_free(void *block);
int __wrap_malloc_trim(size_t kept);

int __wrap_madvise(void *address, size_t size, int advice)
{
    advised[(unsigned)advice % 128] += size;
    return without_guards ? -1 : __real_madvise(address, size, advice);
}

int __wrap_mprotect(void *address, size_t size, int access)
{
    return without_maps ? -1 : __real_mprotect(address, size, access);
}

int __wrap_munmap(void *address, size_t size)
{
    unmapped += size;
    return without_holes ? -1 : __real_munmap(address, size);
}

void *__wrap_mmap(void *address, size_t size, int access, int flags, int fd, off_t offset)
{
    map_flags = flags;
    return __real_mmap(address, size, access, flags, fd, offset);
}

void __wrap_free(void *block)
{
    freed_count++;
    __real_free(block);
}

int __wrap_malloc_trim(size_t kept)
{
    trim_count += kept == 0;
    return 1;
}

Test(memory, what_is_not_needed_goes_back)
{
    enum { SIZE = 2 * 4096 };
    memory_free(memory_allocate(8));
    cr_expect_eq(freed_count, 1u);
    memory_unmap(memory_map(SIZE), SIZE);
    cr_expect_eq(unmapped, (size_t)SIZE);
    memory_trim();
#ifdef __GLIBC__
    cr_expect_eq(trim_count, 1u);
#endif
}

/* A ring of buffers is the parent's; of a stack only what was touched is to take memory. */
Test(memory, the_kernel_is_told_what_maps_are_for)
{
    enum { SIZE = 8 * 4096, GUARD = 2 * 4096 };
    void *map = memory_map(SIZE);
    cr_expect_eq(advised[MADV_DONTFORK], (size_t)SIZE);
    memory_unmap(map, SIZE);
    void *stack = memory_map_stack(SIZE, GUARD);
    cr_expect_eq(advised[MADV_NOHUGEPAGE], (size_t)SIZE);
    cr_expect_eq(advised[MADV_DONTFORK], (size_t)SIZE, "a child goes on with its stacks");
    cr_expect_neq(map_flags & MAP_NORESERVE, 0);
    cr_expect(memory_unmap_stack(stack, SIZE));
}

Test(memory, a_stack_has_a_guard_or_is_none)
{
    enum { SIZE = 8 * 4096, GUARD = 2 * 4096 };
    int64_t live = memory_live_count();
    for (int guards = 1; guards >= 0; guards--) {
        without_guards = !guards;
        void *stack = memory_map_stack(SIZE, GUARD);
        cr_assert_not_null(stack);
        cr_expect_eq(memory_live_count(), live + 1);
        cr_expect(memory_unmap_stack(stack, SIZE));
        cr_expect_eq(memory_live_count(), live);
    }
    without_maps = true;
    unmapped = 0;
    cr_expect_null(memory_map_stack(SIZE, GUARD));
    cr_expect(unmapped == SIZE && memory_live_count() == live);
    memory_fail_nth(1);
    cr_expect_null(memory_map_stack(SIZE, GUARD));
}

Test(memory, a_stack_that_stays_counts)
{
    enum { SIZE = 4 * 4096 };
    int64_t live = memory_live_count();
    void *stack = memory_map_stack(SIZE, 4096);
    without_holes = true;
    cr_expect(!memory_unmap_stack(stack, SIZE));
    cr_expect_eq(memory_live_count(), live + 1);
    without_holes = false;
    cr_expect(memory_unmap_stack(stack, SIZE));
}
