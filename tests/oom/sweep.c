/* SPDX-License-Identifier: MIT */
/*
 * Makes the first allocation of a call fail, then the second, and so on until the call needs no
 * more of them: each time it must say -ENOMEM or do without, leave nothing behind, and work when
 * it is called again.
 */
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "cases.h"
#include "runtime/scheduler/kind.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "support/dns_server.h"

weir_runtime *oom_two;

enum { ALLOCATIONS_MOST = 1000, SKIPPED = 77 };

void oom_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/* What a call left to its scheduler is done soon, but not at once. */
static void expect_live(const char *name, int64_t expected)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 30000 && memory_live_count() > expected; i++)
        nanosleep(&moment, NULL);
    if (memory_live_count() > expected) /* what was left of a question may have gone meanwhile */
        oom_fail("%s: %lld blocks are left", name, (long long)(memory_live_count() - expected));
}

static void count_sockets(void *count)
{
    struct scheduler *here = scheduler_current();
    unsigned used = 0;
    for (uint32_t i = 0; i < slot_table_size(&here->slots); i++) {
        const struct slot *slot = slot_table_at(&here->slots, i);
        used += slot->state != SOCKET_FREE && !here->kinds[slot->kind]->is_inner;
    }
    atomic_store((atomic_int *)count, (int)used);
}

static int sockets_on(weir_runtime *runtime, uint32_t scheduler)
{
    const struct timespec moment = {.tv_nsec = 20000};
    atomic_int count = -1;
    if (weir_run_on(runtime, scheduler, count_sockets, &count) != 0)
        oom_fail("run_on: %s", weir_last_error_text());
    while (atomic_load(&count) < 0)
        nanosleep(&moment, NULL);
    return atomic_load(&count);
}

/* What there is of them: connections, listeners, processes. */
static int sockets_of(weir_runtime *runtime)
{
    return sockets_on(runtime, 0) + sockets_on(oom_two, 0) + sockets_on(oom_two, 1);
}

static void expect_sockets(const char *name, weir_runtime *runtime, int expected)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 30000 && sockets_of(runtime) > expected; i++)
        nanosleep(&moment, NULL);
    if (sockets_of(runtime) > expected)
        oom_fail("%s: %d sockets are left", name, sockets_of(runtime) - expected);
}

/* What is said is said of this failure, not of one before it; of one on a scheduler it is said
 * there. */
static void expect_text(const char *name)
{
    const char *text = weir_last_error_text();
    if (strcmp(name, "resolve") == 0)
        return;
    if (strstr(text, "stale") || (strcmp(name, "start") == 0 && !*text))
        oom_fail("%s: enomem, and the text is '%s'", name, text);
}

static void leave_a_stale_text(void)
{
    weir_address address;
    (void)!weir_address_parse("stale", &address);
}

/* Whether the allocation that was to fail was asked for at all. */
static bool fail_one(const struct oom_case *it, weir_runtime *runtime, uint64_t nth)
{
    int sockets = sockets_of(runtime);
    int64_t live = memory_live_count();
    uint64_t before = memory_allocation_count();
    leave_a_stale_text();
    memory_fail_nth(nth);
    int result = it->run(runtime);
    bool reached = memory_allocation_count() - before >= nth;
    memory_fail_nth(0);
    if (result != 0 && (result != -ENOMEM || !reached))
        oom_fail("%s, allocation %llu: %s", it->name, (unsigned long long)nth,
                 weir_error_name(result));
    if (result == 0 && reached && it->needs == NEEDS_ALL)
        oom_fail("%s went well without allocation %llu", it->name, (unsigned long long)nth);
    if (result != 0)
        expect_text(it->name);
    if (!it->needs_runtime)
        expect_live(it->name, live);
    expect_sockets(it->name, runtime, sockets);
    return reached;
}

