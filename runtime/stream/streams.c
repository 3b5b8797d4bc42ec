/* SPDX-License-Identifier: MIT */
#include "runtime/stream/streams.h"

#include <errno.h>

#include "base/memory.h"
#include "runtime/send_queue/segment.h"
#include "runtime/stream/busy.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/flush.h"
#include "runtime/stream/output.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/share.h"

int streams_open(struct scheduler *scheduler, void **state)
{
    (void)scheduler;
    struct streams *streams = memory_allocate_zeroed(1, sizeof(*streams));
    if (!streams)
        return -ENOMEM;
    streams->pools = send_pools_open();
    if (!streams->pools) {
        memory_free(streams);
        return -ENOMEM;
    }
    list_init(&streams->limited);
    list_init(&streams->served);
    list_init(&streams->broadcasts);
    streams->share = SHARE_MOST;
    lingering_init(&streams->lingering);
    rest_init(&streams->rest, receive_rested, flush_rested);
    task_init(&streams->feed, receive_feed);
    task_init(&streams->share_out, share_out);
    task_init(&streams->go_on, receive_postponed);
    task_init(&streams->answer, delivery_answer);
    task_init(&streams->relieve, busy_relieve);
    *state = streams;
    return 0;
}

void streams_shut(void *state)
{
    struct streams *streams = state;
    output_free_all(streams);
    send_pools_close(streams->pools);
    slot_notes_free(&streams->idle);
    slot_notes_free(&streams->proxied);
    memory_free(streams);
}
