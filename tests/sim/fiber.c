/* SPDX-License-Identifier: MIT */
/* A fiber is entered once by swapcontext, which saves the signal mask by a system call; from then
 * on by longjmp, which does not. */
#include "sim/fiber.h"

#include <setjmp.h>
#include <stddef.h>
#include <ucontext.h>

enum { STACK_SIZE = 256 << 10 };

struct fiber {
    jmp_buf state;
    ucontext_t context;
    fiber_function *run;
    void *data;
    void *fake_stack;  /* the address sanitizer's */
    const void *stack; /* that it was on when it yielded: a process has its own */
    size_t stack_size;
    bool begun;
    bool over;
};

static uint8_t stacks[FIBER_MOST][STACK_SIZE] __attribute__((aligned(64)));
static struct fiber fibers[FIBER_MOST];
static struct fiber *current;
static jmp_buf main_state;
static ucontext_t main_context;
static const void *main_stack;
static size_t main_stack_size;
static void *main_fake_stack;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZES_ADDRESSES
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZES_ADDRESSES
#endif

#ifdef SANITIZES_ADDRESSES
#include <sanitizer/common_interface_defs.h>
static void leave_for(void **fake_stack, const void *stack, size_t size)
{
    __sanitizer_start_switch_fiber(fake_stack, stack, size);
}

static void arrived(void *fake_stack, const void **stack, size_t *size)
{
    __sanitizer_finish_switch_fiber(fake_stack, stack, size);
}
#else
static void leave_for(void **fake_stack, const void *stack, size_t size)
{
    (void)fake_stack;
    (void)stack;
    (void)size;
}

static void arrived(void *fake_stack, const void **stack, size_t *size)
{
    (void)fake_stack;
    (void)stack;
    (void)size;
}
#endif

static void begin(void)
{
    arrived(NULL, &main_stack, &main_stack_size);
    current->run(current->data);
    current->over = true;
    leave_for(NULL, main_stack, main_stack_size);
    _longjmp(main_state, 1);
}

void fiber_start(uint32_t index, fiber_function *run, void *data)
{
    fibers[index] = (struct fiber){.run = run, .data = data};
}

static void enter(struct fiber *fiber, uint8_t *stack)
{
    if (fiber->begun) {
        leave_for(&main_fake_stack, fiber->stack, fiber->stack_size);
        _longjmp(fiber->state, 1);
    }
    leave_for(&main_fake_stack, stack, STACK_SIZE);
    fiber->begun = true;
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = stack;
    fiber->context.uc_stack.ss_size = STACK_SIZE;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, begin, 0);
    swapcontext(&main_context, &fiber->context);
}

bool fiber_resume(uint32_t index)
{
    current = &fibers[index];
    if (_setjmp(main_state) == 0)
        enter(current, stacks[index]);
    arrived(main_fake_stack, &current->stack, &current->stack_size);
    bool over = current->over;
    current = NULL;
    return !over;
}

void fiber_yield(void)
{
    struct fiber *self = current;
    if (_setjmp(self->state) == 0) {
        leave_for(&self->fake_stack, main_stack, main_stack_size);
        _longjmp(main_state, 1);
    }
    arrived(self->fake_stack, &main_stack, &main_stack_size);
}
