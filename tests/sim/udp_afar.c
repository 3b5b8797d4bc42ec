/* SPDX-License-Identifier: MIT */
/* What other schedulers and threads do with UDP sockets. */
#include <errno.h>

#include "runtime/datagram/datagram.h"
#include "runtime/scheduler/scheduler.h"
#include "sim/act.h"
#include "sim/afar.h"
#include "sim/dice.h"
#include "sim/errand.h"
#include "sim/kept.h"
#include "sim/model.h"
#include "sim/pending.h"
#include "sim/post.h"
#include "sim/process.h"
#include "sim/program.h"
#include "sim/trace.h"
#include "sim/udp_act.h"
#include "sim/udp_connect.h"
#include "sim/udp_told.h"
#include "sim/udp_wait.h"
#include <weir/error.h>

static void note_foreseen(const struct errand *errand, struct udp_view *view, int expected)
{
    struct pending *pending = errand->pending;
    pending->away = 1;
    pending->expected = expected;
    pending->refused = pending->expected != 0;
    if (view && !pending->refused) /* a process's need be no call, which waits for nothing */
        udp_note_letter(view, &errand->sending, errand->bytes, pending->call ? pending : NULL);
}

static void note_send(struct errand *errand, struct udp_view *view)
{
    note_foreseen(errand, view, view ? udp_foresee_send(view, &errand->sending) : WEIR_CLOSED);
}

static void note_send_async(struct errand *errand, struct udp_view *view)
{
    note_foreseen(errand, view, view ? udp_foresee_call(view, &errand->sending) : WEIR_CLOSED);
}

/* False: too much is under way. */
static bool begin_send(struct udp_view *view, struct errand *errand)
{
    udp_choose_call(view, &errand->sending);
    errand->bytes = udp_make_bytes(errand->sending.size);
    errand->pending =
        errand->bytes && udp_has_room(view) ? udp_begin(view, PENDING_UDP_SEND) : NULL;
    return errand->pending != NULL;
}

static void send_async(struct udp_view *view)
{
    struct errand *errand = errand_take();
    if (!errand || !begin_send(view, errand)) {
        errand_give_back(errand);
        return;
    }
    struct pending *pending = errand->pending;
    const weir_address *to = errand->sending.connected ? NULL : &errand->sending.to;
    uint32_t size = errand->sending.size;
    errand_begin_udp(errand, view, note_send_async);
    int result = weir_udp_send_async(view->handle, to, errand->bytes, size, udp_act_sent, pending);
    bool posted = errand_end();
    trace("udp: send_async of %lld bytes from afar, call %lld: %lld", size, pending_index(pending),
          result, 0);
    pending->returned = true;
    SIM_CHECK(posted == (result == 0) && (posted || result == WEIR_CLOSED),
              "a call to another scheduler gave %s", weir_error_name(result));
    if (result != 0)
        pending_end(pending);
}

static void send_and_wait(struct udp_view *view)
{
    struct errand errand = {0};
    if (!begin_send(view, &errand))
        return;
    struct pending *pending = errand.pending;
    weir_socket handle = view->handle;
    pending->returned = true;
    errand_begin_udp(&errand, view, note_send);
    int result = weir_udp_send(handle, errand.sending.connected ? NULL : &errand.sending.to,
                               errand.bytes, errand.sending.size);
    bool posted = errand_end();
    trace("a thread's send of a datagram, call %lld: %lld", pending_index(pending), result, 0, 0);
    SIM_CHECK(posted || result == WEIR_CLOSED, "send gave %s", weir_error_name(result));
    udp_act_sent(handle, result, pending);
}

static void note_receive(struct errand *errand, struct udp_view *view)
{
    struct pending *pending = errand->pending;
    pending->away = 1;
    pending->refused = !view;
    pending->expected = WEIR_CLOSED;
    if (view)
        udp_foresee_receive(view, pending);
}

static struct pending *begin_receive(struct udp_view *view)
{
    struct pending *pending = udp_begin(view, PENDING_UDP_RECEIVE);
    if (pending)
        pending->timeout_ms = dice_chance(200) ? WEIR_INFINITY : (int64_t)dice_below(50);
    return pending;
}

static void receive_async(struct udp_view *view)
{
    struct errand *errand = errand_take();
    struct pending *pending = errand ? begin_receive(view) : NULL;
    if (!pending) {
        errand_give_back(errand);
        return;
    }
    errand->pending = pending;
    errand_begin_udp(errand, view, note_receive);
    int result = weir_udp_recv_async(view->handle, pending->timeout_ms, udp_act_received, pending);
    trace("udp: recv_async from afar, call %lld: %lld", pending_index(pending), result, 0, 0);
    pending->returned = true;
    SIM_CHECK(errand_end() == (result == 0), "a call to another scheduler gave %s",
              weir_error_name(result));
    if (result != 0)
        pending_end(pending);
}

