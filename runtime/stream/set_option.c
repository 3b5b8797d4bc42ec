/* SPDX-License-Identifier: MIT */
#include "runtime/stream/set_option.h"
#include "runtime/stream/input.h"

#include <errno.h>

#include "base/error.h"
#include "runtime/owner/hand_over.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/active.h"
#include "runtime/stream/idle.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/stream.h"

static int set_active(struct stream *stream, int32_t wanted)
{
    int32_t next;
    int result = active_next(stream->active, wanted, &next);
    if (result < 0)
        return result;
    if (wanted != WEIR_ACTIVE_FALSE && owner_is_nobody(slot_owner(&stream->slot)))
        return error_say(-EINVAL, "option active: the socket has no owner to tell");
    stream->latches &= (uint8_t)~LATCH_UNASKED;
    stream->active = active_is_spent(next) ? WEIR_ACTIVE_FALSE : next;
    return active_is_spent(next) ? OPTION_SPENT : 0;
}

/* That {buffer,_} was set on a listener is not inherited: the values are, and the mark goes with
 * the first change of a socket's own. */
static int own_values(struct stream *stream)
{
    if (option_block_own(&stream->slot.options) < 0)
        return error_say(-ENOMEM, "no memory for the socket's options");
    if (stream->options_inherited)
        stream->slot.options->values.buffer_explicit = false;
    stream->options_inherited = false;
    return 0;
}

/* What has begun to come is looked at afresh when it is to be framed otherwise. */
static void note_framing(struct stream *stream, uint8_t packet, uint8_t delimiter)
{
    const struct option_values *values = stream_values(stream);
    if (packet == values->packet && delimiter == values->line_delimiter)
        return;
    input_forget_begun(stream);
}

/* Who has a watch already needs no memory: one that gets none had no time-out before. */
static int watch_over(struct scheduler *scheduler, struct stream *stream)
{
    int result = idle_watch(scheduler, stream);
    if (result < 0)
        stream->slot.options->values.idle_timeout_ms = WEIR_INFINITY;
    return result;
}

static int apply(struct scheduler *scheduler, struct stream *stream, const weir_option *option)
{
    const weir_option alone[] = {*option, {.id = WEIR_OPTION_END}};
    uint8_t packet = stream_values(stream)->packet;
    uint8_t delimiter = stream_values(stream)->line_delimiter;
    int fd = stream->slot.state == SOCKET_GONE ? -1 : stream->slot.fd;
    int result = options_touch_values(alone) ? own_values(stream) : 0;
    if (result == 0)
        result = options_apply(alone, OPTION_SET_TCP, &stream->slot.options->values, fd,
                               stream->slot.family);
    if (result == 0)
        stream->bit8_seen = options_bit8_seen(alone, stream->bit8_seen);
    note_framing(stream, packet, delimiter);
    if (result == 0 && option->id == WEIR_OPTION_IDLE_TIMEOUT)
        result = watch_over(scheduler, stream);
    return result;
}

int stream_set_option(struct scheduler *scheduler, struct slot *slot, const weir_option *option)
{
    struct stream *stream = stream_of(slot);
    input_settle(stream);
    return option->id == WEIR_OPTION_ACTIVE ? set_active(stream, (int32_t)option->value.number)
                                            : apply(scheduler, stream, option);
}

/* Nothing follows closed. */
void stream_tell_passive(struct scheduler *scheduler, struct slot *slot)
{
    if (!stream_of(slot)->closed_told)
        owner_tell_behind(scheduler, slot, WEIR_MESSAGE_PASSIVE);
}

void stream_changed(struct scheduler *scheduler, struct slot *slot)
{
    struct stream *stream = stream_of(slot);
    if (!stream->delivering)
        receive_go_on(scheduler, stream);
}
