/* SPDX-License-Identifier: MIT */
/*
 * Stacks of processes: address space of which only what is touched takes memory, with a guard below
 * that faults. Those of the usual size that were given back are kept for the next, up to a number;
 * what is over goes back to the kernel at once, so that a flood leaves nothing behind.
 */
#ifndef RUNTIME_PROCESS_STACK_H
#define RUNTIME_PROCESS_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STACK_BYTES_USUAL = 64 << 10,
    STACK_BYTES_LEAST = 16 << 10,
    STACK_BYTES_MOST = 1 << 30,
    STACKS_KEPT = 256,
};

struct stack {
    uint8_t *bottom; /* the guard lies below */
    size_t size;
    void *top; /* where it begins to be used, of one stack not quite as of its neighbour */
};

struct free_stack;

/* Of one scheduler. */
struct stacks {
    struct free_stack *kept;
    uint32_t kept_count;
    uint32_t made_count;
};

/* One of `size` bytes, rounded up to pages. 0, or -ENOMEM with what to do about it. */
int stack_take(struct stacks *stacks, size_t size, struct stack *stack);
void stack_give_back(struct stacks *stacks, const struct stack *stack);

/* The kept ones go. */
void stacks_close(struct stacks *stacks);

/* Whether an address lies in its guard. */
bool stack_guards(const struct stack *stack, const void *address);

#endif
