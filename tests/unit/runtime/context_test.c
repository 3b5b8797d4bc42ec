/* SPDX-License-Identifier: MIT */
#include "runtime/process/context.h"

#include <criterion/criterion.h>
#include <fenv.h>
#include <stdint.h>

static struct context outside;
static struct context inside;
static int counted;
static double third;

static void count(void *argument)
{
    int *step = argument;
    for (;;) {
        counted += *step;
        context_switch(&inside, &outside);
    }
}

Test(context, goes_on_where_it_was)
{
    static uint8_t stack[16384] __attribute__((aligned(16)));
    int step = 3;
    context_make(&inside, stack + sizeof(stack), count, &step);
    for (int i = 1; i <= 5; i++) {
        context_switch(&outside, &inside);
        cr_assert(counted == 3 * i);
    }
}

static void look_at_stack(void *argument)
{
    uint8_t *stack = argument;
    uint8_t local __attribute__((aligned(16)));
    uint8_t *place = &local;
    __asm__("" : "+r"(place)); /* else the compiler knows where it puts it */
    counted = place > stack && place < stack + 16384 && (uintptr_t)place % 16 == 0;
    context_switch(&inside, &outside);
}

/* A top that is not aligned is, too. */
Test(context, runs_on_the_stack_that_it_was_given)
{
    static uint8_t stack[16384];
    context_make(&inside, stack + sizeof(stack) - 3, look_at_stack, stack);
    context_switch(&outside, &inside);
    cr_assert(counted == 1);
}

static void round_up(void *argument)
{
    volatile double one = 1;
    (void)argument;
    fesetround(FE_UPWARD);
    third = one / 3;
    context_switch(&inside, &outside);
    third = one / 3;
    context_switch(&inside, &outside);
}

Test(context, each_has_a_rounding_mode_of_its_own)
{
    static uint8_t stack[16384];
    volatile double one = 1;
    double nearest = one / 3;
    context_make(&inside, stack + sizeof(stack), round_up, NULL);
    context_switch(&outside, &inside);
    cr_assert(fegetround() == FE_TONEAREST && one / 3 == nearest && third > nearest);
    third = 0;
    context_switch(&outside, &inside);
    cr_assert(fegetround() == FE_TONEAREST && third > nearest);
}

/* Values that live in registers which a call must keep, on both sides. */
static uint64_t mix(uint64_t seed, struct context *from, struct context *to)
{
    uint64_t a = seed, b = seed * 3, c = seed * 5, d = seed * 7, e = seed * 11, f = seed * 13;
    double x = (double)seed, y = x * 2, z = x * 3;
    for (int i = 0; i < 10; i++) {
        __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
        context_switch(from, to);
        a += b ^ c, d += e ^ f, x += y * z;
    }
    return a ^ b ^ c ^ d ^ e ^ f ^ (uint64_t)x;
}

static uint64_t inside_result;

static void mix_inside(void *argument)
{
    (void)argument;
    inside_result = mix(1000003, &inside, &outside);
    context_switch(&inside, &outside);
}

static uint64_t mix_alone(uint64_t seed)
{
    uint64_t a = seed, b = seed * 3, c = seed * 5, d = seed * 7, e = seed * 11, f = seed * 13;
    double x = (double)seed, y = x * 2, z = x * 3;
    for (int i = 0; i < 10; i++)
        a += b ^ c, d += e ^ f, x += y * z;
    return a ^ b ^ c ^ d ^ e ^ f ^ (uint64_t)x;
}

Test(context, keeps_what_a_call_keeps)
{
    static uint8_t stack[16384];
    context_make(&inside, stack + sizeof(stack), mix_inside, NULL);
    cr_assert(mix(77, &outside, &inside) == mix_alone(77));
    context_switch(&outside, &inside);
    cr_assert(inside_result == mix_alone(1000003));
}
