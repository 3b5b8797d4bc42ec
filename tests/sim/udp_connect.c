/* SPDX-License-Identifier: MIT */
#include "sim/udp_connect.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "runtime/datagram/datagram.h"
#include "runtime/datagram/outbox.h"
#include "runtime/scheduler/call.h"
#include "sim/act.h"
#include "sim/dice.h"
#include "sim/errand.h"
#include "sim/model.h"
#include "sim/pending.h"
#include "sim/process.h"
#include "sim/trace.h"
#include "sim/udp.h"
#include "sim/udp_act.h"
#include "sim/udp_local.h"
#include "sim/udp_model.h"
#include <weir/error.h>

struct wanted {
    uint32_t peer;
    bool by_text;
    weir_address address;
    char host[WEIR_LOCAL_TEXT_SIZE];
    uint16_t port;
    int expected; /* of who does not get as far as the kernel */
};

static void choose_inet(struct wanted *wanted)
{
    struct sockaddr_in inet = udp_peer_address(wanted->peer);
    uint32_t host = ntohl(inet.sin_addr.s_addr);
    wanted->by_text = dice_chance(500);
    wanted->address = (weir_address){.family = WEIR_INET, .port = ntohs(inet.sin_port)};
    memcpy(wanted->address.bytes, &inet.sin_addr, sizeof(inet.sin_addr));
    wanted->port = wanted->address.port;
    snprintf(wanted->host, sizeof(wanted->host), "%u.%u.%u.%u", host >> 24, host >> 16 & 0xff,
             host >> 8 & 0xff, host & 0xff);
}

static void choose_local(struct wanted *wanted)
{
    const weir_local_address address = udp_local_address(wanted->peer);
    wanted->by_text = true;
    weir_local_address_format(&address, wanted->host);
}

/* No address of the socket's family, or of none. */
static void spoil(struct wanted *wanted, bool is_local)
{
    wanted->by_text = dice_chance(500);
    wanted->address = (weir_address){.family = dice_chance(500) ? WEIR_INET6 : WEIR_ANY_FAMILY};
    snprintf(wanted->host, sizeof(wanted->host), "::1");
    if (wanted->by_text)
        wanted->expected = is_local ? -EAFNOSUPPORT : WEIR_NXDOMAIN;
    else
        wanted->expected = wanted->address.family == WEIR_INET6 ? -EAFNOSUPPORT : -EINVAL;
}

static void choose(const struct udp_view *view, struct wanted *wanted)
{
    bool is_local = udp_is_local(view);
    *wanted = (struct wanted){.peer = dice_between(is_local, UDP_NAMED - 1)};
    if (is_local) /* whose first peer has no name */
        choose_local(wanted);
    else
        choose_inet(wanted);
    if (dice_chance(20))
        spoil(wanted, is_local);
}

/* What must hold. */

static void foresee(struct udp_view *view, struct pending *pending)
{
    if (!view)
        pending->expected = WEIR_CLOSED;
    pending->refused = pending->expected != 0;
    if (!pending->refused)
        view->connecting = pending_index(pending) + 1;
}

/* A call that waits to queue what it sends does that for the peer of then. */
static bool is_queued(const struct outbox *outbox, const struct udp_letter *letter)
{
    const struct pending *pending = letter->pending ? pending_at(letter->pending - 1) : NULL;
    for (const struct list *node = outbox->waiters.next; pending && node != &outbox->waiters;
         node = node->next)
        if (pending_of(list_entry(node, struct call, link)) == pending)
            return false;
    return true;
}

/* Without memory for an outbox nothing is: whoever was to send is told of that yet. */
static void keep_peer_of_queued(struct udp_view *view, uint32_t peer)
{
    const struct outbox *outbox = udp_model_socket(view)->outbox;
    udp_model_note_left(view);
    for (uint32_t i = 0; outbox && i < view->letter_count; i++)
        if (view->letters[i].peer == UDP_PEER_COUNT && is_queued(outbox, &view->letters[i]))
            view->letters[i].peer = peer;
}

void udp_connect_asked(uint32_t index, uint32_t peer, int result)
{
    struct udp_view *view = &udp_views[index];
    SIM_CHECK(view->connecting, "udp %u is connected by nobody, or again", index);
    struct pending *pending = pending_at(view->connecting - 1);
    SIM_CHECK(pending->name == peer, "udp %u is connected to peer %u, not %u", index, peer,
              pending->name);
    trace("udp %lld is connected to peer %lld, call %lld: %lld", index, peer,
          pending_index(pending), result);
    view->connecting = 0;
    pending->given = true;
    pending->told = result;
    if (result == 0 && udps[index].connected)
        keep_peer_of_queued(view, udps[index].peer);
}

