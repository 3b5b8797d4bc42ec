/* SPDX-License-Identifier: MIT */
#include "runtime/process/stack.h"

#include <errno.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

/* A frame that is larger than that is checked page by page (-fstack-clash-protection), or may miss
 * the guard. */
enum { GUARD_BYTES = 64 << 10 };

/* It lies at the top of the stack that it is of. */
struct free_stack {
    struct free_stack *next;
    struct stack stack;
};

static size_t whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) / page * page;
}

/* Each begins a little lower than the one before: at the same place of their pages they would take
 * the same few lines of a core's cache. */
static void *place_top(struct stacks *stacks, const struct stack *stack)
{
    enum { PLACES = 16, STEP_BYTES = 128 };
    return stack->bottom + stack->size - stacks->made_count++ % PLACES * STEP_BYTES;
}

static int map(struct stacks *stacks, size_t size, struct stack *stack)
{
    uint8_t *block = memory_map_stack(GUARD_BYTES + size, GUARD_BYTES);
    if (!block)
        return error_say(-ENOMEM,
                         "no memory for a stack of %zu bytes (with very many processes, "
                         "on kernels before 6.13: raise vm.max_map_count)",
                         size);
    *stack = (struct stack){.bottom = block + GUARD_BYTES, .size = size};
    stack->top = place_top(stacks, stack);
    return 0;
}

int stack_take(struct stacks *stacks, size_t size, struct stack *stack)
{
    struct free_stack *kept = stacks->kept;
    size = whole_pages(size);
    if (!kept || size != kept->stack.size)
        return map(stacks, size, stack);
    stacks->kept = kept->next;
    stacks->kept_count--;
    *stack = kept->stack;
    return 0;
}

static bool unmap(const struct stack *stack)
{
    return memory_unmap_stack(stack->bottom - GUARD_BYTES, GUARD_BYTES + stack->size);
}

static void keep(struct stacks *stacks, const struct stack *stack)
{
    struct free_stack *kept = (struct free_stack *)((uintptr_t)stack->top & ~(uintptr_t)15) - 1;
    *kept = (struct free_stack){stacks->kept, *stack};
    stacks->kept = kept;
    stacks->kept_count++;
}

/* One that the kernel does not take, since there were too many maps then, is kept after all. */
void stack_give_back(struct stacks *stacks, const struct stack *stack)
{
    bool usual = stack->size == whole_pages(STACK_BYTES_USUAL);
    if (usual && stacks->kept_count < STACKS_KEPT)
        keep(stacks, stack);
    else if (!unmap(stack) && usual)
        keep(stacks, stack);
}

void stacks_close(struct stacks *stacks)
{
    while (stacks->kept) {
        struct stack stack = stacks->kept->stack;
        stacks->kept = stacks->kept->next;
        (void)unmap(&stack);
    }
}

bool stack_guards(const struct stack *stack, const void *address)
{
    const uint8_t *byte = address;
    return byte < stack->bottom && byte >= stack->bottom - GUARD_BYTES;
}
