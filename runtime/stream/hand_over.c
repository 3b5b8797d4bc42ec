/* SPDX-License-Identifier: MIT */
#include "runtime/stream/hand_over.h"

#include "runtime/owner/hand_over.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/stream.h"

void stream_hand_over(struct scheduler *scheduler, struct slot *slot, weir_owner next)
{
    struct stream *stream = stream_of(slot);
    bool delivering = stream->delivering;
    stream->delivering = true;
    bool any = owner_hand_over(scheduler, slot, next);
    stream->delivering = delivering;
    if (any)
        receive_go_on(scheduler, stream);
}
