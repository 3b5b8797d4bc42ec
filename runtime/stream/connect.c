/* SPDX-License-Identifier: MIT */
#include "runtime/stream/connect.h"

#include <errno.h>
#include <netinet/in.h>

#include "address/address.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/descriptor.h"
#include "runtime/socket/local.h"
#include "runtime/stream/close.h"
#include "runtime/stream/idle.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/stream.h"

int connecting_create(struct connecting **out, const weir_option *defaults,
                      const weir_option *options)
{
    struct connecting *connecting = memory_allocate_zeroed(1, sizeof(*connecting));
    if (!connecting)
        return -ENOMEM;
    connecting->options = options ? options_copy(options) : NULL;
    int result =
        options && !connecting->options
            ? -ENOMEM
            : options_set_up(&connecting->setup, OPTION_CONNECT, defaults, connecting->options);
    if (result < 0) {
        connecting_free(connecting);
        return result;
    }
    *out = connecting;
    return 0;
}

void connecting_free(struct connecting *connecting)
{
    descriptor_put_back(&connecting->setup);
    memory_free(connecting->options);
    memory_free(connecting);
}

/* The port is chosen when it is known where to: many connections to different peers share one. */
static void bind_without_port(int fd)
{
    const int on = 1;
    (void)system_setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
}

static int bind_local_name(const struct option_setup *setup, int fd)
{
    weir_local_address address;
    int result = local_address_of(setup, &address);
    return result < 0 || setup->local_name.family != WEIR_LOCAL ? result
                                                                : local_bind(setup, fd, &address);
}

static int bind_local(const struct option_setup *setup, enum weir_family family, int fd)
{
    if (!setup->has_local_address)
        return 0;
    if (family == WEIR_LOCAL)
        return bind_local_name(setup, fd);
    weir_address address = descriptor_local(setup, family);
    if (address.port == 0 && setup->fd < 0)
        bind_without_port(fd);
    return descriptor_bind(fd, &address);
}

static int check_family(const struct option_setup *setup, enum weir_family family, int fd)
{
    bool fits = setup->local.family == family || descriptor_is_connected(fd);
    return fits
               ? 0
               : error_say(-EAFNOSUPPORT, "connect: descriptor %d is of another family", setup->fd);
}

static int open_descriptor(struct option_setup *setup, enum weir_family *family)
{
    int fd = setup->fd >= 0 ? descriptor_open(setup) : descriptor_new(setup, *family);
    if (fd < 0)
        return fd;
    int result = setup->fd >= 0 ? check_family(setup, *family, fd) : 0;
    if (setup->fd >= 0)
        *family = (enum weir_family)setup->local.family;
    if (result >= 0)
        result = bind_local(setup, *family, fd);
    if (result < 0) {
        system_close(fd);
        return result;
    }
    return fd;
}

static int create_socket(struct scheduler *scheduler, struct call *call, enum weir_family family)
{
    struct connecting *connecting = open_call_of(call)->connecting;
    int fd = open_descriptor(&connecting->setup, &family);
    if (fd < 0)
        return fd;
    struct stream *stream = stream_create_with(scheduler, fd, family, &connecting->setup.values);
    if (!stream) {
        system_close(fd);
        return -ENOMEM;
    }
    slot_move(&stream->slot, SOCKET_CONNECT);
    if (idle_watch(scheduler, stream) < 0) {
        slot_move(&stream->slot, SOCKET_CLOSE);
        slot_settle(scheduler, &stream->slot);
        return -ENOMEM;
    }
    owner_set(&stream->slot, open_call_of(call)->owner);
    stream->waiter = call;
    connecting->sockets[connecting->socket_count++] = stream;
    return 0;
}

static void establish(struct scheduler *scheduler, struct stream *stream, struct call *call)
{
    descriptor_taken(&open_call_of(call)->connecting->setup);
    stream->waiter = NULL;
    slot_move(&stream->slot, SOCKET_ESTABLISH);
    scheduler->totals.connects++;
    stream_connected(scheduler, stream);
    open_call_of(call)->socket = slot_handle(scheduler, &stream->slot);
    receive_start(scheduler, stream);
}

static struct stream *last_attempt(const struct connecting *connecting)
{
    return connecting->sockets[connecting->socket_count - 1];
}

static bool is_connected(const struct connecting *connecting)
{
    return connecting->setup.fd >= 0 && descriptor_is_connected(last_attempt(connecting)->slot.fd);
}

static void forget_attempt(struct connecting *connecting, const struct stream *stream)
{
    size_t kept = 0;
    for (size_t i = 0; i < connecting->socket_count; i++)
        if (connecting->sockets[i] != stream)
            connecting->sockets[kept++] = connecting->sockets[i];
    connecting->socket_count = kept;
}

/* It was handed over connected. */
static void establish_at_once(struct scheduler *scheduler, struct call *call)
{
    struct stream *stream = last_attempt(open_call_of(call)->connecting);
    slot_hold(&stream->slot);
    forget_attempt(open_call_of(call)->connecting, stream);
    establish(scheduler, stream, call);
    slot_unhold(scheduler, &stream->slot);
}

/* CALL_WAITS: an attempt is on the way; 0: there is nothing to attempt; else why this address
 * cannot even be tried. */
