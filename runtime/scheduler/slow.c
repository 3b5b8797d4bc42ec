/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/slow.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* By default, a line that addr2line can do something with where there is no name. */
static void print(const weir_slow_callback *slow)
{
    fprintf(stderr, "weir: scheduler %d was held up for %" PRIu64 " us by %s (%s+%#" PRIxPTR ")\n",
            slow->scheduler, slow->took_ns / 1000, slow->name ? slow->name : "a callback",
            slow->file ? slow->file : "?", slow->offset);
}

void slow_look(const struct scheduler *scheduler, uint64_t began_ns, slow_function *function)
{
    uint64_t took_ns = clock_now_ns() - began_ns;
    Dl_info info = {0};
    if (took_ns < scheduler->limits->slow_callback_ns)
        return;
    weir_slow_callback slow = {
        .function = function, .took_ns = took_ns, .scheduler = (int)scheduler->number};
    void *address;
    memcpy(&address, &function, sizeof(address));
    if (address && dladdr(address, &info)) {
        slow.name = info.dli_saddr == address ? info.dli_sname : NULL;
        slow.file = info.dli_fname;
        slow.offset = (uintptr_t)address - (uintptr_t)info.dli_fbase;
    }
    if (scheduler->limits->slow_callback)
        scheduler->limits->slow_callback(&slow);
    else
        print(&slow);
}
