/* SPDX-License-Identifier: MIT */
#include "sim/act_look_up.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/dice.h"
#include "sim/kernel.h"
#include "sim/model.h"
#include "sim/pending.h"
#include "sim/trace.h"
#include "sim/world.h"
#include <weir/error.h>
#include <weir/names.h>

enum { NAMES = 40, MS = 1000000 };

/* "hostN" is in the configuration, "knownN.sim" at the name server, "noneN.sim" nowhere. */
enum name_kind { NAME_HOST, NAME_KNOWN, NAME_NONE, NAME_KIND_COUNT };

struct wanted {
    enum name_kind kind;
    uint32_t number;
    int64_t timeout_ms;
    uint64_t deadline_ns; /* UINT64_MAX: none */
    char name[32];
};

static struct wanted choose(void)
{
    static const char *const forms[] = {"host%u", "known%u.sim", "none%u.sim"};
    struct wanted wanted = {.deadline_ns = UINT64_MAX};
    wanted.kind = (enum name_kind)dice_below(NAME_KIND_COUNT);
    wanted.number = wanted.kind == NAME_HOST ? 1 : dice_below(NAMES);
    wanted.timeout_ms = dice_chance(500) ? -1 : (int64_t)dice_below(100);
    if (wanted.timeout_ms >= 0)
        wanted.deadline_ns = kernel.now_ns + (uint64_t)wanted.timeout_ms * MS;
    snprintf(wanted.name, sizeof(wanted.name), forms[wanted.kind], wanted.number);
    return wanted;
}

static void check_addresses(enum name_kind kind, uint32_t number, const weir_hostent *hostent)
{
    const weir_address *address = &hostent->h_addr_list[0];
    SIM_CHECK(kind != NAME_NONE, "a name that does not exist was found");
    SIM_CHECK(hostent->address_count == 1 && address->family == WEIR_INET, "other addresses");
    SIM_CHECK(address->bytes[0] == (kind == NAME_HOST ? 127 : 10), "a lie was believed: %d",
              address->bytes[0]);
    SIM_CHECK(address->bytes[3] == (kind == NAME_HOST ? 1 : number % 256), "another address");
}

static void check_found(enum name_kind kind, uint32_t number, const weir_hostent *hostent,
                        int result)
{
    bool may_fail = result == WEIR_NXDOMAIN || result == WEIR_TIMEOUT || result == -EINVAL ||
                    (result == WEIR_CLOSED && model_stopping) ||
                    (result == -ENOMEM && model_lenient);
    SIM_CHECK(result == 0 || may_fail, "a look-up gave %s", weir_error_name(result));
    SIM_CHECK((result == 0) == (hostent != NULL), "a host and %s", weir_error_name(result));
    if (result == 0)
        check_addresses(kind, number, hostent);
}

static void found(const weir_hostent *hostent, int result, void *data)
{
    struct pending *pending = data;
    pending_called(pending, PENDING_LOOK_UP, result);
    check_found((enum name_kind)pending->link_serial, pending->link, hostent, result);
    pending_end(pending);
}

void act_look_up(weir_runtime *runtime)
{
    struct pending *pending = pending_begin(PENDING_LOOK_UP);
    if (!pending)
        return;
    struct wanted wanted = choose();
    pending->link_serial = wanted.kind;
    pending->link = wanted.number;
    pending->timeout_ms = wanted.timeout_ms;
    pending->deadline_ns = wanted.deadline_ns;
    pending->away = 1;
    int result = weir_gethostbyname_async(runtime, wanted.name, WEIR_INET, wanted.timeout_ms, found,
                                          pending);
    pending->returned = true;
    trace("look-up of name %lld of kind %lld: %lld", pending->link, pending->link_serial, result,
          0);
    if (result == 0)
        return;
    SIM_CHECK((result == -ENOMEM && model_lenient) || (result == WEIR_CLOSED && model_stopping),
              "a look-up was refused: %s", weir_error_name(result));
    pending_end(pending);
}

void act_look_up_and_wait(weir_runtime *runtime)
{
    weir_hostent *hostent;
    struct wanted wanted = choose();
    int result = weir_gethostbyname2(runtime, wanted.name, WEIR_INET, wanted.timeout_ms, &hostent);
    trace("a thread looked name %lld of kind %lld up: %lld", wanted.number, wanted.kind, result, 0);
    SIM_CHECK(result != WEIR_TIMEOUT || kernel.now_ns >= wanted.deadline_ns,
              "a time-out too early");
    check_found(wanted.kind, wanted.number, hostent, result);
    weir_hostent_free(hostent);
}

void act_load_and_wait(weir_runtime *runtime)
{
    int result = weir_load_rc(runtime, "", world_inet_terms());
    trace("a thread loaded a configuration of names: %lld", result, 0, 0, 0);
    SIM_CHECK(result == 0 || (result == -ENOMEM && model_lenient) ||
                  (result == WEIR_CLOSED && model_stopping),
              "load_rc gave %s", weir_error_name(result));
}
