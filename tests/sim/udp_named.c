/* SPDX-License-Identifier: MIT */
#include "sim/udp_named.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "runtime/datagram/send.h"
#include "runtime/scheduler/scheduler.h"
#include "sim/act.h"
#include "sim/dice.h"
#include "sim/kernel.h"
#include "sim/model.h"
#include "sim/pending.h"
#include "sim/process.h"
#include "sim/trace.h"
#include "sim/udp.h"
#include "sim/udp_act.h"
#include "sim/udp_model.h"
#include "sim/udp_wait.h"
#include <weir/error.h>

/* "noneN.sim" is nowhere; the number beyond those of names is an address. */
enum { NAMES = 12, LITERAL = NAMES, NOBODY, SCHEDULERS_AWAY = 2, MS = 1000000 };
enum { BYTES_LEAST = 8, BYTES_MOST = 2000, WAITING_MOST = 64 };

struct wanted {
    struct pending *pending;
    const uint8_t *bytes;
    uint32_t size;
    int64_t timeout_ms;
    char host[32];
};

static uint32_t peers_of(uint32_t name, uint32_t peers[UDP_PEER_COUNT])
{
    peers[0] = UDP_NAMED;
    return name < NAMES ? udp_peers_of_name(name, peers) : name == LITERAL;
}

static void choose_host(struct wanted *wanted)
{
    struct sockaddr_in address = udp_peer_address(UDP_NAMED);
    uint32_t host = ntohl(address.sin_addr.s_addr);
    uint32_t name = dice_below(NOBODY + 1);
    wanted->pending->name = name;
    if (name < NAMES)
        snprintf(wanted->host, sizeof(wanted->host), "peers%u.sim", name);
    else if (name == NOBODY)
        snprintf(wanted->host, sizeof(wanted->host), "none%u.sim", dice_below(NAMES));
    else
        snprintf(wanted->host, sizeof(wanted->host), "%u.%u.%u", host >> 24, host >> 16 & 0xff,
                 host & 0xffff);
}

/* False: too much is under way. */
static bool choose(struct udp_view *view, struct wanted *wanted)
{
    *wanted = (struct wanted){.size = dice_between(BYTES_LEAST, BYTES_MOST), .timeout_ms = -1};
    wanted->bytes = udp_make_bytes(wanted->size);
    bool has_room = wanted->bytes && udp_has_room(view) && view->named_count < WAITING_MOST;
    struct pending *pending = has_room ? udp_begin(view, PENDING_UDP_NAMED) : NULL;
    if (!pending)
        return false;
    view->named_count++;
    wanted->pending = pending;
    choose_host(wanted);
    pending->sum = udp_model_sum(wanted->bytes, wanted->size);
    pending->length = wanted->size;
    pending->away = SCHEDULERS_AWAY;
    if (dice_chance(300)) {
        wanted->timeout_ms = dice_below(100);
        pending->deadline_ns = kernel.now_ns + (uint64_t)wanted->timeout_ms * MS;
    }
    return true;
}

/* What is handed to the socket. */

static struct pending *sender_of(const struct letter *letter)
{
    uint64_t sum = udp_model_sum(letter->bytes.iov_base, letter->bytes.iov_len);
    for (uint32_t i = 0; i < PENDING_MOST; i++) {
        struct pending *pending = pending_at(i);
        if (pending->kind == PENDING_UDP_NAMED && pending->sum == sum &&
            pending->length == letter->bytes.iov_len)
            return pending;
    }
    sim_fail("%zu bytes are sent to an address of a name by nobody, or again",
             letter->bytes.iov_len);
}

/* Whether there was no way to that address, and the next is to be tried. */
static bool has_no_way(int result)
{
    return result == -ENETUNREACH || result == -EHOSTUNREACH || result == -EPERM ||
           result == -EINVAL;
}

static uint32_t check_address(struct pending *pending, const weir_address *to)
{
    uint32_t peers[UDP_PEER_COUNT];
    uint32_t count = peers_of(pending->name, peers);
    SIM_CHECK(pending->tried < count, "address %u of a name that has %u", pending->tried, count);
    SIM_CHECK(pending->tried == 0 || has_no_way(pending->last),
              "a datagram goes to another address, and the last was %s",
              weir_error_name(pending->last));
    uint32_t peer = peers[pending->tried++];
    struct sockaddr_in address = udp_peer_address(peer);
    SIM_CHECK(to->family == WEIR_INET && to->port == ntohs(address.sin_port) &&
                  memcmp(to->bytes, &address.sin_addr, sizeof(address.sin_addr)) == 0,
              "a datagram for name %u to another address, or out of turn", pending->name);
    return peer;
}

