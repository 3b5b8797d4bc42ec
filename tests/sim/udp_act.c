/* SPDX-License-Identifier: MIT */
#include "sim/udp_act.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "runtime/datagram/datagram.h"
#include "runtime/datagram/outbox.h"
#include "runtime/scheduler/scheduler.h"
#include "sim/act.h"
#include "sim/dice.h"
#include "sim/expect.h"
#include "sim/give.h"
#include "sim/kernel.h"
#include "sim/life.h"
#include "sim/model.h"
#include "sim/pending.h"
#include "sim/plan.h"
#include "sim/post.h"
#include "sim/process.h"
#include "sim/program.h"
#include "sim/trace.h"
#include "sim/turns.h"
#include "sim/udp.h"
#include "sim/udp_connect.h"
#include "sim/udp_local.h"
#include "sim/udp_named.h"
#include "sim/udp_told.h"
#include "sim/udp_wait.h"
#include <weir/error.h>

enum { BYTES_MAX = 65507, BURST_MOST = 8 };

bool udp_act_is_own(const struct udp_view *view)
{
    return !act_may_wait() && view->handle.id != 0 &&
           model_home(view->handle) == scheduler_current();
}

/* What a call is to be answered with: an error that the socket has to tell is told once. */
static int take_error(struct udp_view *view)
{
    int error = model_lenient ? udp_model_socket(view)->error : view->error;
    view->error = 0;
    return error;
}

struct pending *udp_begin(struct udp_view *view, uint8_t kind)
{
    struct pending *pending = pending_begin((enum pending_kind)kind);
    if (!pending)
        return NULL;
    pending->link = udp_model_index(view);
    pending->link_serial = udps[pending->link].serial;
    if (udp_act_is_own(view) && udp_model_socket(view) && !life_is_gone(view->handle))
        pending->before_gone = view->handle;
    return pending;
}

/* Sending. */

static weir_address address_of(uint32_t peer)
{
    struct sockaddr_in inet = udp_peer_address(peer);
    weir_address address = {.family = WEIR_INET, .port = ntohs(inet.sin_port)};
    memcpy(address.bytes, &inet.sin_addr, sizeof(inet.sin_addr));
    return address;
}

/* What cannot be sent is tried as well. */
static void spoil(const struct udp_view *view, struct udp_sending *sending)
{
    switch (dice_below(3)) {
    case 0:
        sending->size = BYTES_MAX + 1;
        sending->expected = -EMSGSIZE;
        break;
    case 1:
        sending->to.port = 0;
        sending->expected = sending->connected ? (udp_is_connected(view) ? 0 : -EINVAL) : -EINVAL;
        break;
    default:
        sending->to.family = WEIR_INET6;
        sending->expected = sending->connected ? sending->expected : -EAFNOSUPPORT;
        break;
    }
}

static void choose_sending(const struct udp_view *view, struct udp_sending *sending)
{
    uint32_t peer = dice_below(UDP_SPEAKER_COUNT);
    *sending = (struct udp_sending){.peer = peer, .to = address_of(peer)};
    sending->size = dice_chance(60) ? 0 : dice_size(dice_chance(20) ? 40000 : 2000);
    sending->connected = dice_chance(udp_is_connected(view) ? 500 : 30);
    if (sending->connected)
        sending->peer = UDP_PEER_COUNT;
    if (sending->connected && !udp_is_connected(view))
        sending->expected = -EINVAL;
    if (dice_chance(20))
        spoil(view, sending);
}

/* What a call sends is like nothing else that is queued, so that it is known whose answer is whose.
 */
void udp_choose_call(const struct udp_view *view, struct udp_sending *sending)
{
    enum { DISTINCT_BYTES = 8 };
    choose_sending(view, sending);
    if (!sending->connected) {
        sending->peer = dice_between(UDP_SPEAKER_COUNT, UDP_NAMED - 1);
        if (sending->to.port != 0 && sending->to.family == WEIR_INET)
            sending->to = address_of(sending->peer);
    }
    bool is_only_one =
        view->letter_count == 0 && program_style.threads == 0 && program_style.afar == 0;
    if (sending->size < DISTINCT_BYTES && !is_only_one)
        sending->size += DISTINCT_BYTES;
}