static void receive_and_wait(struct udp_view *view)
{
    weir_packet packet;
    struct pending *pending = begin_receive(view);
    if (!pending)
        return;
    if (pending->timeout_ms < 0 && !process_current())
        pending->timeout_ms = 40; /* a thread must not wait for ever */
    struct errand errand = {.pending = pending};
    weir_socket handle = view->handle;
    pending->returned = true;
    errand_begin_udp(&errand, view, note_receive);
    int result = weir_udp_recv(handle, pending->timeout_ms, &packet);
    (void)errand_end();
    trace("a thread's recv of a datagram, call %lld: %lld", pending_index(pending), result, 0, 0);
    udp_act_received(handle, result, result == 0 ? &packet : NULL, pending);
    if (result == 0)
        kept_take(&packet);
}

static void note_close(struct errand *errand, struct udp_view *view)
{
    if (view)
        udp_foresee_close(view);
    else
        post_may_forget_closed(errand->handle);
}

static void close_async(struct udp_view *view)
{
    struct errand *errand = errand_take();
    weir_socket handle = view->handle;
    if (!errand)
        return;
    errand_begin_udp(errand, view, note_close);
    int result = weir_close(handle);
    trace("udp: close from afar: %lld", result, 0, 0, 0);
    SIM_CHECK(result == 0 || (result == -ENOMEM && model_lenient), "close gave %s",
              weir_error_name(result));
    if (!errand_end())
        post_forget_closed(handle);
}

/* One that stands for others is closed by a scheduler: from here they are asked for first. */
static void close_and_wait(struct udp_view *view)
{
    struct errand errand = {0};
    const struct datagram *socket = udp_model_socket(view);
    weir_socket handle = view->handle;
    if (!socket || socket->siblings)
        return;
    errand_begin_udp(&errand, view, note_close);
    SIM_CHECK(weir_close(handle) == 0, "close failed");
    (void)errand_end();
    trace("a thread's close of a UDP socket", 0, 0, 0, 0);
    post_forget_closed(handle);
    SIM_CHECK(model_stopping || !model_live(handle), "a closed handle is alive");
}

static void note_options(struct errand *errand, struct udp_view *view)
{
    errand->expected = view ? 0 : -EINVAL;
    if (view)
        udp_foresee_options(view, errand->options);
}

static void set_options_and_wait(struct udp_view *view)
{
    const weir_option options[] = {
        dice_chance(600) ? WEIR_ACTIVE(act_some_active()) : udp_act_some_option(),
        dice_chance(800) ? (weir_option){.id = WEIR_OPTION_END} : udp_act_some_option(),
        {.id = WEIR_OPTION_END},
    };
    struct errand errand = {.options = options, .expected = -EINVAL};
    const struct datagram *socket = udp_model_socket(view);
    if (!socket || socket->siblings)
        return;
    errand_begin_udp(&errand, view, note_options);
    int result = weir_setopts(view->handle, options);
    (void)errand_end();
    process_waited(result);
    trace("a thread's setopts %lld = %lld: %lld", options[0].id, options[0].value.number, result,
          0);
    SIM_CHECK(result == errand.expected, "a thread's setopts gave %s, not %s",
              weir_error_name(result), weir_error_name(errand.expected));
}

static void note_owner(struct errand *errand, struct udp_view *view)
{
    errand->expected = view ? udp_foresee_owner(view, errand->from, errand->to) : WEIR_CLOSED;
}

static void change_owner_and_wait(struct udp_view *view)
{
    struct errand errand = {
        .from = post_name(view->owner), .to = post_name(act_some_owner()), .expected = WEIR_CLOSED};
    weir_socket handle = view->handle;
    errand_begin_udp(&errand, view, note_owner);
    afar_hand_over(1);
    int result = weir_controlling_process(handle, udp_owner(errand.from.number),
                                          udp_owner(errand.to.number));
    afar_hand_over(-1);
    (void)errand_end();
    process_waited(result);
    trace("a thread hands a UDP socket from owner %lld to %lld: %lld", errand.from.number,
          errand.to.number, result, 0);
    SIM_CHECK(result == errand.expected, "a thread's controlling_process gave %s, not %s",
              weir_error_name(result), weir_error_name(errand.expected));
}

void udp_afar_at_random(struct udp_view *view)
{
    typedef void act(struct udp_view *);
    static act *const asynchronous[] = {send_async, send_async, receive_async, udp_connect_act};
    static act *const waiting[] = {
        send_and_wait,         send_and_wait,    receive_and_wait, set_options_and_wait,
        change_owner_and_wait, receive_and_wait, udp_connect_act,
    };
    bool closes = dice_chance(program_style.close);
    if (!act_may_wait())
        (closes ? close_async : asynchronous[dice_below(4)])(view);
    else
        (closes ? close_and_wait : waiting[dice_below(7)])(view);
}