static void foresee(struct pending *pending, const struct letter *letter, uint32_t peer)
{
    struct udp_view *view = udp_model_of(pending);
    const struct udp_sending sending = {.peer = peer, .size = (uint32_t)letter->bytes.iov_len};
    pending->given = false;
    if (view && view->forsaken)
        return;
    if (!view)
        pending->told = WEIR_CLOSED;
    else if (pending->is_waited_for)
        pending->told = udp_foresee_send(view, &sending);
    else
        pending->told = udp_foresee_call(view, &sending);
    pending->given = pending->told != 0;
    if (!pending->given)
        udp_note_letter(view, &sending, letter->bytes.iov_base, pending);
}

static void (*real_finish)(struct call *letter); /* of all of them */

/* Where that was not seen when it was complete. */
static void finish(struct call *letter)
{
    struct pending *pending = pending_of(letter);
    if (pending)
        udp_named_judge(pending, letter, letter->result);
    real_finish(letter);
}

void udp_named_judge(struct pending *pending, const struct call *letter, int result)
{
    if (pending->call != letter)
        return;
    if (result == WEIR_KILLED)
        udp_model_left(pending, letter);
    pending->call = NULL;
    pending->last = result;
    udp_model_answered(pending, result);
}

int __real_call_make_async_on(const struct call_operation *operation, uint32_t index,
                              struct call *call);
int __wrap_call_make_async_on(const struct call_operation *operation, uint32_t index,
                              struct call *call);

/* Only those who send to names make such a call by this. */
int __wrap_call_make_async_on(const struct call_operation *operation, uint32_t index,
                              struct call *call)
{
    if (operation == &operation_send_letter) {
        const struct letter *letter = &letter_call_of(call)->letter;
        struct pending *pending = sender_of(letter);
        trace("call %lld sends to its address %lld", pending_index(pending), pending->tried, 0, 0);
        SIM_CHECK(!pending->call, "a datagram goes to two addresses at a time");
        foresee(pending, letter, check_address(pending, letter->to));
        pending->call = call;
        real_finish = call->finish;
        call->finish = finish;
    }
    return __real_call_make_async_on(operation, index, call);
}

/* How it is answered. */

static void check_untried(const struct pending *pending, weir_socket handle, int result)
{
    bool not_found = result == WEIR_NXDOMAIN || result == WEIR_TIMEOUT || result == -EINVAL;
    bool too_much = result == -ENOBUFS && !pending->is_waited_for; /* waits for names */
    bool closed = result == WEIR_CLOSED && (model_stopping || !model_live(handle));
    SIM_CHECK(closed || result == WEIR_KILLED ||
                  ((not_found || too_much) && pending->name != LITERAL) ||
                  (result == -ENOMEM && model_lenient),
              "a send to name %u gave %s", pending->name, weir_error_name(result));
}

static void check_tried(const struct pending *pending, int result)
{
    uint32_t peers[UDP_PEER_COUNT];
    uint32_t count = peers_of(pending->name, peers);
    SIM_CHECK(!pending->call, "a send to a name gave %s, and goes on", weir_error_name(result));
    SIM_CHECK(result == pending->last, "a send to a name gave %s, not %s", weir_error_name(result),
              weir_error_name(pending->last));
    SIM_CHECK(!has_no_way(result) || pending->tried == count,
              "a send to a name gave %s after %u addresses of %u", weir_error_name(result),
              pending->tried, count);
}

static void answered(weir_socket handle, int result, void *data)
{
    struct pending *pending = data;
    struct udp_view *view = udp_model_of(pending);
    pending_called(pending, PENDING_UDP_NAMED, result);
    process_waited(result);
    if (pending->tried > 0)
        check_tried(pending, result);
    else
        check_untried(pending, handle, result);
    if (view)
        view->named_count--;
    pending_end(pending);
}

static void send_and_wait(weir_socket handle, const struct wanted *wanted)
{
    uint16_t port = ntohs(udp_peer_address(UDP_NAMED).sin_port);
    wanted->pending->returned = true;
    wanted->pending->is_waited_for = true;
    int result = weir_udp_send_to(handle, wanted->host, port, wanted->bytes, wanted->size,
                                  wanted->timeout_ms);
    trace("a thread's send to name %lld, call %lld: %lld", wanted->pending->name,
          pending_index(wanted->pending), result, 0);
    answered(handle, result, wanted->pending);
}

static void send_async(weir_socket handle, const struct wanted *wanted)
{
    uint16_t port = ntohs(udp_peer_address(UDP_NAMED).sin_port);
    struct pending *pending = wanted->pending;
    int result = weir_udp_send_to_async(handle, wanted->host, port, wanted->bytes, wanted->size,
                                        wanted->timeout_ms, answered, pending);
    trace("send_async of %lld bytes to name %lld, call %lld: %lld", wanted->size, pending->name,
          pending_index(pending), result);
    pending->returned = true;
    if (result != 0)
        answered(handle, result, pending);
}

void udp_named_send(struct udp_view *view)
{
    struct wanted wanted;
    weir_socket handle = view->handle;
    if (!choose(view, &wanted))
        return;
    if (!act_may_wait() || dice_chance(300))
        send_async(handle, &wanted);
    else
        send_and_wait(handle, &wanted);
}
