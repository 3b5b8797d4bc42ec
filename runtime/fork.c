/* SPDX-License-Identifier: MIT */
#include "runtime/fork.h"

#include <pthread.h>

#include "runtime/owner/mailbox.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"

static pthread_once_t prepared = PTHREAD_ONCE_INIT;

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

static void install(void)
{
    pthread_atfork(before, unlock, in_child);
}

void fork_prepare(void)
{
    pthread_once(&prepared, install);
}
