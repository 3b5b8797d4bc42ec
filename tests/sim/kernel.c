/* SPDX-License-Identifier: MIT */
#include "sim/kernel.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "sim/dice.h"
#include "sim/event.h"
#include "sim/link.h"
#include "sim/local.h"
#include "sim/operation.h"
#include "sim/plan.h"
#include "sim/trace.h"

struct kernel kernel;
uint64_t dice_state;

void kernel_open(uint32_t capacity)
{
    kernel.capacity = capacity;
    kernel.files = memory_map(capacity * sizeof(*kernel.files));
    kernel.file_of_slot = memory_map(2 * capacity * sizeof(*kernel.file_of_slot));
    SIM_CHECK(kernel.files && kernel.file_of_slot, "no memory for the simulated kernel");
    link_open_table(capacity);
}

void kernel_close(void)
{
    link_close_table();
    memory_unmap(kernel.file_of_slot, 2 * kernel.capacity * sizeof(*kernel.file_of_slot));
    memory_unmap(kernel.files, kernel.capacity * sizeof(*kernel.files));
}

static void clear_file(struct file *file)
{
    memset(file, 0, sizeof(*file));
    file->link = NO_LINK;
    file->last = NO_LINK;
}

void kernel_reset(void)
{
    struct file *files = kernel.files;
    uint32_t *file_of_slot = kernel.file_of_slot;
    uint32_t capacity = kernel.capacity;
    kernel = (struct kernel){
        .now_ns = 1000000000u,
        .files = files,
        .file_of_slot = file_of_slot,
        .capacity = capacity,
        .descriptor_limit = capacity,
        .next_port = 40000,
    };
    for (uint32_t i = 0; i < capacity && capacity <= 4096; i++)
        clear_file(&files[i]);
    event_reset();
    link_reset_table();
    plan_reset();
    operation_reset();
    local_reset();
    trace_clear();
}

/* The lowest that is free, as the real one does: numbers are used again as soon as can be. */
int kernel_new_file(enum file_kind kind)
{
    if (kernel.descriptor_count >= kernel.descriptor_limit)
        return -EMFILE;
    uint32_t index = kernel.first_free;
    while (index < kernel.capacity && kernel.files[index].kind != FILE_FREE)
        index++;
    kernel.first_free = index;
    if (index == kernel.capacity)
        return -EMFILE;
    kernel.first_free++;
    kernel.descriptor_count++;
    clear_file(&kernel.files[index]);
    kernel.files[index].kind = (uint8_t)kind;
    kernel.files[index].serial = ++kernel.opened_count;
    return (int)index + FIRST_FD;
}

void kernel_free_file(struct file *file)
{
    uint32_t index = (uint32_t)(file - kernel.files);
    file->kind = FILE_FREE;
    if (index < kernel.first_free)
        kernel.first_free = index;
}

struct file *kernel_file(int fd)
{
    uint32_t index = kernel_fd_index(fd);
    SIM_CHECK(fd >= FIRST_FD && index < kernel.capacity && kernel.files[index].kind != FILE_FREE,
              "descriptor %d is not open", fd);
    return &kernel.files[index];
}

uint32_t kernel_listener(uint16_t port)
{
    for (uint32_t i = 0; i < kernel.capacity; i++)
        if (kernel.files[i].kind == FILE_LISTENER && kernel.files[i].port == port)
            return i;
    return NO_LINK;
}
