/* SPDX-License-Identifier: MIT */
#include "sim/afar.h"

#include <errno.h>
#include <string.h>

#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/busy.h"
#include "runtime/stream/output.h"
#include "runtime/stream/stream.h"
#include "sim/act.h"
#include "sim/dice.h"
#include "sim/errand.h"
#include "sim/expect.h"
#include "sim/kept.h"
#include "sim/kernel.h"
#include "sim/link.h"
#include "sim/pending.h"
#include "sim/post.h"
#include "sim/program.h"
#include "sim/trace.h"
#include <weir/error.h>

static uint32_t handover_count;

uint32_t afar_handover_count(void)
{
    return handover_count;
}

/* Another thread is about to hand a socket over, or has. */
void afar_hand_over(int more)
{
    handover_count += (uint32_t)more;
}

void afar_reset(void)
{
    handover_count = 0;
}

static bool fits(const struct stream *socket, size_t size)
{
    uint8_t header[FRAMING_HEADER_MAX];
    return framing_encode_header(stream_values(socket)->packet, size, header) >= 0;
}

/* What will become of a send that is about to be run: accepted, suspended or refused. */
static void note_send(struct errand *errand, struct conn *conn)
{
    struct pending *pending = errand->pending;
    const struct stream *socket = conn ? model_live_stream(conn->handle) : NULL;
    if (!socket)
        return;
    model_note_resumed(conn);
    bool open = socket->slot.state == SOCKET_OPEN;
    if (!open || socket->sending != SENDING_OPEN) {
        conn->may_lose |= open; /* a send after a shutdown loses the socket */
    } else if (!busy_is(model_home(conn->handle), socket) && fits(socket, pending->length)) {
        model_accepted(conn, pending->bytes, pending->length);
        pending->bytes = NULL;
    }
}

static struct pending *begin_send(struct conn *conn, const uint8_t *bytes, size_t size)
{
    struct pending *pending = bytes ? pending_begin(PENDING_SEND) : NULL;
    if (!pending)
        return NULL;
    pending->link = model_link(conn);
    pending->link_serial = links[pending->link].serial;
    pending->bytes = (uint8_t *)bytes;
    pending->length = size;
    conn->suspended_bytes += size + FRAMING_HEADER_MAX;
    return pending;
}

/* NULL `packet`: bytes of their own. */
static void send_async(struct conn *conn, const weir_packet *packet)
{
    size_t size = packet ? expect_whole_size(packet) : act_send_size();
    uint8_t *bytes = act_make_bytes(conn, size);
    struct errand *errand = errand_take();
    struct pending *pending = errand ? begin_send(conn, bytes, size) : NULL;
    if (!pending) {
        errand_give_back(errand);
        return;
    }
    if (packet)
        memcpy(bytes, packet->bytes - packet->header_size, size);
    errand->pending = pending;
    errand_begin(errand, conn, note_send);
    int result = packet ? weir_send_packet_async(conn->handle, packet, act_sent, pending)
                        : weir_send_async(conn->handle, bytes, size, act_sent, pending);
    bool posted = errand_end();
    trace("link %lld: send_async of %lld bytes from afar, call %lld: %lld", model_link(conn),
          (int64_t)size, pending_index(pending), result);
    pending->returned = true;
    SIM_CHECK(posted == (result == 0) && (posted || result == WEIR_CLOSED),
              "a call to another scheduler gave %s", weir_error_name(result));
    if (result != 0)
        pending_end(pending);
}

static void send_bytes_async(struct conn *conn)
{
    send_async(conn, NULL);
}

void afar_forward(struct conn *conn, const weir_packet *packet)
{
    send_async(conn, packet);
}

static void note_receive(struct errand *errand, struct conn *conn)
{
    struct pending *pending = errand->pending;
    pending->away = 1;
    pending->refused = !conn;
    pending->expected = WEIR_CLOSED;
    if (conn)
        act_foresee_receive(conn, pending, kernel.now_ns);
}

