/* SPDX-License-Identifier: MIT */
/*
 * A child of fork has this thread alone, and a copy of the memory. Its parent's schedulers are
 * nobody there: the lists by which calls find them are emptied, so that none waits for an answer.
 */
#include <pthread.h>

#include "runtime/owner/mailbox.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"

/* The lists by which things are found are not half changed in the child. */
static void before(void)
{
    mailboxes_lock_list();
    registry_lock();
    runtimes_lock();
}

static void unlock(void)
{
    runtimes_unlock();
    registry_unlock();
    mailboxes_unlock_list();
}

static void in_child(void)
{
    scheduler_become(NULL);
    runtimes_forget();
    registry_forget();
    mailboxes_forget();
    unlock();
}

/* When the library is loaded: whoever has a runtime or a mailbox in a child had it before. */
__attribute__((constructor)) static void install(void)
{
    pthread_atfork(before, unlock, in_child);
}
