/* SPDX-License-Identifier: MIT */
#include "sim/act.h"

#include <errno.h>
#include <string.h>

#include "runtime/busy.h"
#include "runtime/scheduler.h"
#include "runtime/send_queue.h"
#include "runtime/socket.h"
#include "sim/dice.h"
#include "sim/expect.h"
#include "sim/kernel.h"
#include "sim/link.h"
#include "sim/pending.h"
#include "sim/plan.h"
#include "sim/program.h"
#include "sim/trace.h"
#include <weir/error.h>

enum { HEADER_MOST = 4, SIZE_MOST = 6000 };

static struct socket *live_socket(const struct conn *conn)
{
    return socket_find(model_scheduler(), conn->handle);
}

static bool is_busy(const struct socket *socket)
{
    return socket && busy_is(model_scheduler(), socket);
}

/* What must be true of a send's result, whichever form it took. */
static void check_refusal(const struct socket *socket, int result)
{
    switch (result) {
    case -EMSGSIZE:
        SIM_CHECK(socket && (socket_values(socket)->packet == WEIR_1 ||
                             socket_values(socket)->packet == WEIR_2),
                  "emsgsize for a packet that fits");
        break;
    case -ENOMEM:
        SIM_CHECK(model_lenient, "enomem, and there was memory");
        break;
    case WEIR_CLOSED:
    case -ENOTCONN:
    case -ECONNRESET:
        break;
    default:
        sim_fail("send gave %s", weir_error_name(result));
    }
}

static void note_loss(struct conn *conn, bool was_open)
{
    if (was_open && links[model_link(conn)].out_taken < links[model_link(conn)].out_size)
        conn->may_lose = true; /* a send after a shutdown loses the socket */
}

struct offer {
    const uint8_t *bytes;
    size_t size;
    const weir_packet *packet;
    bool to_be_cut; /* a file that is shorter */
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

/* Its memory is ours again: who still sends from it is found out. */
static void take_back(void *data)
{
    struct piece *piece = data;
    SIM_CHECK(lent_count > 0, "memory is given back twice");
    lent_count--;
    memset((uint8_t *)piece->bytes, 0xEE, piece->size);
}

static int send_owned(struct conn *conn, const struct offer *offer)
{
    uint8_t *copy = plan_take((uint32_t)offer->size + 64);
    if (!copy)
        return send_plainly(conn, offer);
    struct piece *piece = (struct piece *)(copy + (-(uintptr_t)copy % 16));
    *piece = (struct piece){(uint8_t *)(piece + 1), offer->size};
    memcpy((uint8_t *)piece->bytes, offer->bytes, offer->size);
    lent_count++;
    return weir_send_owned(conn->handle, piece->bytes, piece->size, take_back, piece);
}

static int send_file(struct conn *conn, const struct offer *offer)
{
    size_t offset = (size_t)(offer->bytes - program_file_bytes);
    return weir_send_file(conn->handle, program_file(), offset, offer->size);
}

static void send_bytes(struct conn *conn, send_form *form, const struct offer *offer)
{
    const uint8_t *bytes = offer->bytes;
    size_t size = offer->size;
    struct socket *socket = live_socket(conn);
    bool was_open = socket && socket->state == SOCKET_OPEN && socket->sending != SENDING_OPEN;
    bool busy = is_busy(socket);
    model_note_resumed(conn);
    size_t before =
        socket && socket_is_stream(socket) && socket->output ? socket->output->queued_bytes : 0;
    int result = form(conn, offer);
    trace("link %lld: send of %lld bytes: %lld", model_link(conn), (int64_t)size, result, 0);
    if (form == send_file && result == -EMFILE)
        return;
    SIM_CHECK(socket || result == WEIR_CLOSED || (result == -ENOMEM && model_lenient),
              "a send on a dead handle gave %s", weir_error_name(result));
    if (result == 0) {
        SIM_CHECK(!busy, "a busy socket took a send");
        model_accepted(conn, bytes, size);
        conn->may_lose |= offer->to_be_cut;
        conn->sends_files |= form == send_file;
        SIM_CHECK(before == 0 || socket->output->busy ||
                      socket->output->queued_bytes < socket_values(socket)->high_watermark,
                  "above the high mark, and not busy");
    } else if (result == -EAGAIN) {
        SIM_CHECK(busy, "eagain of a socket that is not busy");
        conn->owed_unbusy = true;
    } else {
        check_refusal(socket, result);
        note_loss(conn, was_open);
    }
}

/* A send's bytes: made where there is room for them, which also bounds what a run sends. */
static uint8_t *make_bytes(struct conn *conn, size_t size)
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

static size_t send_size(void)
{
    return dice_chance(30) ? 0 : dice_size(SIZE_MOST);
}

void act_send(struct conn *conn)
{
    static send_form *const forms[] = {send_plainly, send_plainly, send_in_pieces, send_owned};
    size_t size = send_size();
    const uint8_t *bytes = make_bytes(conn, size);
    if (bytes)
        send_bytes(conn, forms[dice_below(4)], &(struct offer){.bytes = bytes, .size = size});
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
    size_t size = packet->size + packet->header_size;
    struct offer offer = {packet->bytes - packet->header_size, size, packet, false};
    if (link_room(&links[model_link(conn)], 2 * (size + HEADER_MOST) + conn->suspended_bytes))
        send_bytes(conn, send_the_packet, &offer);
}

static void sent(weir_socket handle, int result, void *data)
{
    struct pending *pending = data;
    struct conn *conn = model_conn(pending->link);
    bool same = links[pending->link].serial == pending->link_serial;
    (void)handle;
    pending_called(pending, PENDING_SEND, result);
    if (same)
        model_note_resumed(conn);
    if (pending->bytes && same && conn->first_suspended == pending_index(pending) + 1)
        conn->first_suspended = pending->next; /* it was never accepted */
    SIM_CHECK(!pending->bytes || result < 0, "a send that was not accepted gave %s",
              weir_error_name(result));
    if (result != 0 && result != WEIR_TIMEOUT && result != -EINVAL)
        check_refusal(same ? model_socket(conn) : NULL, result == -EMSGSIZE ? WEIR_CLOSED : result);
    pending_end(pending);
}

static void suspend(struct conn *conn, struct pending *pending)
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
    size_t size = send_size();
    uint8_t *bytes = make_bytes(conn, size);
    struct pending *pending = bytes ? pending_begin(PENDING_SEND) : NULL;
    if (!pending)
        return;
    struct socket *socket = live_socket(conn);
    bool was_open = socket && socket->state == SOCKET_OPEN && socket->sending != SENDING_OPEN;
    bool busy = is_busy(socket) && socket->sending == SENDING_OPEN;
    model_note_resumed(conn);
    pending->link = model_link(conn);
    pending->link_serial = links[pending->link].serial;
    pending->bytes = bytes;
    pending->length = size;
    int result = weir_send_async(conn->handle, bytes, size, sent, pending);
    trace("link %lld: send_async of %lld bytes, call %lld: %lld", pending->link, (int64_t)size,
          pending_index(pending), result);
    pending->returned = true;
    if (result != 0) {
        SIM_CHECK(conn->handle.id && (result == -ENOMEM && model_lenient), "send_async gave %s",
                  weir_error_name(result));
        pending_end(pending);
        return;
    }
    socket = model_socket(conn);
    note_loss(conn, was_open);
    if (socket && conn->sends < socket->sent.count) {
        SIM_CHECK(!busy, "a busy socket took a send");
        model_accepted(conn, bytes, size);
        pending->bytes = NULL;
    } else if (busy && socket) {
        suspend(conn, pending);
    }
}