static void judge(weir_socket handle, int result, const struct pending *pending)
{
    struct udp_view *view = udp_model_of(pending);
    bool is_closed = result == WEIR_CLOSED && (model_stopping || !model_live(handle));
    bool has_no_memory = result == -ENOMEM && model_lenient;
    if (pending->given)
        SIM_CHECK(result == pending->told, "a connect gave %s, the kernel said %s",
                  weir_error_name(result), weir_error_name(pending->told));
    else if (pending->refused)
        SIM_CHECK(result == pending->expected || has_no_memory, "a connect gave %s, not %s",
                  weir_error_name(result), weir_error_name(pending->expected));
    else
        SIM_CHECK(is_closed || has_no_memory, "a connect gave %s, and the kernel was not asked",
                  weir_error_name(result));
    if (view && view->connecting == pending_index(pending) + 1)
        view->connecting = 0;
}

/* The calls. */

static struct pending *begin(struct udp_view *view, const struct wanted *wanted)
{
    struct pending *pending = udp_begin(view, PENDING_UDP_CONNECT);
    if (!pending)
        return NULL;
    pending->name = wanted->peer;
    pending->expected = wanted->expected;
    return pending;
}

static void connected(weir_socket handle, int result, void *data)
{
    struct pending *pending = data;
    pending_called(pending, PENDING_UDP_CONNECT, result);
    process_waited(result);
    judge(handle, result, pending);
    pending_end(pending);
}

static void connect_here(struct udp_view *view, const struct wanted *wanted)
{
    struct pending *pending = begin(view, wanted);
    weir_socket handle = view->handle;
    if (!pending)
        return;
    foresee(udp_model_socket(view) ? view : NULL, pending);
    int result = wanted->by_text ? weir_udp_connect_to_async(handle, wanted->host, wanted->port,
                                                             WEIR_INFINITY, connected, pending)
                                 : weir_udp_connect(handle, &wanted->address);
    trace("udp %lld: connect, call %lld: %lld", udp_model_index(view), pending_index(pending),
          result, 0);
    pending->returned = true;
    if (wanted->by_text && result == 0)
        return;
    judge(handle, result, pending);
    pending_end(pending);
}

static void note(struct errand *errand, struct udp_view *view)
{
    foresee(view, errand->pending);
}

/* What has no _async form is made on the socket's scheduler, or not at all. */
static void connect_in_vain(weir_socket handle, const struct wanted *wanted)
{
    int result = weir_udp_connect(handle, &wanted->address);
    SIM_CHECK(result == -EDEADLK || (model_stopping && result == WEIR_CLOSED),
              "a connect that waits for another scheduler gave %s", weir_error_name(result));
}

static void connect_async(struct udp_view *view, const struct wanted *wanted)
{
    struct errand *errand = errand_take();
    struct pending *pending = errand ? begin(view, wanted) : NULL;
    if (!pending) {
        errand_give_back(errand);
        return;
    }
    errand->pending = pending;
    errand_begin_udp(errand, view, note);
    int result = weir_udp_connect_to_async(view->handle, wanted->host, wanted->port, WEIR_INFINITY,
                                           connected, pending);
    bool posted = errand_end();
    trace("udp %lld: connect from afar, call %lld: %lld", udp_model_index(view),
          pending_index(pending), result, 0);
    pending->returned = true;
    SIM_CHECK(posted == (result == 0), "a connect from afar gave %s", weir_error_name(result));
    if (result == 0)
        return;
    judge(view->handle, result, pending);
    pending_end(pending);
}

static void connect_and_wait(struct udp_view *view, const struct wanted *wanted)
{
    struct pending *pending = begin(view, wanted);
    struct errand errand = {.pending = pending};
    weir_socket handle = view->handle;
    if (!pending)
        return;
    pending->returned = true;
    errand_begin_udp(&errand, view, note);
    int result = wanted->by_text
                     ? weir_udp_connect_to(handle, wanted->host, wanted->port, WEIR_INFINITY)
                     : weir_udp_connect(handle, &wanted->address);
    (void)errand_end();
    trace("a thread's connect of a UDP socket, call %lld: %lld", pending_index(pending), result, 0,
          0);
    connected(handle, result, pending);
}

void udp_connect_act(struct udp_view *view)
{
    struct wanted wanted;
    choose(view, &wanted);
    if (act_may_wait())
        connect_and_wait(view, &wanted);
    else if (udp_act_is_own(view))
        connect_here(view, &wanted);
    else if (wanted.by_text)
        connect_async(view, &wanted);
    else
        connect_in_vain(view->handle, &wanted);
}
