/* SPDX-License-Identifier: MIT */
#include "sim/udp_wait.h"

#include <errno.h>

#include "runtime/datagram/datagram.h"
#include "runtime/datagram/outbox.h"
#include "runtime/scheduler/scheduler.h"
#include "sim/model.h"
#include "sim/udp_act.h"
#include "sim/udp_model.h"

bool udp_is_busy(const struct udp_view *view)
{
    const struct datagram *socket = udp_model_socket(view);
    return socket && socket->outbox && socket->outbox->busy;
}

/* The next byte would be more than its scheduler holds, and than others have left of it. */
static bool is_used_up(const struct scheduler *scheduler)
{
    const struct lease *lease = &scheduler->lease;
    uint64_t used = scheduler->totals.queued_bytes + scheduler->totals.waiting_bytes;
    return used >= lease->bytes + atomic_load(&lease->pool->free_bytes);
}

int udp_foresee_call(struct udp_view *view, const struct udp_sending *sending)
{
    int expected = udp_foresee_send(view, sending);
    if (expected == 0 && udp_is_busy(view) && is_used_up(model_home(view->handle)))
        expected = -ENOBUFS;
    return expected;
}