static void sweep(const struct oom_case *it, weir_runtime *runtime)
{
    uint64_t nth = 1;
    int result = it->run(runtime); /* what is kept for later is there from now on */
    if (result != 0)
        oom_fail("%s: %s", it->name, weir_error_name(result));
    while (fail_one(it, runtime, nth)) {
        result = it->run(runtime);
        if (result != 0)
            oom_fail("%s after allocation %llu: %s", it->name, (unsigned long long)nth,
                     weir_error_name(result));
        if (++nth == ALLOCATIONS_MOST)
            oom_fail("%s never has enough", it->name);
    }
    printf("%-10s %3llu allocations failed one by one\n", it->name, (unsigned long long)nth - 1);
}

/* The C library's own allocations cannot be counted, so it is made to say that it had none. */
static atomic_int look_up_error;
static atomic_int look_up_errno;

int __real_gethostbyname2_r(const char *name, int family, struct hostent *entry, char *buffer,
                            size_t size, struct hostent **found, int *reason);
int __wrap_gethostbyname2_r(const char *name, int family, struct hostent *entry, char *buffer,
                            size_t size, struct hostent **found, int *reason);

int __wrap_gethostbyname2_r(const char *name, int family, struct hostent *entry, char *buffer,
                            size_t size, struct hostent **found, int *reason)
{
    int error = atomic_load(&look_up_error);
    if (error == 0)
        return __real_gethostbyname2_r(name, family, entry, buffer, size, found, reason);
    *found = NULL;
    *reason = error;
    errno = atomic_load(&look_up_errno);
    return errno;
}

static void fail_look_ups(weir_runtime *runtime, int error, int error_number, int expected)
{
    static int (*const forms[])(weir_runtime *) = {resolve_on_thread, resolve_on_scheduler};
    for (int i = 0; i < 2; i++) {
        int64_t live = memory_live_count();
        atomic_store(&look_up_errno, error_number);
        atomic_store(&look_up_error, error);
        int result = forms[i](runtime);
        atomic_store(&look_up_error, 0);
        if (result != expected)
            oom_fail("gethostbyname2_r gave %d: %s, not %s", error, weir_error_name(result),
                     weir_error_name(expected));
        expect_live("gethostbyname2_r", live);
        result = forms[i](runtime);
        if (result != 0)
            oom_fail("after gethostbyname2_r gave %d: %s", error, weir_error_name(result));
    }
}

/* "localhost" is known to the C library alone. */
static int start(weir_runtime **runtime, uint32_t schedulers, const struct dns_server *server)
{
    char terms[512];
    snprintf(terms, sizeof(terms),
             "{resolv_conf,\"\"}. {hosts_file,\"\"}. {lookup,[file,dns,native]}. {cache_size,0}. "
             "{domain,\"\"}. clear_search. {host,{127,0,0,1},[\"host.of.file\",\"alias\"]}. "
             "{nameserver,{127,0,0,1},%u}.",
             dns_server_port(server));
    const weir_config config = {.schedulers = schedulers,
                                .buffer_count = 16,
                                .submission_entries = 64,
                                .completion_entries = 128,
                                .inet_terms = terms};
    return weir_start(runtime, &config);
}

int main(void)
{
    int64_t live = memory_live_count();
    weir_runtime *runtime;
    struct dns_server *server = dns_server_start();
    int result = start(&runtime, 1, server);
    if (result == -EPERM || result == -ENOSYS)
        return SKIPPED;
    if (result < 0)
        oom_fail("start: %s", weir_last_error_text());
    if (start(&oom_two, 2, server) < 0)
        oom_fail("start: %s", weir_last_error_text());
    for (unsigned i = 0; i < oom_case_count; i++)
        sweep(&oom_cases[i], runtime);
    fail_look_ups(runtime, NETDB_INTERNAL, ENOMEM, -ENOMEM);
    fail_look_ups(runtime, NETDB_INTERNAL, EIO, WEIR_NXDOMAIN);
    fail_look_ups(runtime, TRY_AGAIN, EAGAIN, WEIR_NXDOMAIN);
    fail_look_ups(runtime, HOST_NOT_FOUND, 0, WEIR_NXDOMAIN);
    weir_stop(runtime);
    weir_stop(oom_two);
    dns_server_stop(server);
    expect_live("all", live);
    return 0;
}
