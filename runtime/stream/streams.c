/* SPDX-License-Identifier: MIT */
#include "runtime/stream/streams.h"

#include "base/memory.h"
#include "runtime/send_queue/segment.h"
#include "runtime/stream/busy.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/output.h"
#include "runtime/stream/receive.h"

struct streams *streams_open(void)
{
    struct streams *streams = memory_allocate_zeroed(1, sizeof(*streams));
    if (!streams)
        return NULL;
    streams->pools = send_pools_open();
    if (!streams->pools) {
        memory_free(streams);
        return NULL;
    }
    list_init(&streams->starved);
    list_init(&streams->limited);
    list_init(&streams->postponed);
    list_init(&streams->due);
    streams->share = SHARE_MOST;
    lingering_init(&streams->lingering);
    task_init(&streams->feed, receive_feed);
    task_init(&streams->share_out, delivery_share_out);
    task_init(&streams->go_on, delivery_go_on);
    task_init(&streams->relieve, busy_relieve);
    return streams;
}

void streams_close(struct streams *streams)
{
    output_free_all(streams);
    send_pools_close(streams->pools);
    memory_free(streams);
}