int udp_foresee_send(struct udp_view *view, const struct udp_sending *sending)
{
    struct datagram *socket = udp_model_socket(view);
    int expected = sending->expected;
    if (!socket)
        return WEIR_CLOSED;
    if (expected == -EINVAL && sending->connected && socket->connected)
        expected = 0; /* meanwhile */
    if (expected == 0)
        expected = take_error(view);
    return expected;
}

static const weir_address *to_of(const struct udp_sending *sending)
{
    return sending->connected ? NULL : &sending->to;
}

/* Different each time, where there is room for that. */
const uint8_t *udp_make_bytes(uint32_t size)
{
    uint8_t *bytes = plan_take(size + 1);
    uint64_t word = dice_next();
    for (uint32_t i = 0; bytes && i < size; i++)
        bytes[i] = (uint8_t)(word >> (i % 8 * 8)) + (uint8_t)i;
    return bytes;
}

static struct udp_letter letter_of(const struct udp_sending *sending, const struct pending *pending)
{
    return (struct udp_letter){.size = sending->size,
                               .peer = sending->peer,
                               .pending = pending ? pending_index(pending) + 1 : 0};
}

void udp_note_letter(struct udp_view *view, const struct udp_sending *sending, const uint8_t *bytes,
                     const struct pending *pending)
{
    struct udp_letter letter = letter_of(sending, pending);
    if (!view->forsaken)
        udp_model_accepted(view, &letter, bytes);
}

bool udp_has_room(const struct udp_view *view)
{
    return view->letter_count < UDP_SENT_MOST / 2;
}

/* NULL `packet`: bytes of their own. */
static void send_now(struct udp_view *view, struct udp_sending *sending, const weir_packet *packet)
{
    const uint8_t *bytes =
        packet ? packet->bytes - packet->header_size : udp_make_bytes(sending->size);
    bool busy = udp_is_busy(view);
    if (!bytes || !udp_has_room(view))
        return;
    int expected = udp_foresee_send(view, sending);
    int result = packet ? weir_send_packet(view->handle, packet)
                        : weir_udp_send(view->handle, to_of(sending), bytes, sending->size);
    trace("udp %lld: send of %lld bytes to peer %lld: %lld", udp_model_index(view), sending->size,
          sending->peer, result);
    if (expected == 0 && busy)
        expected = -EAGAIN;
    SIM_CHECK(result == expected || (result == -ENOMEM && model_lenient), "a send gave %s, not %s",
              weir_error_name(result), weir_error_name(expected));
    if (result == -EAGAIN && busy)
        view->owed_unbusy = true;
    if (result == 0)
        udp_note_letter(view, sending, bytes, NULL);
}

/* Some of one size to one peer, which may leave together. */
void udp_act_send(struct udp_view *view)
{
    struct udp_sending sending;
    if (udp_is_local(view)) {
        udp_local_send(view);
        return;
    }
    uint32_t count = dice_size(BURST_MOST);
    choose_sending(view, &sending);
    for (uint32_t i = 0; i < count; i++) {
        send_now(view, &sending, NULL);
        if (sending.size > 1 && sending.expected == 0 && dice_chance(50))
            sending.size--; /* the last of a run */
    }
}

void udp_act_answer(struct udp_view *view, const weir_packet *packet)
{
    if (udp_is_local(view)) {
        udp_local_answer(view, packet);
        return;
    }
    uint32_t peer = packet->datagram->source.port - UDP_PORT;
    struct udp_sending sending = {
        .peer = peer, .to = address_of(peer), .size = (uint32_t)expect_whole_size(packet)};
    send_now(view, &sending, packet);
}

void udp_act_sent(weir_socket handle, int result, void *data)
{
    struct pending *pending = data;
    (void)handle;
    pending_called(pending, PENDING_UDP_SEND, result);
    process_waited(result);
    udp_model_answered(pending, result);
    pending_end(pending);
}

struct pending *udp_begin_send(struct udp_view *view, const struct udp_sending *sending,
                               const uint8_t **bytes)
{
    *bytes = udp_make_bytes(sending->size);
    struct pending *pending =
        *bytes && udp_has_room(view) ? udp_begin(view, PENDING_UDP_SEND) : NULL;
    if (!pending)
        return NULL;
    pending->expected = udp_foresee_call(view, sending);
    pending->refused = pending->expected != 0;
    if (!pending->refused)
        udp_note_letter(view, sending, *bytes, pending);
    return pending;
}

