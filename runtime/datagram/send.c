/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/send.h"

#include <errno.h>
#include <string.h>

#include "address/address.h"
#include "runtime/buffer/buffer.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/datagrams.h"
#include "runtime/datagram/departure.h"
#include "runtime/datagram/outbox.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/waiting.h"

/* Of inet; inet6 takes 20 more, which the kernel sees to. */
enum { LETTER_BYTES_MAX = 65507, LETTER_BYTES_MAX_INET6 = 65527 };

static int check_address(const struct datagram *socket, const struct letter *letter)
{
    static const char *const names[] = {
        [WEIR_LOCAL] = "local", [WEIR_INET] = "inet", [WEIR_INET6] = "inet6"};
    const weir_address *to = letter->to;
    uint8_t family = letter->local ? WEIR_LOCAL : to ? to->family : socket->slot.family;
    if (family != socket->slot.family)
        return error_say(-EAFNOSUPPORT, "send: the address is not of the socket's family, %s",
                         names[socket->slot.family]);
    bool nameless = letter->local ? letter->local->size == 0 : to && family == WEIR_LOCAL;
    if (nameless || (!to && !letter->local && !socket->connected))
        return error_say(-EINVAL, "send: no address was given, and the socket is not connected");
    if (to && to->port == 0)
        return error_say(-EINVAL, "send: nothing can be sent to port 0");
    return 0;
}

static int check(struct datagram *socket, const struct letter *letter)
{
    bool inet6 = socket->slot.family == WEIR_INET6;
    size_t most = inet6 ? LETTER_BYTES_MAX_INET6 : LETTER_BYTES_MAX;
    if (letter->bytes.iov_len > most)
        return error_say(-EMSGSIZE, "send: a datagram has at most %zu bytes", most);
    int result = check_address(socket, letter);
    return result < 0 ? result : datagram_take_error(socket);
}

struct destination {
    union parcel_address address;
    socklen_t size; /* 0: the connected peer */
};

static struct destination destination_of(const struct letter *letter)
{
    struct destination destination = {.size = 0};
    struct sockaddr_storage storage;
    if (!letter->to && !letter->local)
        return destination;
    destination.size = letter->local ? local_address_to_sockaddr(letter->local, &storage)
                                     : address_to_sockaddr(letter->to, &storage);
    memcpy(&destination.address, &storage, destination.size);
    return destination;
}

static bool is_to(const struct parcel *parcel, const struct destination *destination)
{
    return parcel->address_size == destination->size &&
           memcmp(&parcel->address, &destination->address, destination->size) == 0;
}

/* Behind the last one, which is to the same peer: the kernel cuts them apart. */
static bool lengthen(struct scheduler *scheduler, struct outbox *outbox,
                     const struct letter *letter, const struct destination *destination)
{
    const struct refusals *refusals = &datagrams_of(scheduler)->refusals;
    struct parcel *last = outbox_last(outbox);
    size_t size = letter->bytes.iov_len;
    bool is_udp = outbox->socket->slot.family != WEIR_LOCAL;
    uint8_t *room = is_udp && last && is_to(last, destination) ? parcel_room(last, size) : NULL;
    if (!room || refusal_holds(refusals, last, scheduler->now_ns))
        return false;
    memcpy(room, letter->bytes.iov_base, size);
    parcel_grow(last, size);
    return true;
}

static int add(struct scheduler *scheduler, struct outbox *outbox, const struct letter *letter,
               struct call *call)
{
    size_t size = letter->bytes.iov_len;
    struct destination destination = destination_of(letter);
    if (!call && lengthen(scheduler, outbox, letter, &destination))
        return 0;
    struct parcel *parcel = parcel_take(&datagrams_of(scheduler)->parcels, size);
    if (!parcel)
        return error_say(-ENOMEM, "send: no memory for a datagram");
    if (size > 0)
        memcpy(parcel->bytes, letter->bytes.iov_base, size);
    memcpy(&parcel->address, &destination.address, destination.size);
    parcel->address_size = destination.size;
    parcel->call = call;
    parcel->rights = letter->rights;
    if (letter->rights)
        buffer_keep(letter->rights);
    if (call)
        letter_call_of(call)->parcel = parcel;
    outbox_append(outbox, parcel);
    return 0;
}

static int queue(struct scheduler *scheduler, struct datagram *socket, const struct letter *letter,
                 struct call *call)
{
    struct outbox *outbox = outbox_of(socket);
    size_t size = letter->bytes.iov_len;
    int result = outbox ? add(scheduler, outbox, letter, call)
                        : error_say(-ENOMEM, "send: no memory for a queue");
    if (result < 0)
        return result;
    outbox_count(outbox, size);
    traffic_count(&outbox->sent, &outbox->sent_max, size);
    departure_soon(scheduler, outbox);
    return 0;
}

int letter_send_now(struct scheduler *scheduler, struct datagram *socket,
                    const struct letter *letter)
{
    int result = check(socket, letter);
    if (result < 0)
        return result;
    if (departure_is_busy(socket)) {
        scheduler->totals.busy++;
        socket->outbox->refused = true;
        return -EAGAIN;
    }
    return queue(scheduler, socket, letter, NULL);
}

static int wait_for_room(struct scheduler *scheduler, struct outbox *outbox, struct call *call)
{
    int result = letter_call_of(call)->is_waited_for ? 0 : waiting_check(scheduler, call);
    if (result < 0)
        return result;
    scheduler->totals.busy++;
    outbox_let_wait(scheduler, outbox, call);
    return CALL_WAITS;
}

static int run_send(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct datagram *socket = datagram_of(slot);
    const struct letter *letter = &letter_call_of(call)->letter;
    int result = check(socket, letter);
    if (result < 0)
        return result;
    call_let_leave(scheduler, call);
    if (departure_is_busy(socket))
        return wait_for_room(scheduler, socket->outbox, call);
    result = queue(scheduler, socket, letter, call);
    return result < 0 ? result : CALL_WAITS;
}

/* What is in a parcel is sent all the same. */
static void leave_send(struct scheduler *scheduler, struct call *call)
{
    struct parcel *parcel = letter_call_of(call)->parcel;
    if (parcel)
        parcel->call = NULL;
    else
        outbox_leave(scheduler, call);
}

const struct call_operation operation_send_letter = {
    .name = "weir_udp_send",
    .run = run_send,
    .leave = leave_send,
    .kinds = 1 << KIND_DATAGRAM,
    .other_result = -EPROTOTYPE,
    .dead_result = WEIR_CLOSED,
    .may_wait = true,
};
