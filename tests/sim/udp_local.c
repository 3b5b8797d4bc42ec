/* SPDX-License-Identifier: MIT */
#include "sim/udp_local.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "address/address.h"
#include "sim/dice.h"
#include "sim/event.h"
#include "sim/trace.h"
#include "sim/udp.h"

enum { NAMELESS = 0 };

static struct {
    bool gone;
    bool reads; /* soon */
    uint32_t unread;
} peers[UDP_PEER_COUNT];

void udp_local_reset(void)
{
    memset(peers, 0, sizeof(peers));
}

/* One has a path, the next an abstract name; the first can be heard and not be answered. */
weir_local_address udp_local_address(uint32_t peer)
{
    weir_local_address address = {0};
    if (peer == NAMELESS)
        return address;
    address.size = (uint8_t)snprintf(address.name, sizeof(address.name), "/run/peer%u", peer);
    if (peer % 2 == 0)
        address.name[0] = '\0';
    return address;
}

uint32_t udp_local_put_name(uint32_t peer, void *name)
{
    const weir_local_address address = udp_local_address(peer);
    struct sockaddr_storage storage;
    socklen_t size = local_address_to_sockaddr(&address, &storage);
    if (peer == NAMELESS)
        return 0;
    memcpy(name, &storage, size);
    return size;
}

static bool is_same(const weir_local_address *one, const weir_local_address *other)
{
    return one->size == other->size && memcmp(one->name, other->name, one->size) == 0;
}

uint32_t udp_local_peer_of(const struct sockaddr *address, socklen_t size)
{
    struct sockaddr_storage storage = {0};
    weir_local_address name;
    memcpy(&storage, address, size);
    local_address_from_sockaddr(&storage, size, &name);
    for (uint32_t peer = NAMELESS + 1; peer < UDP_PEER_COUNT; peer++) {
        const weir_local_address its = udp_local_address(peer);
        if (is_same(&name, &its))
            return peer;
    }
    sim_fail("a datagram for a local name that is nobody's");
}

bool udp_local_is_from(const weir_datagram *datagram, uint32_t peer)
{
    const weir_local_address its = udp_local_address(peer);
    return datagram->source.family == WEIR_LOCAL && datagram->local &&
           is_same(datagram->local, &its);
}

static void read_some(uint32_t peer, uint32_t unused)
{
    (void)unused;
    peers[peer].reads = false;
    peers[peer].unread -= dice_size(peers[peer].unread);
    if (peers[peer].unread == 0)
        return;
    peers[peer].reads = true;
    event_after(dice_size(8000000), read_some, peer, 0);
}

int udp_local_refusal(uint32_t peer)
{
    if (dice_chance(5))
        peers[peer].gone = !peers[peer].gone;
    if (peers[peer].gone)
        return -ECONNREFUSED;
    return peers[peer].unread >= UDP_LOCAL_QUEUE_MOST ? -EAGAIN : 0;
}

void udp_local_sent(uint32_t peer)
{
    SIM_CHECK(peers[peer].unread < UDP_LOCAL_QUEUE_MOST, "a local peer's queue is too long");
    peers[peer].unread++;
    if (peers[peer].reads)
        return;
    peers[peer].reads = true;
    event_after(dice_size(8000000), read_some, peer, 0);
}