static void receive_async(struct conn *conn)
{
    struct errand *errand = errand_take();
    struct pending *pending = errand ? act_begin_receive(conn) : NULL;
    if (!pending) {
        errand_give_back(errand);
        return;
    }
    errand->pending = pending;
    errand_begin(errand, conn, note_receive);
    int result =
        weir_recv_async(conn->handle, pending->length, pending->timeout_ms, act_received, pending);
    trace("link %lld: recv_async of %lld from afar, call %lld: %lld", pending->link,
          (int64_t)pending->length, pending_index(pending), result);
    pending->returned = true;
    SIM_CHECK(errand_end() == (result == 0), "a call to another scheduler gave %s",
              weir_error_name(result));
    if (result != 0)
        pending_end(pending);
}

static void note_close(struct errand *errand, struct conn *conn)
{
    if (conn)
        act_foresee_close(conn);
    else
        post_may_forget_closed(errand->handle);
}

static void close_async(struct conn *conn)
{
    struct errand *errand = errand_take();
    if (!errand)
        return;
    trace("link %lld: close from afar", model_link(conn), 0, 0, 0);
    errand_begin(errand, conn, note_close);
    int result = weir_close(conn->handle);
    SIM_CHECK(result == 0 || (result == -ENOMEM && model_lenient), "close gave %s",
              weir_error_name(result));
    if (!errand_end())
        post_forget_closed(conn->handle);
}

/* Nothing that would wait is let wait on a scheduler. */
static void ask_in_vain(struct conn *conn)
{
    weir_statistics statistics;
    weir_owner owner = act_owner(0);
    weir_socket handle = conn->handle;
    if (model_stopping) /* nobody is found to wait for */
        return;
    SIM_CHECK(weir_send(handle, "x", 1) == -EDEADLK, "a send waits for another scheduler");
    SIM_CHECK(weir_getstat(handle, &statistics) == -EDEADLK, "getstat waits for another scheduler");
    SIM_CHECK(weir_setopts(handle, WEIR_OPTIONS(WEIR_NODELAY(true))) == -EDEADLK,
              "setopts waits for another scheduler");
    SIM_CHECK(weir_controlling_process(handle, owner, owner) == -EDEADLK,
              "controlling_process waits for another scheduler");
}

static void send_and_wait(struct conn *conn)
{
    size_t size = act_send_size();
    const uint8_t *bytes = act_make_bytes(conn, size);
    struct pending *pending = begin_send(conn, bytes, size);
    if (!pending)
        return;
    struct errand errand = {.pending = pending};
    pending->returned = true;
    errand_begin(&errand, conn, note_send);
    int result = act_send_in_some_form(conn, bytes, size);
    (void)errand_end();
    trace("a thread's send, call %lld: %lld", pending_index(pending), result, 0, 0);
    act_sent(conn->handle, result, pending);
}

static void send_file_and_wait(struct conn *conn)
{
    size_t size = dice_size(6000);
    size_t offset = dice_below(PROGRAM_FILE_SIZE - 6000);
    bool room = link_room(&links[model_link(conn)],
                          2 * (size + FRAMING_HEADER_MAX) + conn->suspended_bytes) != NULL;
    struct pending *pending = room ? begin_send(conn, program_file_bytes + offset, size) : NULL;
    if (!pending)
        return;
    struct errand errand = {.pending = pending};
    pending->returned = true;
    errand_begin(&errand, conn, note_send);
    int result = weir_send_file(conn->handle, program_file(), offset, size);
    bool posted = errand_end();
    trace("a thread's send of a file, call %lld: %lld", pending_index(pending), result, 0, 0);
    SIM_CHECK(posted || result == -EMFILE || result == WEIR_CLOSED, "send_file gave %s",
              weir_error_name(result));
    act_sent(conn->handle, result == -EMFILE ? WEIR_CLOSED : result, pending);
}

static void receive_and_wait(struct conn *conn)
{
    weir_packet packet;
    struct pending *pending = act_begin_receive(conn);
    if (!pending)
        return;
    struct errand errand = {.pending = pending};
    pending->returned = true;
    errand_begin(&errand, conn, note_receive);
    trace("link %lld: a thread's recv of %lld, call %lld", pending->link, (int64_t)pending->length,
          pending_index(pending), 0);
    int result = weir_recv(conn->handle, pending->length, pending->timeout_ms, &packet);
    if (!errand_end() && result == 0) {
        note_receive(&errand, conn);
        act_taken(conn, pending, &packet);
    }
    act_received(conn->handle, result, result == 0 ? &packet : NULL, pending);
    if (result == 0)
        kept_take(&packet);
}