static void received(weir_socket handle, int result, const weir_packet *packet, void *data)
{
    struct pending *pending = data;
    struct conn *conn = model_conn(pending->link);
    bool same = links[pending->link].serial == pending->link_serial;
    (void)handle;
    pending_called(pending, PENDING_RECEIVE, result);
    SIM_CHECK((result == 0) == (packet != NULL), "recv gave %s and %s packet",
              weir_error_name(result), packet ? "a" : "no");
    if (same && conn->receiver == pending_index(pending) + 1)
        conn->receiver = 0;
    if (same && packet && model_socket(conn))
        model_received_packet(conn, packet, pending->length);
    SIM_CHECK(result != -EMSGSIZE || !same || !model_socket(conn) || expect_invalid(conn),
              "recv gave emsgsize, and what comes next is a good packet");
    if (same && !pending->refused && result != 0 && result != WEIR_TIMEOUT)
        conn->end_seen = true;
    pending_end(pending);
    if (same && packet && dice_chance(program_style.echo))
        act_send_packet(conn, packet);
    if (same && dice_chance(500) && live_socket(conn))
        act_receive(conn);
}

static int expected_of_receive(const struct conn *conn, const struct socket *socket, size_t length)
{
    if (!socket)
        return WEIR_CLOSED;
    if (socket->state == SOCKET_GONE)
        return 0;
    if (socket->active != WEIR_ACTIVE_FALSE)
        return -EINVAL;
    if (length > 0 && socket_values(socket)->packet != WEIR_RAW)
        return -EINVAL;
    return conn->receiver && socket->receiver ? -EALREADY : 0;
}

