/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/set_option.h"

#include <errno.h>

#include "base/error.h"
#include "runtime/datagram/datagram.h"
#include "runtime/owner/hand_over.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/active.h"

int datagram_set_active(struct datagram *socket, int32_t wanted)
{
    int32_t next;
    int result = active_next(socket->active, wanted, &next);
    if (result < 0)
        return result;
    if (wanted != WEIR_ACTIVE_FALSE && owner_is_nobody(slot_owner(&socket->slot)))
        return error_say(-EINVAL, "option active: the socket has no owner to tell");
    socket->active = active_is_spent(next) ? WEIR_ACTIVE_FALSE : next;
    return active_is_spent(next) ? OPTION_SPENT : 0;
}

void datagram_tell_passive(struct scheduler *scheduler, struct slot *slot)
{
    owner_tell_behind(scheduler, slot, WEIR_MESSAGE_PASSIVE);
}

/* What has come in runs is still to be told apart. */
static bool takes_runs_back(struct datagram *socket, const weir_option *option)
{
    if (option->id != WEIR_OPTION_UDP_GRO)
        return false;
    socket->leaves_runs = false;
    return socket->has_runs && !option->value.number;
}

static int apply(struct datagram *socket, const weir_option *option)
{
    const weir_option alone[] = {*option, {.id = WEIR_OPTION_END}};
    if (takes_runs_back(socket, option)) {
        datagram_leave_runs(socket);
        return 0;
    }
    if (options_touch_values(alone) && option_block_own(&socket->slot.options) < 0)
        return error_say(-ENOMEM, "no memory for the socket's options");
    int result = options_apply(alone, OPTION_SET_UDP, &socket->slot.options->values,
                               socket->slot.fd, socket->slot.family);
    if (result == 0)
        socket->bit8_seen = options_bit8_seen(alone, socket->bit8_seen);
    if (option->id == WEIR_OPTION_UDP_GRO || option->id == WEIR_OPTION_CREDENTIALS ||
        option->id == WEIR_OPTION_RAW)
        datagram_learn(socket);
    return result;
}

int datagram_set_option(struct scheduler *scheduler, struct slot *slot, const weir_option *option)
{
    struct datagram *socket = datagram_of(slot);
    (void)scheduler;
    return option->id == WEIR_OPTION_ACTIVE
               ? datagram_set_active(socket, (int32_t)option->value.number)
               : apply(socket, option);
}
