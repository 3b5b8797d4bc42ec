/* SPDX-License-Identifier: MIT */
/* inet's gethostbyname, gethostbyaddr, getaddr and getaddrs. */
#include <errno.h>
#include <string.h>

#include "address/name.h"
#include "base/error.h"
#include "base/memory.h"
#include "runtime/resolver/resolver.h"
#include "runtime/runtime.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"

/* A look-up that nobody sleeps for. */
struct asked {
    struct look_up look_up;
    weir_found *found;
    void *data;
    char name[];
};

static int check_family(enum weir_family family)
{
    if (family == WEIR_INET || family == WEIR_INET6)
        return 0;
    return error_say(-EINVAL, "family %d is neither inet nor inet6", (int)family);
}

static int check_host(const char *host)
{
    if (name_is_visible(host))
        return 0;
    return error_say(-EINVAL, "a host name is one or more printable characters, no blanks");
}

/* Inside the runtime. */
static int ask(weir_runtime *runtime, struct look_up *look_up, int64_t timeout_ms)
{
    if (!call_may_wait())
        return error_say(-EDEADLK, "a look-up would wait, which a scheduler must not: use its "
                                   "_async form");
    look_up->call.timeout_ms = timeout_ms;
    look_up->naming = &runtime->naming;
    if (look_up->family == WEIR_ANY_FAMILY)
        look_up->family = naming_family(&runtime->naming);
    return call_make_on(&operation_look_up, runtime_home(runtime, look_up), &look_up->call);
}

static int find(weir_runtime *runtime, struct look_up *look_up, int64_t timeout_ms,
                weir_hostent **hostent)
{
    call_begin();
    int result = runtimes_enter(runtime);
    *hostent = NULL;
    if (result < 0)
        return result;
    result = ask(runtime, look_up, timeout_ms);
    runtimes_leave(runtime);
    *hostent = look_up->hostent;
    return result;
}

int weir_gethostbyname(weir_runtime *runtime, const char *name, int64_t timeout_ms,
                       weir_hostent **hostent)
{
    struct look_up look_up = {.name = name ? name : ""};
    error_clear_text();
    return find(runtime, &look_up, timeout_ms, hostent);
}

int weir_gethostbyname2(weir_runtime *runtime, const char *name, enum weir_family family,
                        int64_t timeout_ms, weir_hostent **hostent)
{
    struct look_up look_up = {.name = name ? name : "", .family = family};
    error_clear_text();
    *hostent = NULL;
    int result = check_family(family);
    return result < 0 ? result : find(runtime, &look_up, timeout_ms, hostent);
}

int weir_gethostbyaddr(weir_runtime *runtime, const weir_address *address, int64_t timeout_ms,
                       weir_hostent **hostent)
{
    struct look_up look_up = {.address = *address, .family = (enum weir_family)address->family};
    error_clear_text();
    *hostent = NULL;
    look_up.address.port = 0;
    int result = check_family(look_up.family);
    return result < 0 ? result : find(runtime, &look_up, timeout_ms, hostent);
}

int weir_getaddrs(weir_runtime *runtime, const char *host, enum weir_family family,
                  int64_t timeout_ms, weir_address *addresses, size_t capacity)
{
    weir_hostent *hostent;
    int result = check_host(host);
    if (result == 0)
        result = weir_gethostbyname2(runtime, host, family, timeout_ms, &hostent);
    if (result < 0)
        return result;
    size_t count = hostent->address_count;
    memcpy(addresses, hostent->h_addr_list,
           (count < capacity ? count : capacity) * sizeof(*addresses));
    weir_hostent_free(hostent);
    return (int)count;
}

int weir_getaddr(weir_runtime *runtime, const char *host, enum weir_family family,
                 int64_t timeout_ms, weir_address *address)
{
    int result = weir_getaddrs(runtime, host, family, timeout_ms, address, 1);
    return result < 0 ? result : 0;
}

static void finish(struct call *call)
{
    struct asked *asked = list_entry(call, struct asked, look_up.call);
    if (call->callback)
        asked->found(asked->look_up.hostent, call->result, asked->data);
    weir_hostent_free(asked->look_up.hostent);
    memory_free(asked);
}

static struct asked *new_asked(const struct look_up *look_up, int64_t timeout_ms)
{
    size_t size = look_up->name ? strlen(look_up->name) + 1 : 0;
    struct asked *asked = call_allocate(sizeof(*asked) + size);
    if (!asked)
        return NULL;
    asked->look_up = *look_up;
    if (look_up->name)
        asked->look_up.name = memcpy(asked->name, look_up->name, size);
    asked->look_up.call.timeout_ms = timeout_ms;
    asked->look_up.call.finish = finish;
    return asked;
}

static int find_async(weir_runtime *runtime, struct look_up *look_up, int64_t timeout_ms,
                      weir_found *found, void *data)
{
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    look_up->naming = &runtime->naming;
    if (look_up->family == WEIR_ANY_FAMILY)
        look_up->family = naming_family(&runtime->naming);
    struct asked *asked = new_asked(look_up, timeout_ms);
    if (asked) {
        asked->found = found;
        asked->data = data;
        asked->look_up.call.callback =
            (void (*)(void))found; /* NULL once nothing is to be called back */
        result = call_make_async_on(&operation_look_up, runtime_home(runtime, look_up),
                                    &asked->look_up.call);
    } else {
        result = -ENOMEM;
    }
    runtimes_leave(runtime);
    return result;
}

int weir_gethostbyname_async(weir_runtime *runtime, const char *name, enum weir_family family,
                             int64_t timeout_ms, weir_found *found, void *data)
{
    struct look_up look_up = {.name = name ? name : "", .family = family};
    error_clear_text();
    int result = family == WEIR_ANY_FAMILY ? 0 : check_family(family);
    return result < 0 ? result : find_async(runtime, &look_up, timeout_ms, found, data);
}

int weir_gethostbyaddr_async(weir_runtime *runtime, const weir_address *address, int64_t timeout_ms,
                             weir_found *found, void *data)
{
    struct look_up look_up = {.address = *address, .family = (enum weir_family)address->family};
    error_clear_text();
    look_up.address.port = 0;
    int result = check_family(look_up.family);
    return result < 0 ? result : find_async(runtime, &look_up, timeout_ms, found, data);
}

int weir_getaddrs_async(weir_runtime *runtime, const char *host, enum weir_family family,
                        int64_t timeout_ms, weir_found *found, void *data)
{
    int result = check_host(host);
    if (result == 0)
        result = check_family(family);
    if (result < 0)
        return result;
    return weir_gethostbyname_async(runtime, host, family, timeout_ms, found, data);
}
