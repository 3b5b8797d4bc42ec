/* SPDX-License-Identifier: MIT */
#include "runtime/process/overflow.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "runtime/process/process.h"
#include "runtime/scheduler/scheduler.h"

enum { HANDLER_STACK_BYTES = 64 << 10 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned watch_count;
static struct sigaction before;

static const struct process *overflown(const void *address)
{
    const struct scheduler *here = scheduler_current();
    const struct process *process = here ? processes_of(here)->running : NULL;
    return process && stack_guards(&process->coroutine.stack, address) ? process : NULL;
}

static void say(const struct process *process)
{
    char text[200];
    int size = snprintf(text, sizeof(text),
                        "weir: the process %s (%#" PRIx64 ") has overflowed its stack of %zu "
                        "bytes: weir_process_options has stack_bytes\n",
                        process->name[0] ? process->name : "without a name", process->handle.id,
                        process->coroutine.stack.size);
    if (write(STDERR_FILENO, text, (size_t)size) < 0)
        return;
}

/* Not a fault: kill(2) and what is like it. */
static bool was_sent(const siginfo_t *info)
{
    return info->si_code <= 0;
}

/* A fault comes again when the handler has returned, and is fatal. */
static void leave_to_default(int signal, const siginfo_t *info)
{
    if (was_sent(info) && before.sa_handler == SIG_IGN)
        return;
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    if (was_sent(info))
        raise(signal);
}

static void handle(int signal, siginfo_t *info, void *context)
{
    const struct process *process = was_sent(info) ? NULL : overflown(info->si_addr);
    if (process)
        say(process);
    if (before.sa_flags & SA_SIGINFO)
        before.sa_sigaction(signal, info, context);
    else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
        before.sa_handler(signal);
    else
        leave_to_default(signal, info);
}

static void install(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    pthread_mutex_lock(&lock);
    if (watch_count++ == 0)
        sigaction(SIGSEGV, &action, &before);
    pthread_mutex_unlock(&lock);
}

/* Unless somebody else has come in between, and hands faults on to here. */
static void uninstall(void)
{
    struct sigaction now;
    pthread_mutex_lock(&lock);
    if (--watch_count == 0 && sigaction(SIGSEGV, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
        now.sa_sigaction == handle)
        sigaction(SIGSEGV, &before, NULL);
    pthread_mutex_unlock(&lock);
}

int overflow_watch_begin(struct overflow_watch *watch)
{
    if (watch->on)
        return 0;
    sigaltstack(NULL, &watch->before);
    if (watch->before.ss_flags & SS_DISABLE) {
        watch->memory = memory_map(HANDLER_STACK_BYTES);
        if (!watch->memory)
            return error_say(-ENOMEM, "no memory for a stack of the signal handler's");
        sigaltstack(&(stack_t){.ss_sp = watch->memory, .ss_size = HANDLER_STACK_BYTES}, NULL);
    }
    install();
    watch->on = true;
    return 0;
}

void overflow_watch_end(struct overflow_watch *watch)
{
    if (!watch->on)
        return;
    uninstall();
    if (watch->memory)
        sigaltstack(&watch->before, NULL);
    memory_unmap(watch->memory, HANDLER_STACK_BYTES);
    *watch = (struct overflow_watch){0};
}
