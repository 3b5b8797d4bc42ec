/* SPDX-License-Identifier: MIT */
#include "runtime/process/coroutine.h"

#include "base/check.h"

#if defined(__has_feature)
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
static void leave_for(void **fake_stack, const void *stack, size_t size)
{
    __sanitizer_start_switch_fiber(fake_stack, stack, size);
}

static void arrived(void *fake_stack, const void **stack, size_t *size)
{
    __sanitizer_finish_switch_fiber(fake_stack, stack, size);
}

static void forget(const struct stack *stack)
{
    ASAN_UNPOISON_MEMORY_REGION(stack->bottom, stack->size);
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

static void forget(const struct stack *stack)
{
    (void)stack;
}
#endif

#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#define CREATE_THREAD_STATE()       __tsan_create_fiber(0)
#define DESTROY_THREAD_STATE(state) __tsan_destroy_fiber(state)
#define CURRENT_THREAD_STATE()      __tsan_get_current_fiber()
#define SWITCH_THREAD_STATE(state)  __tsan_switch_to_fiber(state, 0)
#else
#define CREATE_THREAD_STATE()       NULL
#define DESTROY_THREAD_STATE(state) ((void)(state))
#define CURRENT_THREAD_STATE()      NULL
#define SWITCH_THREAD_STATE(state)  ((void)(state))
#endif

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(start, end) 0
#define VALGRIND_STACK_DEREGISTER(id)       ((void)(id))
#endif

static void begin(void *data)
{
    struct coroutine *coroutine = data;
    arrived(NULL, &coroutine->host->stack, &coroutine->host->stack_size);
    coroutine->run(coroutine->data);
    CHECK(!"a coroutine has returned");
}

int coroutine_open(struct coroutine *coroutine, struct coroutine_host *host, struct stacks *stacks,
                   size_t size)
{
    int result = stack_take(stacks, size, &coroutine->stack);
    if (result < 0)
        return result;
    coroutine->host = host;
    coroutine->fake_stack = NULL;
    coroutine->thread_state = CREATE_THREAD_STATE();
    coroutine->stack_id = VALGRIND_STACK_REGISTER(coroutine->stack.bottom,
                                                  coroutine->stack.bottom + coroutine->stack.size);
    context_make(&coroutine->context, coroutine->stack.top, begin, coroutine);
    return 0;
}

void coroutine_close(struct coroutine *coroutine, struct stacks *stacks)
{
    DESTROY_THREAD_STATE(coroutine->thread_state);
    VALGRIND_STACK_DEREGISTER(coroutine->stack_id);
    forget(&coroutine->stack);
    stack_give_back(stacks, &coroutine->stack);
}

void coroutine_resume(struct coroutine *coroutine)
{
    struct coroutine_host *host = coroutine->host;
    host->thread_state = CURRENT_THREAD_STATE();
    leave_for(&host->fake_stack, coroutine->stack.bottom, coroutine->stack.size);
    SWITCH_THREAD_STATE(coroutine->thread_state);
    context_switch(&host->context, &coroutine->context);
    arrived(host->fake_stack, NULL, NULL);
}

void coroutine_suspend(struct coroutine *coroutine)
{
    struct coroutine_host *host = coroutine->host;
    leave_for(&coroutine->fake_stack, host->stack, host->stack_size);
    SWITCH_THREAD_STATE(host->thread_state);
    context_switch(&coroutine->context, &host->context);
    arrived(coroutine->fake_stack, &host->stack, &host->stack_size);
}

_Noreturn void coroutine_leave(struct coroutine *coroutine)
{
    struct coroutine_host *host = coroutine->host;
    leave_for(NULL, host->stack, host->stack_size);
    SWITCH_THREAD_STATE(host->thread_state);
    context_switch(&coroutine->context, &host->context);
    CHECK_NEVER(0);
}