void udp_send_returned(struct pending *pending, int result)
{
    pending->returned = true;
    if (result == 0)
        return;
    SIM_CHECK(pending_may_be_refused(pending, result), "send_async gave %s",
              weir_error_name(result));
    udp_model_answered(pending, result);
    pending_end(pending);
}

static void send_async(struct udp_view *view)
{
    struct udp_sending sending;
    if (udp_is_local(view)) {
        udp_local_send_async(view);
        return;
    }
    udp_choose_call(view, &sending);
    const uint8_t *bytes;
    struct pending *pending = udp_begin_send(view, &sending, &bytes);
    if (!pending)
        return;
    int result = weir_udp_send_async(view->handle, to_of(&sending), bytes, sending.size,
                                     udp_act_sent, pending);
    trace("udp %lld: send_async of %lld bytes, call %lld: %lld", udp_model_index(view),
          sending.size, pending_index(pending), result);
    udp_send_returned(pending, result);
}

/* Receiving. */

void udp_foresee_receive(struct udp_view *view, struct pending *pending)
{
    enum { MS = 1000000 };
    const struct datagram *socket = udp_model_socket(view);
    if (!socket)
        pending->expected = WEIR_CLOSED;
    else if (socket->active != WEIR_ACTIVE_FALSE)
        pending->expected = -EINVAL;
    else if (socket->caller)
        pending->expected = -EALREADY;
    else
        pending->expected = take_error(view);
    pending->refused = pending->expected != 0;
    if (pending->timeout_ms >= 0)
        pending->deadline_ns = kernel.now_ns + (uint64_t)pending->timeout_ms * MS;
    if (!pending->refused)
        view->receiver = pending_index(pending) + 1;
}

static void receive(struct udp_view *view);

void udp_act_received(weir_socket handle, int result, const weir_packet *packet, void *data)
{
    struct pending *pending = data;
    struct udp_view *view = udp_model_of(pending);
    bool own = view && udp_act_is_own(view);
    (void)handle;
    pending_called(pending, PENDING_UDP_RECEIVE, result);
    process_waited(result);
    SIM_CHECK((result == 0) == (packet != NULL), "recv gave %s and %s packet",
              weir_error_name(result), packet ? "a" : "no");
    if (view && view->receiver == pending_index(pending) + 1)
        view->receiver = 0;
    if (view && !view->forsaken && !pending->refused) {
        SIM_CHECK(!packet || (pending->given && pending->sum == act_sum_of(packet)),
                  "recv gave another packet");
        SIM_CHECK(packet || result == WEIR_TIMEOUT || result == WEIR_CLOSED ||
                      result == WEIR_KILLED || result == pending->told ||
                      (result == -ENOMEM && model_lenient),
                  "recv gave %s, and the kernel said %s", weir_error_name(result),
                  weir_error_name(pending->told));
    }
    pending_end(pending);
    if (own && packet && !view->forsaken && dice_chance(program_style.echo))
        udp_act_answer(view, packet);
    if (own && udp_model_socket(view) && !program_winds_down() && dice_chance(500))
        receive(view);
}

static void receive(struct udp_view *view)
{
    struct pending *pending = udp_begin(view, PENDING_UDP_RECEIVE);
    if (!pending)
        return;
    uint32_t receiver = view->receiver;
    pending->timeout_ms = dice_chance(400) ? WEIR_INFINITY : (int64_t)dice_below(50);
    udp_foresee_receive(view, pending);
    int result = weir_udp_recv_async(view->handle, pending->timeout_ms, udp_act_received, pending);
    trace("udp %lld: recv_async, call %lld: %lld", udp_model_index(view), pending_index(pending),
          result, 0);
    pending->returned = true;
    if (result == 0)
        return;
    SIM_CHECK(pending_may_be_refused(pending, result), "recv_async gave %s",
              weir_error_name(result));
    view->receiver = receiver;
    pending_end(pending);
}

/* Options. */

