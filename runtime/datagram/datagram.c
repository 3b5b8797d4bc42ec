/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/datagram.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "base/canary.h"
#include "base/memory.h"
#include "base/system.h"
#include "runtime/datagram/datagrams.h"
#include "runtime/datagram/intake.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"

struct datagram *datagram_create(struct scheduler *scheduler, int fd, enum weir_family family,
                                 const struct option_values *values)
{
    struct tally *received = memory_allocate_zeroed(1, sizeof(*received));
    struct slot *slot =
        received ? slot_create_with(scheduler, KIND_DATAGRAM, fd, family, values) : NULL;
    if (!slot) {
        memory_free(received);
        return NULL;
    }
    struct datagram *socket = datagram_of(slot);
    intake_open(&datagrams_of(scheduler)->buffers, scheduler->buffers);
    socket->received = received;
    socket->active = WEIR_ACTIVE_FALSE;
    socket->bit8_seen = values->bit8 == WEIR_BIT8_SET;
    datagram_learn(socket);
    slot_move(slot, SOCKET_ESTABLISH);
    return socket;
}

static bool is_on(const struct datagram *socket, int level, int name)
{
    int on = 0;
    socklen_t size = sizeof(on);
    return system_getsockopt(socket->slot.fd, level, name, &on, &size) >= 0 && on != 0;
}

void datagram_learn(struct datagram *socket)
{
    bool local = socket->slot.family == WEIR_LOCAL;
    socket->has_runs = !local && is_on(socket, IPPROTO_UDP, UDP_GRO);
    socket->has_credentials = local && is_on(socket, SOL_SOCKET, SO_PASSCRED);
}

static void set_runs(const struct datagram *socket, int on)
{
    (void)system_setsockopt(socket->slot.fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
}

static bool may_hold_runs(int fd)
{
    return system_is_readable(fd) && !CANARY(RUNS_CUT_OFF);
}

/* Of what size the datagrams of a run are the kernel says only while the option is on, also of
 * those that came before; so it is off for good only if nothing waits after that. */
void datagram_leave_runs(struct datagram *socket)
{
    int fd = socket->slot.fd;
    socket->leaves_runs = true;
    if (may_hold_runs(fd))
        return;
    set_runs(socket, 0);
    if (may_hold_runs(fd)) {
        set_runs(socket, 1);
        return;
    }
    socket->leaves_runs = false;
    datagram_learn(socket);
}

struct datagram *datagram_find(struct scheduler *scheduler, weir_socket handle)
{
    struct slot *slot = slot_find(scheduler, handle);
    return slot && slot->kind == KIND_DATAGRAM ? datagram_of(slot) : NULL;
}

uint32_t datagram_dropped(const struct datagram *socket)
{
    uint32_t figures[SK_MEMINFO_VARS];
    socklen_t size = sizeof(figures);
    int result = system_getsockopt(socket->slot.fd, SOL_SOCKET, SO_MEMINFO, figures, &size);
    return result == 0 && size == sizeof(figures) ? figures[SK_MEMINFO_DROPS]
                                                  : socket->received->dropped;
}

void datagram_note_dropped(struct scheduler *scheduler, struct datagram *socket)
{
    struct tally *received = socket->received;
    uint32_t dropped = datagram_dropped(socket);
    scheduler->totals.datagrams_dropped += dropped - received->dropped;
    received->dropped = dropped;
}

void datagram_tell_error(struct scheduler *scheduler, struct datagram *socket, int error)
{
    struct call *receiver = socket->caller;
    if (socket->slot.state != SOCKET_OPEN)
        return;
    if (socket->active != WEIR_ACTIVE_FALSE) {
        owner_tell(scheduler, &socket->slot, WEIR_MESSAGE_ERROR, error);
    } else if (receiver) {
        socket->caller = NULL;
        call_complete(scheduler, receiver, error);
    } else {
        socket->error = error;
    }
}

int datagram_take_error(struct datagram *socket)
{
    int error = socket->error;
    socket->error = 0;
    return error;
}