static void note_options(struct errand *errand, struct conn *conn)
{
    errand->expected = conn ? 0 : -EINVAL;
    if (conn)
        act_foresee_options(conn, errand->options);
}

static void set_options_and_wait(struct conn *conn)
{
    const weir_option options[] = {
        dice_chance(600) ? WEIR_ACTIVE(act_some_active()) : act_some_option(),
        dice_chance(800) ? (weir_option){.id = WEIR_OPTION_END} : act_some_option(),
        {.id = WEIR_OPTION_END},
    };
    struct errand errand = {.options = options, .expected = -EINVAL};
    errand_begin(&errand, conn, note_options);
    int result = weir_setopts(conn->handle, options);
    (void)errand_end();
    trace("a thread's setopts %lld = %lld: %lld", options[0].id, options[0].value.number, result,
          0);
    SIM_CHECK(result == errand.expected, "a thread's setopts gave %s, not %s",
              weir_error_name(result), weir_error_name(errand.expected));
}

static void close_and_wait(struct conn *conn)
{
    struct errand errand = {0};
    weir_socket handle = conn->handle;
    errand_begin(&errand, conn, note_close);
    trace("link %lld: a thread's close", model_link(conn), 0, 0, 0);
    SIM_CHECK(weir_close(handle) == 0, "close failed");
    (void)errand_end();
    post_forget_closed(handle);
    SIM_CHECK(model_stopping || !model_live(handle), "a closed handle is alive");
}

static void note_owner(struct errand *errand, struct conn *conn)
{
    errand->expected = conn ? act_foresee_owner(conn, errand->from, errand->to) : WEIR_CLOSED;
}

static void change_owner_and_wait(struct conn *conn)
{
    struct errand errand = {
        .from = post_name(conn->owner), .to = post_name(act_some_owner()), .expected = WEIR_CLOSED};
    errand_begin(&errand, conn, note_owner);
    trace("link %lld: a thread hands it from owner %lld to %lld", model_link(conn),
          errand.from.number, errand.to.number, 0);
    handover_count++;
    int result = weir_controlling_process(conn->handle, act_owner(errand.from.number),
                                          act_owner(errand.to.number));
    handover_count--;
    (void)errand_end();
    SIM_CHECK(result == errand.expected, "a thread's controlling_process gave %s, not %s",
              weir_error_name(result), weir_error_name(errand.expected));
}

static void shut_down_and_wait(struct conn *conn)
{
    enum weir_how how = (enum weir_how)dice_below(3);
    int result = weir_shutdown(conn->handle, how);
    trace("a thread's shutdown %lld: %lld", how, result, 0, 0);
    SIM_CHECK(result == 0 || result == -ENOTCONN || result == WEIR_CLOSED, "shutdown gave %s",
              weir_error_name(result));
}

static void ask_and_wait(struct conn *conn)
{
    weir_statistics statistics;
    weir_option wanted[] = {WEIR_REQUEST(ACTIVE), WEIR_REQUEST(PACKET)};
    weir_socket handle = conn->handle;
    int result = weir_getstat(handle, &statistics);
    SIM_CHECK(result == 0 || result == -EINVAL, "getstat gave %s", weir_error_name(result));
    result = weir_getopts(handle, wanted, 2);
    SIM_CHECK(result == 2 || result == -EINVAL, "getopts gave %d", result);
    result = weir_port(handle);
    SIM_CHECK(result >= 0 || result == -EINVAL || result == -EBADF, "port gave %d", result);
}

typedef void act(struct conn *conn);

static void act_on_thread(struct conn *conn)
{
    static act *const acts[] = {
        send_and_wait,    send_and_wait,         send_file_and_wait,   receive_and_wait,
        receive_and_wait, change_owner_and_wait, set_options_and_wait, set_options_and_wait,
        ask_and_wait,     shut_down_and_wait,
    };
    if (dice_chance(program_style.close))
        close_and_wait(conn);
    else
        acts[dice_below(dice_chance(300) ? 10 : 9)](conn);
}

void afar_at_random(struct conn *conn)
{
    static act *const acts[] = {send_bytes_async, send_bytes_async, receive_async, ask_in_vain};
    if (act_may_wait())
        act_on_thread(conn);
    else if (dice_chance(program_style.close))
        close_async(conn);
    else
        acts[dice_below(4)](conn);
}
