/* SPDX-License-Identifier: MIT */
#include "runtime/listener/set_option.h"

#include <errno.h>

#include "base/error.h"
#include "runtime/listener/accept.h"
#include "runtime/listener/late_options.h"
#include "runtime/listener/listener.h"
#include "runtime/socket/active.h"

static int own_values(struct listener *listener)
{
    if (option_block_own(&listener->slot.options) < 0)
        return error_say(-ENOMEM, "no memory for the socket's options");
    return 0;
}

static int set_active(struct listener *listener, int32_t wanted)
{
    int32_t next;
    int result = active_next(listener_values(listener)->active, wanted, &next);
    if (result == 0)
        result = own_values(listener);
    if (result == 0)
        listener->slot.options->values.active = active_is_spent(next) ? WEIR_ACTIVE_FALSE : next;
    return result;
}

static int apply(struct scheduler *scheduler, struct listener *listener, const weir_option *option)
{
    const weir_option alone[] = {*option, {.id = WEIR_OPTION_END}};
    int result = options_touch_values(alone) ? own_values(listener) : 0;
    if (result == 0)
        result = options_apply(alone, OPTION_SET_TCP, &listener->slot.options->values,
                               listener->slot.fd, listener->slot.family);
    if (result == 0 && options_touch_inherited(alone))
        result = late_options_note(scheduler, listener, alone);
    return result;
}

int listener_set_option(struct scheduler *scheduler, struct slot *slot, const weir_option *option)
{
    struct listener *listener = listener_of(slot);
    return option->id == WEIR_OPTION_ACTIVE ? set_active(listener, (int32_t)option->value.number)
                                            : apply(scheduler, listener, option);
}
