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
#include <weir/error.h>
#include <weir/names.h>

enum { NAMES = 40, MS = 1000000 };

/* "hostN" is in the configuration, "knownN.sim" at the name server, "noneN.sim" nowhere. */
static void check_found(const struct pending *pending, const weir_hostent *hostent)
{
    unsigned number = pending->link;
    const weir_address *address = &hostent->h_addr_list[0];
    SIM_CHECK(pending->link_serial != 2, "a name that does not exist was found");
    SIM_CHECK(hostent->address_count == 1 && address->family == WEIR_INET, "other addresses");
    SIM_CHECK(address->bytes[0] == (pending->link_serial ? 10 : 127), "a lie was believed: %d",
              address->bytes[0]);
    SIM_CHECK(address->bytes[3] == (pending->link_serial ? number % 256 : 1), "another address");
}

static void found(const weir_hostent *hostent, int result, void *data)
{
    struct pending *pending = data;
    pending_called(pending, PENDING_LOOK_UP, result);
    bool may_fail = result == WEIR_NXDOMAIN || result == WEIR_TIMEOUT || result == -EINVAL ||
                    (result == WEIR_CLOSED && model_stopping) ||
                    (result == -ENOMEM && model_lenient);
    SIM_CHECK(result == 0 || may_fail, "a look-up gave %s", weir_error_name(result));
    SIM_CHECK((result == 0) == (hostent != NULL), "a host and %s", weir_error_name(result));
    if (result == 0)
        check_found(pending, hostent);
    pending_end(pending);
}

void act_look_up(weir_runtime *runtime)
{
    static const char *const forms[] = {"host%u", "known%u.sim", "none%u.sim"};
    char name[32];
    struct pending *pending = pending_begin(PENDING_LOOK_UP);
    if (!pending)
        return;
    pending->link_serial = dice_below(3);
    pending->link = pending->link_serial ? dice_below(NAMES) : 1;
    pending->timeout_ms = dice_chance(500) ? -1 : (int64_t)dice_below(100);
    pending->afar = true;
    if (pending->timeout_ms >= 0)
        pending->deadline_ns = kernel.now_ns + (uint64_t)pending->timeout_ms * MS;
    snprintf(name, sizeof(name), forms[pending->link_serial], pending->link);
    int result =
        weir_gethostbyname_async(runtime, name, WEIR_INET, pending->timeout_ms, found, pending);
    pending->returned = true;
    trace("look-up of name %lld of kind %lld: %lld", pending->link, pending->link_serial, result,
          0);
    if (result == 0)
        return;
    SIM_CHECK((result == -ENOMEM && model_lenient) || (result == WEIR_CLOSED && model_stopping),
              "a look-up was refused: %s", weir_error_name(result));
    pending_end(pending);
}
