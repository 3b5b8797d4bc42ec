/* SPDX-License-Identifier: MIT */
#include "runtime/process/stack.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

/* The kernel has no room for one more hole. */
static bool is_full;

bool __wrap_memory_unmap_stack(void *block, size_t size);
bool __real_memory_unmap_stack(void *block, size_t size);

bool __wrap_memory_unmap_stack(void *block, size_t size)
{
    return !is_full && __real_memory_unmap_stack(block, size);
}

Test(stack, all_of_it_can_be_written)
{
    struct stacks stacks = {0};
    struct stack stack;
    cr_assert(stack_take(&stacks, STACK_BYTES_USUAL, &stack) == 0);
    memset(stack.bottom, 1, stack.size);
    cr_assert((uint8_t *)stack.top <= stack.bottom + stack.size);
    cr_assert((uint8_t *)stack.top > stack.bottom + stack.size - 4096);
    stack_give_back(&stacks, &stack);
    stacks_close(&stacks);
    cr_assert(memory_live_count() == 0);
}

/* The kernel says so of memory that is handed to it, without a signal. */
Test(stack, what_is_below_faults)
{
    struct stacks stacks = {0};
    struct stack stack;
    int ends[2];
    cr_assert(pipe(ends) == 0);
    cr_assert(stack_take(&stacks, STACK_BYTES_LEAST, &stack) == 0);
    cr_assert(write(ends[1], stack.bottom, 1) == 1);
    cr_assert(write(ends[1], stack.bottom - 1, 1) < 0 && errno == EFAULT);
    cr_assert(stack_guards(&stack, stack.bottom - 1));
    cr_assert(stack_guards(&stack, stack.bottom - (64 << 10)));
    cr_assert(!stack_guards(&stack, stack.bottom - (64 << 10) - 1));
    cr_assert(!stack_guards(&stack, stack.bottom));
    stack_give_back(&stacks, &stack);
}

Test(stack, one_that_was_given_back_is_taken_again)
{
    struct stacks stacks = {0};
    struct stack first;
    struct stack second;
    cr_assert(stack_take(&stacks, STACK_BYTES_USUAL, &first) == 0);
    stack_give_back(&stacks, &first);
    cr_assert(stack_take(&stacks, STACK_BYTES_USUAL, &second) == 0);
    cr_assert(second.bottom == first.bottom && second.top == first.top);
    stack_give_back(&stacks, &second);
    stacks_close(&stacks);
}

/* However often: it is not counted each time. */
Test(stack, that_goes_to_and_fro_stays_one)
{
    struct stacks stacks = {0};
    struct stack stack;
    cr_assert(stack_take(&stacks, STACK_BYTES_USUAL, &stack) == 0);
    for (int i = 0; i < 2 * STACKS_KEPT; i++) {
        const uint8_t *bottom = stack.bottom;
        stack_give_back(&stacks, &stack);
        cr_assert(stacks.kept_count == 1 && memory_live_count() == 1);
        cr_assert(stack_take(&stacks, STACK_BYTES_USUAL, &stack) == 0);
        cr_assert(stack.bottom == bottom && stacks.kept_count == 0);
    }
    stack_give_back(&stacks, &stack);
    stacks_close(&stacks);
    cr_assert(memory_live_count() == 0);
}

/* Whatever their number is, if they are of the size that others take. */
Test(stack, that_the_kernel_does_not_take_is_kept)
{
    struct stacks stacks = {.kept_count = STACKS_KEPT};
    struct stack usual;
    struct stack large;
    cr_assert(stack_take(&stacks, STACK_BYTES_USUAL, &usual) == 0);
    cr_assert(stack_take(&stacks, 2 * STACK_BYTES_USUAL, &large) == 0);
    is_full = true;
    stack_give_back(&stacks, &large);
    cr_assert(stacks.kept_count == STACKS_KEPT && !stacks.kept);
    stack_give_back(&stacks, &usual);
    cr_assert(stacks.kept_count == STACKS_KEPT + 1);
    is_full = false;
    const uint8_t *bottom = usual.bottom;
    cr_assert(stack_take(&stacks, STACK_BYTES_USUAL, &usual) == 0);
    cr_assert(usual.bottom == bottom && stacks.kept_count == STACKS_KEPT);
    stack_give_back(&stacks, &usual);
    stack_give_back(&stacks, &large);
    cr_assert(!stacks.kept && memory_live_count() == 0);
}