weir_option udp_act_some_option(void)
{
    switch (dice_below(8)) {
    case 0:
        return WEIR_BUFFER(dice_chance(300) ? dice_size(30) : dice_size(9000));
    case 1:
        return WEIR_HIGH_WATERMARK(dice_size(8000));
    case 2:
        return WEIR_LOW_WATERMARK(dice_size(8000));
    case 3:
        return WEIR_READ_PACKETS(dice_size(100));
    case 4:
        return WEIR_MODE(dice_chance(500) ? WEIR_BINARY : WEIR_LIST);
    case 5:
        return WEIR_HEADER(dice_below(20));
    case 6:
        return WEIR_DELIVER(dice_chance(500) ? WEIR_PORT : WEIR_TERM);
    default:
        return WEIR_BIT8(WEIR_BIT8_ON);
    }
}

static bool is_count(int32_t active)
{
    return active >= -32768 && active <= 32767;
}

static void foresee_active(struct udp_view *view, int32_t wanted)
{
    int32_t next = wanted;
    if (is_count(wanted) && is_count(view->active))
        next = view->active + wanted;
    if (is_count(next) && next <= 0) {
        view->passives_due++;
        next = WEIR_ACTIVE_FALSE;
    }
    view->active = next;
}

void udp_foresee_options(struct udp_view *view, const weir_option *options)
{
    const struct datagram *socket = udp_model_socket(view);
    for (const weir_option *o = options; socket && o->id != WEIR_OPTION_END; o++) {
        if (o->id == WEIR_OPTION_ACTIVE)
            foresee_active(view, (int32_t)o->value.number);
        else if (o->id == WEIR_OPTION_BUFFER)
            view->buffer_sets++;
    }
}

static void set(struct udp_view *view, const weir_option *options)
{
    struct datagram *socket = udp_model_socket(view);
    weir_socket handle = view->handle;
    uint32_t passives_due = view->passives_due;
    if (socket && socket->siblings)
        return; /* it would be set on them too, and those of other schedulers are not waited for */
    udp_foresee_options(view, options);
    int result = weir_setopts(handle, options);
    trace("udp %lld: setopts %lld = %lld: %lld", udp_model_index(view), options[0].id,
          options[0].value.number, result);
    bool refused = options[0].id == WEIR_OPTION_UDP_GRO && kernel.faults.call > 0;
    SIM_CHECK(socket ? result == 0 || (result == -ENOMEM && model_lenient) ||
                           (result == -EINVAL &&
                            (refused || !model_live(handle))) /* closed when told passive */
                     : result == -EINVAL,
              "setopts gave %s", weir_error_name(result));
    if (socket && result != 0 && udp_model_socket(view)) {
        view->active = udp_model_socket(view)->active;
        view->passives_due = passives_due;
    }
}

void udp_act_set_active(struct udp_view *view, int32_t active)
{
    set(view, WEIR_OPTIONS(WEIR_ACTIVE(active)));
}

static void set_options(struct udp_view *view)
{
    if (!udp_is_local(view) && dice_chance(udp_style.runs))
        set(view, WEIR_OPTIONS(WEIR_UDP_GRO(dice_chance(600))));
    else if (dice_chance(500))
        udp_act_set_active(view, act_some_active());
    else if (dice_chance(300))
        set(view, WEIR_OPTIONS(udp_act_some_option(), udp_act_some_option(),
                               WEIR_ACTIVE(act_some_active())));
    else
        set(view, WEIR_OPTIONS(udp_act_some_option()));
}

/* Ends. */

static void siblings_may_close(const struct datagram *socket)
{
    for (const weir_socket *s = socket->siblings; s && s->id != 0; s++)
        post_may_forget_closed(*s);
}

void udp_foresee_close(struct udp_view *view)
{
    const struct datagram *socket = udp_model_socket(view);
    if (!socket) {
        post_forget_closed(view->handle);
        return;
    }
    siblings_may_close(socket);
    view->closed = true;
    post_forget(view->handle, view->owner);
}

static void close_it(struct udp_view *view)
{
    trace("udp %lld: close", udp_model_index(view), 0, 0, 0);
    weir_socket handle = view->handle;
    udp_foresee_close(view);
    int result = weir_close(handle);
    SIM_CHECK(result == 0 || (result == -ENOMEM && model_lenient), "close gave %s",
              weir_error_name(result));
    SIM_CHECK(!model_live(handle), "a closed handle is alive");
}

