/* SPDX-License-Identifier: MIT */
#include "sim/act.h"

#include <errno.h>
#include <string.h>

#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/busy.h"
#include "runtime/stream/output.h"
#include "runtime/stream/stream.h"
#include "sim/afar.h"
#include "sim/dice.h"
#include "sim/expect.h"
#include "sim/kernel.h"
#include "sim/link.h"
#include "sim/pending.h"
#include "sim/plan.h"
#include "sim/process.h"
#include "sim/program.h"
#include "sim/rights.h"
#include "sim/trace.h"
#include <weir/error.h>
#include <weir/local.h>

enum { HEADER_MOST = 4, SIZE_MOST = 6000 };

static struct stream *live_socket(const struct conn *conn)
{
    return model_live_stream(conn->handle);
}

static bool is_busy(const struct stream *socket)
{
    return socket && busy_is(scheduler_current(), socket);
}

/* What must be true of a send's result, whichever form it took. */
static void check_refusal(const struct stream *socket, int result)
{
    switch (result) {
    case -EMSGSIZE:
        SIM_CHECK(socket && (stream_values(socket)->packet == WEIR_1 ||
                             stream_values(socket)->packet == WEIR_2),
                  "emsgsize for a packet that fits");
        break;
    case -ENOMEM:
        SIM_CHECK(model_lenient, "enomem, and there was memory");
        break;
    case WEIR_CLOSED:
    case -ENOTCONN:
    case -ECONNRESET:
        break;
    case WEIR_KILLED:
        SIM_CHECK(process_current(), "a send is killed that no process has made");
        break;
    default:
        sim_fail("send gave %s", weir_error_name(result));
    }
}

/* A send after a shutdown loses the socket, within the call if nothing is in flight. */
static void note_loss(struct conn *conn, bool was_open)
{
    if (was_open && links[model_link(conn)].out_taken < links[model_link(conn)].out_size)
        conn->may_lose = true;
}

struct offer {
    const uint8_t *bytes;
    size_t size;
    const weir_packet *packet;
    bool to_be_cut; /* a file that is shorter */
    uint32_t right_count;
};

typedef int send_form(struct conn *conn, const struct offer *offer);

static int send_plainly(struct conn *conn, const struct offer *offer)
{
    return weir_send(conn->handle, offer->bytes, offer->size);
}

static int send_the_packet(struct conn *conn, const struct offer *offer)
{
    return weir_send_packet(conn->handle, offer->packet);
}

static int send_in_pieces(struct conn *conn, const struct offer *offer)
{
    size_t first = dice_below((uint32_t)offer->size + 1);
    struct iovec pieces[] = {{(void *)offer->bytes, first},
                             {NULL, 0},
                             {(void *)(offer->bytes + first), offer->size - first}};
    return weir_sendv(conn->handle, pieces, 3);
}

static uint32_t lent_count;

uint32_t act_lent_count(void)
{
    return lent_count;
}

/* Memory that was lent for a send of a connection. */
struct loan {
    struct piece piece;
    uint32_t link;
    uint32_t link_serial;
};

/* Who gets it back may send what comes next, or close; not under the send that had no memory to
 * take it over. */
static void go_on(const struct loan *loan)
{
    struct conn *conn = model_conn(loan->link);
    bool same = links[loan->link].used && links[loan->link].serial == loan->link_serial;
    if (same && !model_lenient && !program_winds_down() && act_is_own(conn) && dice_chance(600))
        act_at_random(conn);
}

/* Its memory is ours again: who still sends from it is found out. */
static void take_back(void *data)
{
    struct loan *loan = data;
    SIM_CHECK(lent_count > 0, "memory is given back twice");
    SIM_CHECK(!act_is_under_way() || !scheduler_current() || model_lenient,
              "memory is given back under a call");
    lent_count--;
    memset((uint8_t *)loan->piece.bytes, 0xEE, loan->piece.size);
    go_on(loan);
}

static int send_owned(struct conn *conn, const struct offer *offer)
{
    uint8_t *copy = plan_take((uint32_t)(offer->size + sizeof(struct loan) + 16));
    if (!copy)
        return send_plainly(conn, offer);
    struct loan *loan = (struct loan *)(copy + (-(uintptr_t)copy % 16));
    uint8_t *bytes = (uint8_t *)(loan + 1);
    *loan = (struct loan){{bytes, offer->size}, model_link(conn), links[model_link(conn)].serial};
    memcpy(bytes, offer->bytes, offer->size);
    lent_count++;
    return weir_send_owned(conn->handle, bytes, offer->size, take_back, loan);
}

