/* SPDX-License-Identifier: MIT */
/* Where code on some stack goes on: what a call must keep of the registers lies on that stack. */
#ifndef RUNTIME_PROCESS_CONTEXT_H
#define RUNTIME_PROCESS_CONTEXT_H

struct context {
    void *stack_pointer;
};

/* One that begins with `entry(argument)`, which must not return, below `top`. Rounding modes and
 * the like are the caller's. */
void context_make(struct context *context, void *top, void (*entry)(void *argument),
                  void *argument);

/* Goes on at `to`, and comes back when somebody goes on at `from`. */
void context_switch(struct context *from, const struct context *to);

#endif