void act_receive(struct conn *conn)
{
    struct socket *socket = live_socket(conn);
    if (conn->receiver && socket && !socket->receiver)
        return; /* it has its packet and has not called back yet */
    struct pending *pending = pending_begin(PENDING_RECEIVE);
    if (!pending)
        return;
    pending->length = dice_chance(600) ? 0 : dice_size(3000);
    int64_t timeout_ms = dice_chance(400) ? WEIR_INFINITY : (int64_t)dice_below(50);
    pending->expected = expected_of_receive(conn, socket, pending->length);
    pending->refused = pending->expected != 0;
    pending->link = model_link(conn);
    pending->link_serial = links[pending->link].serial;
    if (timeout_ms >= 0)
        pending->deadline_ns = model_scheduler()->now_ns + (uint64_t)timeout_ms * 1000000u;
    if (!pending->refused)
        conn->receiver = pending_index(pending) + 1;
    int result = weir_recv_async(conn->handle, pending->length, timeout_ms, received, pending);
    trace("link %lld: recv_async of %lld, call %lld: %lld", pending->link, (int64_t)pending->length,
          pending_index(pending), result);
    pending->returned = true;
    if (result == 0)
        return;
    SIM_CHECK(result == -ENOMEM && model_lenient, "recv_async gave %s", weir_error_name(result));
    conn->receiver = pending->refused ? conn->receiver : 0;
    pending_end(pending);
}

static bool is_count(int32_t active)
{
    return active >= -32768 && active <= 32767;
}

/* As the document has it: N is added to a count, replaces any other mode. */
static void foresee_active(struct conn *conn, int32_t wanted)
{
    int32_t next = wanted;
    if (is_count(wanted) && is_count(conn->active))
        next = conn->active + wanted;
    if (is_count(next) && next <= 0) {
        conn->passives_due += !conn->closed_told && !conn->error_told;
        next = WEIR_ACTIVE_FALSE;
    }
    conn->active = next;
}

static void foresee(struct conn *conn, const weir_option *option)
{
    if (option->id == WEIR_OPTION_ACTIVE)
        foresee_active(conn, (int32_t)option->value.number);
    else if (option->id == WEIR_OPTION_SEND_TIMEOUT_CLOSE)
        conn->may_lose |= option->value.number != 0;
}

static void set(struct conn *conn, const weir_option *options)
{
    struct socket *socket = live_socket(conn);
    if (socket && conn->receiver && !socket->receiver)
        return;               /* a packet is on its way that the present options framed */
    model_note_resumed(conn); /* under the packet type that there was */
    uint32_t passives_due = conn->passives_due;
    /* Looking for a header, even in vain, is remembered whatever comes after it. */
    if (socket && framing_is_http(socket_values(socket)->packet))
        conn->framer.http_header |= socket->framer.http_header;
    for (const weir_option *o = options; socket && o->id != WEIR_OPTION_END; o++)
        foresee(conn, o);
    int result = weir_setopts(conn->handle, options);
    trace("link %lld: setopts %lld = %lld: %lld", model_link(conn), options[0].id,
          options[0].value.number, result);
    if (!socket)
        SIM_CHECK(result == -EINVAL, "setopts on a dead handle gave %s", weir_error_name(result));
    else
        SIM_CHECK(result == 0 || (result == -ENOMEM && model_lenient), "setopts gave %s",
                  weir_error_name(result));
    if (!socket || result == 0)
        return;
    conn->active = model_socket(conn) ? model_socket(conn)->active : conn->active;
    conn->passives_due = passives_due;
}

void act_set_active(struct conn *conn, int32_t active)
{
    set(conn, WEIR_OPTIONS(WEIR_ACTIVE(active)));
}

static int32_t some_active(void)
{
    static const int32_t modes[] = {WEIR_ACTIVE_TRUE,
                                    WEIR_ACTIVE_TRUE,
                                    WEIR_ACTIVE_ONCE,
                                    WEIR_ACTIVE_ONCE,
                                    WEIR_ACTIVE_FALSE,
                                    1,
                                    2,
                                    5,
                                    -1,
                                    0};
    return modes[dice_below(10)];
}

static weir_option some_option(void)
{
    switch (dice_below(16)) {
    case 0:
        return WEIR_BUFFER(dice_size(3000));
    case 1:
        return WEIR_HIGH_WATERMARK(dice_size(8000));
    case 2:
        return WEIR_LOW_WATERMARK(dice_size(8000));
    case 3:
        return WEIR_DELAY_SEND(dice_chance(500));
    case 4:
        return WEIR_SEND_TIMEOUT(dice_chance(300) ? -1 : (int64_t)dice_below(40));
    case 5:
        return WEIR_SEND_TIMEOUT_CLOSE(dice_chance(300));
    case 6:
        return WEIR_EXIT_ON_CLOSE(dice_chance(500));
    case 7:
        return WEIR_SHOW_ECONNRESET(dice_chance(500));
    case 8:
        return WEIR_MODE(dice_chance(500) ? WEIR_BINARY : WEIR_LIST);
    case 9:
        return WEIR_HEADER(dice_below(20));
    case 10:
        return WEIR_LINGER(dice_chance(300), 0);
    case 11:
        return WEIR_PACKET_SIZE(dice_chance(700) ? 0 : dice_size(4000));
    case 12:
        return WEIR_NODELAY(dice_chance(500));
    case 13:
        return WEIR_BIT8(WEIR_BIT8_ON);
    case 14:
        return WEIR_DELIVER(dice_chance(500) ? WEIR_PORT : WEIR_TERM);
    default:
        return WEIR_PACKET(plan_style.packet);
    }
}