static int attempt(struct scheduler *scheduler, struct call *call)
{
    struct connecting *connecting = open_call_of(call)->connecting;
    const weir_address *address = &connecting->addresses[connecting->next++];
    if (vectors_lack_address(&scheduler->vectors))
        scheduler_submit(scheduler);
    if (vectors_lack_address(&scheduler->vectors))
        return error_say(-EAGAIN, "connect: the kernel takes nothing now");
    int result = create_socket(scheduler, call, (enum weir_family)address->family);
    if (result < 0)
        return result;
    if (is_connected(connecting)) {
        establish_at_once(scheduler, call);
        return 0;
    }
    struct stream *stream = last_attempt(connecting);
    struct sockaddr_storage *peer = vectors_take_address(&scheduler->vectors);
    socklen_t size = address->family == WEIR_LOCAL
                         ? local_address_to_sockaddr(&connecting->local, peer)
                         : address_to_sockaddr(address, peer);
    slot_hold(&stream->slot);
    ring_connect(scheduler->ring, slot_operation(&stream->slot, STREAM_CONNECT), stream->slot.fd,
                 (struct sockaddr *)peer, size);
    return CALL_WAITS;
}

static void try_another(struct timer *timer);

/* The next address is not to wait for this one for ever. */
static void plan_another(struct scheduler *scheduler, struct call *call)
{
    struct connecting *connecting = open_call_of(call)->connecting;
    if (connecting->setup.happy_eyeballs_ms == 0 || connecting->next == connecting->address_count)
        return;
    connecting->scheduler = scheduler;
    connecting->call = call;
    connecting->next_one.fire = try_another;
    timer_disarm(&scheduler->timers, &connecting->next_one);
    scheduler_arm(scheduler, &connecting->next_one, connecting->setup.happy_eyeballs_ms);
}

/* A bad argument ends the scan; any other error goes on to the next. What is on its way already may
 * still succeed. */
static int attempt_next(struct scheduler *scheduler, struct call *call)
{
    struct connecting *connecting = open_call_of(call)->connecting;
    while (connecting->next < connecting->address_count && connecting->error != -EINVAL) {
        int result = attempt(scheduler, call);
        if (result == CALL_WAITS)
            plan_another(scheduler, call);
        if (result >= 0)
            return result;
        connecting->error = result;
    }
    if (connecting->socket_count > 0)
        return CALL_WAITS;
    return connecting->error ? connecting->error : WEIR_NXDOMAIN;
}

static void try_another(struct timer *timer)
{
    struct connecting *connecting = list_entry(timer, struct connecting, next_one);
    (void)attempt_next(connecting->scheduler, connecting->call);
}

static int run_connect(struct scheduler *scheduler, struct slot *unused, struct call *call)
{
    (void)unused;
    if (scheduler->state == SCHEDULER_STOPPING)
        return WEIR_CLOSED;
    int result = owner_check(open_call_of(call)->owner); /* it may be gone since it was made */
    if (result == 0)
        result = attempt_next(scheduler, call);
    if (result == CALL_WAITS)
        call_set_timeout(scheduler, call);
    return result;
}

/* It never was its owner's: nobody is told of its end. */
static void give_up(struct stream *stream)
{
    forget_attempt(open_call_of(stream->waiter)->connecting, stream);
    stream->waiter = NULL;
    owner_set(&stream->slot, weir_owned_by_nobody());
    slot_move(&stream->slot, SOCKET_CLOSE);
}

/* The kernel still holds the attempts: each is cancelled here and cleaned up by its completion. */
static void detach(struct scheduler *scheduler, struct call *call)
{
    struct connecting *connecting = open_call_of(call)->connecting;
    timer_disarm(&scheduler->timers, &connecting->next_one);
    while (connecting->socket_count > 0) {
        struct stream *stream = last_attempt(connecting);
        slot_hold(&stream->slot);
        give_up(stream);
        cancel_start(scheduler, &stream->slot, STREAM_CONNECT);
        slot_unhold(scheduler, &stream->slot);
    }
}

bool connect_is_cancelled(const struct slot *slot)
{
    const struct stream *stream = stream_of(slot);
    return stream->slot.state == SOCKET_CLOSED;
}

const struct call_operation operation_connect = {
    .name = "weir_tcp_connect",
    .run = run_connect,
    .leave = detach,
    .dead_result = WEIR_CLOSED,
    .may_wait = true,
};

static void established(struct scheduler *scheduler, struct stream *stream, struct call *call)
{
    call_hold(scheduler, call);
    forget_attempt(open_call_of(call)->connecting, stream);
    detach(scheduler, call); /* the others */
    establish(scheduler, stream, call);
    call_complete(scheduler, call, 0);
}

/* Some kernels report every failure of a connect that had to wait as ECONNRESET. */
static int real_error(const struct stream *stream, int result)
{
    int error = 0;
    socklen_t size = sizeof(error);
    if (result != -ECONNRESET ||
        system_getsockopt(stream->slot.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error == 0)
        return result;
    return -error;
}

static void refused(struct scheduler *scheduler, struct stream *stream, struct call *call,
                    int error)
{
    open_call_of(call)->connecting->error = error;
    give_up(stream);
    timer_disarm(&scheduler->timers, &open_call_of(call)->connecting->next_one);
    int result = attempt_next(scheduler, call);
    if (result != CALL_WAITS)
        call_complete(scheduler, call, result);
}

void connect_completed(struct scheduler *scheduler, struct slot *slot,
                       const struct ring_completion *completion)
{
    struct stream *stream = stream_of(slot);
    if (stream->slot.state != SOCKET_CONNECTING)
        return;
    struct call *call = stream->waiter;
    if (completion->result == 0)
        established(scheduler, stream, call);
    else
        refused(scheduler, stream, call, real_error(stream, completion->result));
}
