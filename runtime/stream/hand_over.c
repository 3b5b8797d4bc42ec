/* SPDX-License-Identifier: MIT */
#include "runtime/stream/hand_over.h"

#include "runtime/owner/hand_over.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/stream.h"

int stream_hand_over(struct scheduler *scheduler, struct slot *slot, weir_owner next)
{
    struct stream *stream = stream_of(slot);
    bool delivering = stream->delivering;
    stream->delivering = true;
    int result = owner_hand_over(scheduler, slot, next);
    stream->delivering = delivering;
    if (result > 0)
        receive_go_on(scheduler, stream);
    return result;
}