void act_set_options(struct conn *conn)
{
    if (dice_chance(program_style.type))
        set(conn, WEIR_OPTIONS(WEIR_PACKET(dice_below(WEIR_PACKET_TYPE_COUNT))));
    else if (dice_chance(500))
        act_set_active(conn, some_active());
    else if (dice_chance(300))
        set(conn, WEIR_OPTIONS(some_option(), some_option(), WEIR_ACTIVE(some_active())));
    else
        set(conn, WEIR_OPTIONS(some_option()));
}

void act_shutdown(struct conn *conn)
{
    struct socket *socket = live_socket(conn);
    enum weir_how how = (enum weir_how)dice_below(3);
    int result = weir_shutdown(conn->handle, how);
    trace("link %lld: shutdown %lld: %lld", model_link(conn), how, result, 0);
    SIM_CHECK(result == 0 || result == -ENOTCONN || (!socket && result == WEIR_CLOSED),
              "shutdown gave %s", weir_error_name(result));
}

void act_close(struct conn *conn)
{
    struct socket *socket = live_socket(conn);
    trace("link %lld: close", model_link(conn), 0, 0, 0);
    conn->closed |= socket != NULL;
    if (socket && socket->fd >= 0 && kernel_file(socket->fd)->linger_on)
        conn->may_lose = true;
    SIM_CHECK(weir_close(conn->handle) == 0, "close failed");
    SIM_CHECK(!live_socket(conn), "a closed handle is alive");
}

void act_change_owner(struct conn *conn)
{
    struct socket *socket = live_socket(conn);
    uint32_t next = dice_below(OWNER_COUNT);
    uint32_t from = dice_chance(100) ? dice_below(OWNER_COUNT) : conn->owner;
    int result = weir_controlling_process(conn->handle, act_owner(from), act_owner(next));
    trace("link %lld: from owner %lld to %lld: %lld", model_link(conn), from, next, result);
    if (!socket)
        SIM_CHECK(result == WEIR_CLOSED, "a dead handle's owner: %s", weir_error_name(result));
    else
        SIM_CHECK(result == (from == conn->owner ? 0 : WEIR_NOT_OWNER), "owner: %s",
                  weir_error_name(result));
    if (result == 0)
        conn->owner = next;
}

void act_ask(struct conn *conn)
{
    struct socket *socket = live_socket(conn);
    weir_statistics statistics;
    weir_address address;
    weir_option wanted[] = {WEIR_REQUEST(ACTIVE), WEIR_REQUEST(PACKET)};
    int result = weir_getstat(conn->handle, &statistics);
    SIM_CHECK(result == (socket ? 0 : -EINVAL), "getstat gave %s", weir_error_name(result));
    if (socket)
        SIM_CHECK(statistics.recv_cnt == (uint32_t)socket->received.count &&
                      statistics.send_oct == socket->sent.octets,
                  "getstat tells something else");
    result = weir_getopts(conn->handle, wanted, 2);
    SIM_CHECK(result == (socket ? 2 : -EINVAL), "getopts gave %d", result);
    SIM_CHECK(!socket || wanted[0].value.number == socket->active, "getopts: another active");
    result = weir_peername(conn->handle, &address);
    SIM_CHECK(socket || result == -EINVAL, "peername gave %s", weir_error_name(result));
    result = weir_port(conn->handle);
    SIM_CHECK(socket ? result >= 0 || result == -EBADF : result == -EINVAL, "port gave %d", result);
    SIM_CHECK(weir_recv(conn->handle, 0, 0, &(weir_packet){0}) == -EDEADLK,
              "a call that waits was let wait on a scheduler");
}

void act_at_random(struct conn *conn)
{
    if (conn->handle.id == 0)
        return;
    if (dice_chance(program_style.close)) {
        act_close(conn);
        return;
    }
    if (dice_chance(program_style.options)) {
        act_set_options(conn);
        return;
    }
    static void (*const acts[])(struct conn *) = {
        act_send,    act_send,    act_send_file, act_send_async,   act_send_async,
        act_receive, act_receive, act_ask,       act_change_owner, act_shutdown,
    };
    acts[dice_below(dice_chance(300) ? 10 : 8)](conn);
}