/* Not as a file. */
int act_send_in_some_form(struct conn *conn, const uint8_t *bytes, size_t size)
{
    static send_form *const forms[] = {send_plainly, send_plainly, send_in_pieces, send_owned};
    return forms[dice_below(4)](conn, &(struct offer){.bytes = bytes, .size = size});
}

static int send_file(struct conn *conn, const struct offer *offer)
{
    size_t offset = (size_t)(offer->bytes - program_file_bytes);
    return weir_send_file(conn->handle, program_file(), offset, offer->size);
}

/* They stay the program's. */
static int send_rights(struct conn *conn, const struct offer *offer)
{
    int descriptors[RIGHTS_MOST];
    for (uint32_t i = 0; i < RIGHTS_MOST; i++)
        descriptors[i] = program_file();
    const weir_local_message message = {.bytes = offer->bytes,
                                        .size = offer->size,
                                        .descriptors = descriptors,
                                        .descriptor_count = offer->right_count};
    return weir_local_send(conn->handle, &message);
}

static void send_bytes(struct conn *conn, send_form *form, const struct offer *offer)
{
    const uint8_t *bytes = offer->bytes;
    size_t size = offer->size;
    struct stream *socket = live_socket(conn);
    bool was_open = socket && socket->slot.state == SOCKET_OPEN && socket->sending != SENDING_OPEN;
    bool busy = is_busy(socket);
    model_note_resumed(conn);
    size_t before =
        socket && stream_is_live(socket) && socket->output ? socket->output->queue.queued_bytes : 0;
    note_loss(conn, was_open);
    int result = form(conn, offer);
    trace("link %lld: send of %lld bytes: %lld", model_link(conn), (int64_t)size, result, 0);
    if (form == send_rights && result == -EMFILE)
        return;
    if (form == send_file && (result == -EMFILE || (offer->to_be_cut && result == -EINVAL)))
        return;
    SIM_CHECK(socket || result == WEIR_CLOSED || (result == -ENOMEM && model_lenient),
              "a send on a dead handle gave %s", weir_error_name(result));
    if (result == 0) {
        SIM_CHECK(!busy, "a busy socket took a send");
        if (offer->right_count > 0)
            rights_accepted(model_link(conn), offer->right_count);
        model_accepted(conn, bytes, size);
        conn->may_lose |= offer->to_be_cut;
        conn->cuts_file |= offer->to_be_cut;
        SIM_CHECK(before == 0 || socket->output->busy ||
                      socket->output->queue.queued_bytes < stream_values(socket)->high_watermark,
                  "above the high mark, and not busy");
    } else if (result == -EAGAIN) {
        SIM_CHECK(busy, "eagain of a socket that is not busy");
        conn->owed_unbusy = true;
    } else {
        check_refusal(socket, result);
    }
}

/* A send's bytes: made where there is room for them, which also bounds what a run sends. */
uint8_t *act_make_bytes(struct conn *conn, size_t size)
{
    if (!link_room(&links[model_link(conn)], 2 * (size + HEADER_MOST) + conn->suspended_bytes))
        return NULL;
    uint8_t *bytes = plan_take((uint32_t)size + 8);
    if (!bytes)
        return NULL;
    uint64_t word = dice_next();
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(word >> (i % 8 * 8)) + (uint8_t)i;
    return bytes;
}

size_t act_send_size(void)
{
    return dice_chance(30) ? 0 : dice_size(SIZE_MOST);
}

void act_send(struct conn *conn)
{
    static send_form *const forms[] = {send_plainly, send_plainly, send_in_pieces, send_owned};
    size_t size = act_send_size();
    const uint8_t *bytes = act_make_bytes(conn, size);
    if (bytes)
        send_bytes(conn, forms[dice_below(4)], &(struct offer){.bytes = bytes, .size = size});
}

void act_send_rights(struct conn *conn)
{
    size_t size = dice_size(SIZE_MOST);
    const uint8_t *bytes = act_make_bytes(conn, size);
    struct offer offer = {.bytes = bytes, .size = size, .right_count = dice_size(RIGHTS_MOST)};
    if (bytes)
        send_bytes(conn, send_rights, &offer);
}