int udp_foresee_owner(struct udp_view *view, struct named_owner from, struct named_owner to)
{
    const struct datagram *socket = udp_model_socket(view);
    if (!socket)
        return WEIR_CLOSED;
    if (post_is_named(&to, view->owner, view->forsaken, &socket->slot))
        return 0;
    if (!post_is_named(&from, view->owner, view->forsaken, &socket->slot))
        return WEIR_NOT_OWNER;
    if (!post_is_there(&to))
        return WEIR_BADARG;
    if (view->forsaken)
        return WEIR_CLOSED; /* what its owner was told since is lost */
    if (view->owner != to.number)
        post_hand_over(view->handle, view->owner, to.number);
    if (post_is_box(view->owner) && !(socket->outbox && socket->outbox->refused))
        view->owed_unbusy = false; /* a mailbox is not told */
    view->owner = to.number;
    life_owned(view->handle, to.number);
    return 0;
}

static void change_owner(struct udp_view *view)
{
    uint32_t next = act_some_owner();
    uint32_t from = dice_chance(100) ? dice_below(OWNER_COUNT) : view->owner;
    int expected = udp_foresee_owner(view, post_name(from), post_name(next));
    int result = weir_controlling_process(view->handle, udp_owner(from), udp_owner(next));
    trace("udp %lld: from owner %lld to %lld: %lld", udp_model_index(view), from, next, result);
    SIM_CHECK(result == expected, "controlling_process gave %s, not %s", weir_error_name(result),
              weir_error_name(expected));
}

static void ask(struct udp_view *view)
{
    struct datagram *socket = udp_model_socket(view);
    weir_statistics statistics;
    weir_packet packet;
    int result = weir_getstat(view->handle, &statistics);
    SIM_CHECK(result == (socket ? 0 : -EINVAL), "getstat gave %s", weir_error_name(result));
    SIM_CHECK(!socket || view->forsaken || model_lenient || statistics.recv_oct == view->octets,
              "getstat tells something else");
    SIM_CHECK(!socket || statistics.dropped == udps[udp_model_index(view)].dropped,
              "getstat tells of %u that were dropped", statistics.dropped);
    SIM_CHECK(!socket || view->forsaken || model_lenient || statistics.truncated == view->truncated,
              "getstat tells of %u that were cut, not %u", statistics.truncated, view->truncated);
    result = weir_udp_recv(view->handle, 0, &packet);
    SIM_CHECK(result == -EDEADLK, "a call that waits was let wait on a scheduler");
    result = weir_shutdown(view->handle, WEIR_WRITE);
    SIM_CHECK(result == (socket ? -ENOTCONN : WEIR_CLOSED), "shutdown gave %s",
              weir_error_name(result));
}

/* Messages that it was handed over with are still to come. */
static void act_while_handed(struct udp_view *view)
{
    if (dice_chance(300))
        close_it(view);
    else if (dice_chance(300))
        change_owner(view);
    else
        udp_act_send(view);
}

static void act(struct udp_view *view)
{
    static void (*const acts[])(struct udp_view *) = {
        udp_act_send, udp_act_send, send_async,   send_async,      receive,
        receive,      set_options,  change_owner, udp_connect_act, ask,
    };
    const struct datagram *socket = udp_model_socket(view);
    bool stands_for_others = socket && socket->siblings;
    bool may_give =
        act_may_wait() || (udp_act_is_own(view) && post_handed_count(view->handle) == 0);
    if (dice_chance(program_style.giving) && may_give)
        give_udp(view);
    else if (!udp_is_local(view) && program_style.named && dice_chance(program_style.named))
        udp_named_send(view);
    else if (!udp_act_is_own(view) && !udp_is_local(view))
        udp_afar_at_random(view);
    else if (!udp_act_is_own(view))
        return;
    else if (post_handed_count(view->handle) > 0)
        act_while_handed(view);
    else if (dice_chance(program_style.close))
        close_it(view);
    else if (dice_chance(program_style.options))
        set_options(view);
    else
        acts[dice_below(stands_for_others ? 6 : 10)](view);
}

void udp_act_at_random(struct udp_view *view)
{
    if (view->handle.id == 0 || view->forsaken)
        return;
    if (process_current()) { /* others go on while it waits */
        act(view);
        return;
    }
    act_begin();
    act(view);
    act_end();
}