Test(stack, of_another_size_is_another)
{
    struct stacks stacks = {0};
    struct stack usual;
    struct stack large;
    cr_assert(stack_take(&stacks, STACK_BYTES_USUAL, &usual) == 0);
    stack_give_back(&stacks, &usual);
    cr_assert(stack_take(&stacks, STACK_BYTES_USUAL * 3 + 1, &large) == 0);
    cr_assert(usual.size == STACK_BYTES_USUAL);
    cr_assert(large.size == STACK_BYTES_USUAL * 3 + (size_t)sysconf(_SC_PAGESIZE));
    stack_give_back(&stacks, &large);
    cr_assert(stacks.kept_count == 1);
    stacks_close(&stacks);
    cr_assert(memory_live_count() == 0);
}

Test(stack, a_flood_leaves_nothing_behind)
{
    enum { COUNT = 3 * STACKS_KEPT };
    static struct stack flood[COUNT];
    struct stacks stacks = {0};
    for (int i = 0; i < COUNT; i++)
        cr_assert(stack_take(&stacks, STACK_BYTES_USUAL, &flood[i]) == 0);
    for (int i = 0; i < COUNT; i++)
        stack_give_back(&stacks, &flood[i]);
    cr_assert(stacks.kept_count == STACKS_KEPT && memory_live_count() == STACKS_KEPT);
    stacks_close(&stacks);
    cr_assert(memory_live_count() == 0);
}

/* Else a hundred thousand processes would need more maps than a process may have. */
Test(stack, guards_are_no_maps_where_the_kernel_can)
{
    enum { COUNT = 1000 };
    static struct stack many[COUNT];
    struct stacks stacks = {0};
    char line[512];
    int maps = 0;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (madvise(page, 4096, 102) < 0)
        cr_skip_test("this kernel's guards are maps");
    for (int i = 0; i < COUNT; i++)
        cr_assert(stack_take(&stacks, STACK_BYTES_USUAL, &many[i]) == 0);
    FILE *file = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof(line), file))
        maps++;
    fclose(file);
    cr_assert(maps < COUNT / 2, "%d maps", maps);
    for (int i = 0; i < COUNT; i++)
        stack_give_back(&stacks, &many[i]);
    stacks_close(&stacks);
}

Test(stack, without_memory_there_is_none)
{
    struct stacks stacks = {0};
    struct stack stack;
    memory_fail_nth(1);
    cr_assert(stack_take(&stacks, STACK_BYTES_USUAL, &stack) == -ENOMEM);
    cr_assert(strstr(weir_last_error_text(), "stack") != NULL);
    cr_assert(memory_live_count() == 0);
}

/* At one place of their pages they would take the same lines of a core's cache. */
Test(stack, each_begins_a_little_lower)
{
    enum { PLACES = 16, STEP_BYTES = 128 };
    struct stacks stacks = {0};
    struct stack stack[PLACES + 2];
    for (int i = 0; i < PLACES + 2; i++) {
        cr_assert(stack_take(&stacks, STACK_BYTES_USUAL, &stack[i]) == 0);
        cr_assert((uint8_t *)stack[i].top ==
                  stack[i].bottom + stack[i].size - i % PLACES * STEP_BYTES);
    }
    for (int i = 0; i < PLACES + 2; i++)
        stack_give_back(&stacks, &stack[i]);
    stacks_close(&stacks);
}
