/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/connect.h"

#include "base/system.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/outbox.h"

/* The size of its name; 0: nothing is queued, or it has none, as a local one may. */
static socklen_t present_peer(const struct datagram *socket, union parcel_address *peer)
{
    socklen_t size = sizeof(*peer);
    if (!socket->connected || !socket->outbox || socket->outbox->queued_count == 0 ||
        system_getpeername(socket->slot.fd, &peer->any, &size) < 0)
        return 0;
    return size > sizeof(peer->any.sa_family) && size <= sizeof(*peer) ? size : 0;
}

int datagram_connect(struct datagram *socket, const struct sockaddr_storage *peer, socklen_t size)
{
    union parcel_address present;
    socklen_t present_size = present_peer(socket, &present);
    int result = system_connect(socket->slot.fd, (const struct sockaddr *)peer, size);
    if (result < 0)
        return result;
    if (present_size > 0)
        outbox_name_peer(socket->outbox, &present, present_size);
    socket->connected = true;
    return result;
}
