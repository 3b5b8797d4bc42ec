/* SPDX-License-Identifier: MIT */
/*
 * A switch is a function: what its caller expects to be lost is not kept. The rest is pushed, in
 * the order of `struct frame`, and it goes on with one of the kept registers as an argument: only
 * the function that a stack begins with looks at it. That was called from address 0, where
 * unwinding ends.
 */
#include "runtime/process/context.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)

struct frame {
    uint32_t mxcsr;
    uint16_t control_word;
    uint16_t unused;
    uint64_t r15, r14, r13, r12, rbx, rbp;
    uint64_t goes_on;
    uint64_t called_from; /* the top, aligned to 16 bytes, is behind it */
};

/* The address to go on at is popped and jumped to: a return would be foretold wrong. */
__asm__(".text\n"
        ".globl context_switch\n"
        ".hidden context_switch\n"
        ".type context_switch, @function\n"
        ".p2align 4\n"
        "context_switch:\n"
        ".cfi_startproc\n"
        "    pushq %rbp\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset rbp, 0\n"
        "    pushq %rbx\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset rbx, 0\n"
        "    pushq %r12\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset r12, 0\n"
        "    pushq %r13\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset r13, 0\n"
        "    pushq %r14\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset r14, 0\n"
        "    pushq %r15\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset r15, 0\n"
        "    subq $8, %rsp\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    stmxcsr (%rsp)\n"
        "    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq (%rsi), %rsp\n"
        "    ldmxcsr (%rsp)\n"
        "    fldcw 4(%rsp)\n"
        "    addq $8, %rsp\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %r15\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_same_value r15\n"
        "    popq %r14\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_same_value r14\n"
        "    popq %r13\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_same_value r13\n"
        "    popq %r12\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_same_value r12\n"
        "    popq %rbx\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_same_value rbx\n"
        "    popq %rbp\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_same_value rbp\n"
        "    popq %rcx\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_register rip, rcx\n"
        "    movq %r12, %rdi\n"
        "    jmp *%rcx\n"
        ".cfi_endproc\n"
        ".size context_switch, . - context_switch\n");

static struct frame first_frame(void (*entry)(void *), void *argument)
{
    struct frame frame = {.r12 = (uintptr_t)argument, .goes_on = (uintptr_t)entry};
    __asm__("stmxcsr %0\n\tfnstcw %1" : "=m"(frame.mxcsr), "=m"(frame.control_word));
    return frame;
}

#elif defined(__aarch64__)

struct frame {
    uint64_t x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, goes_on;
    uint64_t d8, d9, d10, d11, d12, d13, d14, d15;
    uint64_t fpcr;
    uint64_t align;
};

__asm__(".text\n"
        ".globl context_switch\n"
        ".hidden context_switch\n"
        ".type context_switch, %function\n"
        ".p2align 4\n"
        "context_switch:\n"
        ".cfi_startproc\n"
        "    sub sp, sp, #176\n"
        "    .cfi_adjust_cfa_offset 176\n"
        "    stp x19, x20, [sp, #0]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    .cfi_rel_offset x29, 80\n"
        "    .cfi_rel_offset x30, 88\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mrs x2, fpcr\n"
        "    str x2, [sp, #160]\n"
        "    mov x2, sp\n"
        "    str x2, [x0]\n"
        "    ldr x2, [x1]\n"
        "    mov sp, x2\n"
        "    ldr x2, [sp, #160]\n"
        "    msr fpcr, x2\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp x29, x9, [sp, #80]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x19, x20, [sp, #0]\n"
        "    add sp, sp, #176\n"
        "    .cfi_adjust_cfa_offset -176\n"
        "    .cfi_same_value x29\n"
        "    .cfi_register x30, x9\n"
        "    mov x30, #0\n"
        "    mov x0, x19\n"
        "    br x9\n"
        ".cfi_endproc\n"
        ".size context_switch, . - context_switch\n");

static struct frame first_frame(void (*entry)(void *), void *argument)
{
    struct frame frame = {.x19 = (uintptr_t)argument, .goes_on = (uintptr_t)entry};
    __asm__("mrs %0, fpcr" : "=r"(frame.fpcr));
    return frame;
}

#else
#error "processes need a switch of stacks for this machine: context.c has those of x86-64 and arm64"
#endif

void context_make(struct context *context, void *top, void (*entry)(void *argument), void *argument)
{
    struct frame frame = first_frame(entry, argument);
    uintptr_t end = (uintptr_t)top & ~(uintptr_t)15;
    context->stack_pointer = (char *)top - ((uintptr_t)top - end) - sizeof(frame);
    memcpy(context->stack_pointer, &frame, sizeof(frame));
}