void act_send_file(struct conn *conn)
{
    size_t size = dice_size(SIZE_MOST);
    size_t offset = dice_below(PROGRAM_FILE_SIZE);
    struct offer offer = {.bytes = program_file_bytes + offset,
                          .size = size,
                          .to_be_cut = offset + size > PROGRAM_FILE_SIZE};
    if (link_room(&links[model_link(conn)], 2 * (size + HEADER_MOST) + conn->suspended_bytes))
        send_bytes(conn, send_file, &offer);
}

void act_send_packet(struct conn *conn, const weir_packet *packet)
{
    size_t size = expect_whole_size(packet);
    struct offer offer = {
        .bytes = packet->bytes - packet->header_size, .size = size, .packet = packet};
    if (link_room(&links[model_link(conn)], 2 * (size + HEADER_MOST) + conn->suspended_bytes))
        send_bytes(conn, send_the_packet, &offer);
}

void act_forget_suspended(struct conn *conn, const struct pending *pending)
{
    uint32_t mark = pending_index(pending) + 1;
    uint32_t before = 0;
    uint32_t here = conn->first_suspended;
    while (here && here != mark) {
        before = here;
        here = pending_at(here - 1)->next;
    }
    if (!here)
        return;
    if (before)
        pending_at(before - 1)->next = pending->next;
    else
        conn->first_suspended = pending->next;
    if (conn->last_suspended == mark)
        conn->last_suspended = before;
}

/* Those that went well; one that fails may do so at once, before those that wait. */
static void check_order(struct conn *conn, const struct pending *pending, int result)
{
    if (pending->turn == 0 || result != 0)
        return;
    SIM_CHECK(pending->turn > conn->sends_answered, "link %u: send %llu is answered after %llu",
              pending->link, (unsigned long long)pending->turn,
              (unsigned long long)conn->sends_answered);
    conn->sends_answered = pending->turn;
}

void act_sent(weir_socket handle, int result, void *data)
{
    struct pending *pending = data;
    struct conn *conn = model_conn(pending->link);
    bool same = links[pending->link].serial == pending->link_serial;
    (void)handle;
    pending_called(pending, PENDING_SEND, result);
    process_waited(result);
    if (same) {
        check_order(conn, pending, result);
        model_note_resumed(conn);
    }
    if (pending->bytes && same)
        act_forget_suspended(conn, pending); /* it was never accepted */
    SIM_CHECK(!pending->bytes || result < 0, "a send that was not accepted gave %s",
              weir_error_name(result));
    if (result != 0 && result != WEIR_TIMEOUT && result != -EINVAL && result != -ENOBUFS)
        check_refusal(same ? model_socket(conn) : NULL, result == -EMSGSIZE ? WEIR_CLOSED : result);
    pending_end(pending);
}

void act_suspend(struct conn *conn, struct pending *pending)
{
    uint32_t mark = pending_index(pending) + 1;
    pending->next = 0;
    conn->suspended_bytes += pending->length + HEADER_MOST;
    if (conn->first_suspended)
        pending_at(conn->last_suspended - 1)->next = mark;
    else
        conn->first_suspended = mark;
    conn->last_suspended = mark;
}

void act_send_async(struct conn *conn)
{
    size_t size = act_send_size();
    uint8_t *bytes = act_make_bytes(conn, size);
    struct pending *pending = bytes ? pending_begin(PENDING_SEND) : NULL;
    if (!pending)
        return;
    struct stream *socket = live_socket(conn);
    bool was_open = socket && socket->slot.state == SOCKET_OPEN && socket->sending != SENDING_OPEN;
    bool busy = is_busy(socket) && socket->sending == SENDING_OPEN;
    model_note_resumed(conn);
    pending->link = model_link(conn);
    pending->link_serial = links[pending->link].serial;
    pending->bytes = bytes;
    pending->length = size;
    pending->before_gone = act_before_gone(conn);
    pending->turn = ++conn->sends_asked;
    note_loss(conn, was_open);
    int result = weir_send_async(conn->handle, bytes, size, act_sent, pending);
    trace("link %lld: send_async of %lld bytes, call %lld: %lld", pending->link, (int64_t)size,
          pending_index(pending), result);
    pending->returned = true;
    if (result != 0) {
        SIM_CHECK(conn->handle.id && pending_may_be_refused(pending, result), "send_async gave %s",
                  weir_error_name(result));
        pending_end(pending);
        return;
    }
    socket = model_socket(conn);
    if (socket && conn->sends < socket->sent.count) {
        SIM_CHECK(!busy, "a busy socket took a send");
        model_accepted(conn, bytes, size);
        pending->bytes = NULL;
    }
}
