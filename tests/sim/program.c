/* SPDX-License-Identifier: MIT */
#include "sim/program.h"

#include <errno.h>
#include <string.h>

#include "base/system.h"
#include "runtime/scheduler.h"
#include "runtime/socket.h"
#include "sim/act.h"
#include "sim/dice.h"
#include "sim/expect.h"
#include "sim/kernel.h"
#include "sim/link.h"
#include "sim/peer.h"
#include "sim/pending.h"
#include "sim/plan.h"
#include "sim/trace.h"
#include <weir/error.h>

enum { LISTENER_MOST = 3, KEPT_MOST = 8 };

struct listening {
    weir_socket handle;
    bool serves;
    int32_t active;
};

struct program_style program_style;

static weir_runtime *the_runtime;
static struct listening listeners[LISTENER_MOST];
static weir_packet kept[KEPT_MOST];
uint8_t program_file_bytes[PROGRAM_FILE_ROOM];
static int file_fd;
static bool winding_down;
static uint8_t owners[OWNER_COUNT];

static uint32_t owner_of(const void *data)
{
    return (uint32_t)((const uint8_t *)data - owners);
}

/* The connection that a callback is for; its owner must be the one who is told. */
static struct conn *conn_of(weir_socket socket, void *data)
{
    struct conn *conn = model_find(socket, owner_of(data));
    SIM_CHECK(conn, "a message of a socket that nobody knows: %llx", (unsigned long long)socket.id);
    SIM_CHECK(conn->owner == owner_of(data), "a message for owner %u came to %u", conn->owner,
              owner_of(data));
    return conn;
}

static void maybe_act(struct conn *conn)
{
    if (dice_chance(program_style.act) && !winding_down)
        act_at_random(conn);
}

static void on_accepted(weir_socket socket, void *data)
{
    struct conn *conn = conn_of(socket, data);
    trace("link %lld: accepted", model_link(conn), 0, 0, 0);
    conn->accepting = true;
    maybe_act(conn);
    model_message_accepted(conn);
}

static void keep(const weir_packet *packet)
{
    weir_packet *place = &kept[dice_below(KEPT_MOST)];
    weir_packet_release(place);
    if (weir_packet_keep(packet, place) < 0) {
        SIM_CHECK(model_lenient, "keeping a packet failed");
        *place = (weir_packet){0};
    }
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct conn *conn = conn_of(socket, data);
    trace("link %lld: packet of %lld bytes at %lld", model_link(conn), (int64_t)packet->size,
          conn->cursor, 0);
    model_message_packet(conn, packet);
    if (winding_down)
        return;
    if (dice_chance(50))
        keep(packet);
    if (dice_chance(program_style.echo))
        act_send_packet(conn, packet);
    if (conn->active == WEIR_ACTIVE_FALSE && dice_chance(600))
        act_set_active(conn, WEIR_ACTIVE_ONCE);
    maybe_act(conn);
}

static void on_passive(weir_socket socket, void *data)
{
    struct conn *conn = conn_of(socket, data);
    trace("link %lld: passive", model_link(conn), 0, 0, 0);
    model_message_passive(conn);
    if (dice_chance(500) && !winding_down && conn->active == WEIR_ACTIVE_FALSE)
        act_set_active(conn, (int32_t)dice_between(1, 4));
    maybe_act(conn);
}

static void on_unbusy(weir_socket socket, void *data)
{
    struct conn *conn = conn_of(socket, data);
    trace("link %lld: unbusy", model_link(conn), 0, 0, 0);
    model_message_unbusy(conn);
    if (dice_chance(700) && !winding_down)
        act_send(conn);
    maybe_act(conn);
}

static void on_error(weir_socket socket, int error, void *data)
{
    struct conn *conn = conn_of(socket, data);
    trace("link %lld: error %lld", model_link(conn), error, 0, 0);
    model_message_error(conn, error);
    maybe_act(conn);
}

static void on_closed(weir_socket socket, void *data)
{
    struct conn *conn = conn_of(socket, data);
    trace("link %lld: closed", model_link(conn), 0, 0, 0);
    model_message_closed(conn);
    maybe_act(conn);
}

static const weir_handler handler = {
    .accepted = on_accepted,
    .packet = on_packet,
    .passive = on_passive,
    .unbusy = on_unbusy,
    .error = on_error,
    .closed = on_closed,
};

weir_owner act_owner(uint32_t owner)
{
    return weir_handled_by(&handler, &owners[owner]);
}

static void opened(weir_socket socket, int result, void *data)
{
    struct pending *pending = data;
    enum pending_kind kind = (enum pending_kind)pending->kind;
    pending_called(pending, kind, result);
    uint32_t owner = pending->owner;
    pending_end(pending);
    if (result < 0)
        return;
    struct conn *conn = model_find(socket, owner);
    if (!conn)
        return; /* closed by a message that came first */
    trace("link %lld: opened, kind %lld", model_link(conn), kind, 0, 0);
    maybe_act(conn);
}

static const weir_option *listen_options(int32_t active)
{
    static weir_option options[8];
    options[0] = WEIR_ACTIVE(active);
    options[1] = WEIR_PACKET(plan_style.packet);
    options[2] = WEIR_MODE(dice_chance(500) ? WEIR_BINARY : WEIR_LIST);
    options[3] = WEIR_BUFFER(dice_chance(300) ? dice_size(200) : dice_between(200, 4000));
    options[4] = WEIR_HIGH_WATERMARK(dice_size(8000));
    options[5] = WEIR_EXIT_ON_CLOSE(dice_chance(800));
    options[6] = WEIR_DELAY_SEND(dice_chance(300));
    options[7] = (weir_option){.id = WEIR_OPTION_END};
    return options;
}

static int32_t first_active(void)
{
    static const int32_t modes[] = {WEIR_ACTIVE_TRUE, WEIR_ACTIVE_ONCE, WEIR_ACTIVE_FALSE, 3, 0};
    return modes[program_style.active ? dice_below(5) : 0];
}

static void listen_somewhere(void)
{
    struct listening *listening = &listeners[dice_below(LISTENER_MOST)];
    if (listening->handle.id != 0)
        return;
    listening->active = first_active();
    listening->serves = dice_chance(700);
    const weir_option *options = listen_options(listening->active);
    int result = listening->serves
                     ? weir_tcp_serve(the_runtime, "127.0.0.1", 0, options,
                                      act_owner(dice_below(OWNER_COUNT)), &listening->handle)
                     : weir_tcp_listen(the_runtime, "127.0.0.1", 0, options, &listening->handle);
    trace("listen: %lld", result, 0, 0, 0);
    if (result < 0)
        listening->handle = (weir_socket){0};
}

static void connect_somewhere(void)
{
    struct pending *pending = pending_begin(PENDING_CONNECT);
    if (!pending)
        return;
    uint16_t port = (uint16_t)(dice_chance(700) ? PORT_ACCEPTS : dice_between(1, PORT_COUNT - 1));
    int64_t timeout_ms = dice_chance(500) ? WEIR_INFINITY : (int64_t)dice_below(20);
    pending->owner = dice_below(OWNER_COUNT);
    if (timeout_ms >= 0)
        pending->deadline_ns = model_scheduler()->now_ns + (uint64_t)timeout_ms * 1000000u;
    int result =
        weir_tcp_connect_async(the_runtime, "127.0.0.1", port, listen_options(first_active()),
                               act_owner(pending->owner), timeout_ms, opened, pending);
    trace("connect_async to port %lld, call %lld: %lld", port, pending_index(pending), result, 0);
    pending->returned = true;
    if (result != 0)
        pending_end(pending);
}

static void accept_from(struct listening *listening)
{
    struct pending *pending = pending_begin(PENDING_ACCEPT);
    if (!pending)
        return;
    int64_t timeout_ms = dice_chance(500) ? WEIR_INFINITY : (int64_t)dice_below(40);
    pending->owner = dice_below(OWNER_COUNT);
    pending->refused = listening->serves;
    pending->expected = -EINVAL;
    if (timeout_ms >= 0)
        pending->deadline_ns = model_scheduler()->now_ns + (uint64_t)timeout_ms * 1000000u;
    int result = weir_tcp_accept_async(listening->handle, act_owner(pending->owner), timeout_ms,
                                       opened, pending);
    trace("accept_async, call %lld: %lld", pending_index(pending), result, 0, 0);
    pending->returned = true;
    if (result != 0)
        pending_end(pending);
}

static void act_on_listener(void)
{
    struct listening *listening = &listeners[dice_below(LISTENER_MOST)];
    if (listening->handle.id == 0) {
        listen_somewhere();
    } else if (dice_chance(60)) {
        SIM_CHECK(weir_close(listening->handle) == 0, "close failed");
        trace("a listener is closed", 0, 0, 0, 0);
        listening->handle = (weir_socket){0};
    } else if (dice_chance(100)) {
        int result = weir_setopts(listening->handle, WEIR_OPTIONS(WEIR_ACTIVE(first_active())));
        SIM_CHECK(result == 0 || model_lenient, "a listener's setopts gave %d", result);
    } else if (!listening->serves || dice_chance(50)) {
        accept_from(listening);
    }
}

static void act_on_connection(void)
{
    for (int tries = 0; tries < 8; tries++) {
        uint32_t index = dice_below(link_capacity < 64 ? link_capacity : 64);
        if (!links[index].used || model_conn(index)->handle.id == 0)
            continue;
        act_at_random(model_conn(index));
        return;
    }
}

void program_tick(void *unused)
{
    (void)unused;
    if (winding_down)
        return;
    uint32_t what = dice_below(10);
    if (what < 2)
        act_on_listener();
    else if (what < 3)
        connect_somewhere();
    else
        act_on_connection();
}

static void open_file(void)
{
    for (uint32_t i = 0; program_file_bytes[1] == 0 && i < PROGRAM_FILE_ROOM - 2; i += 2)
        memcpy(&program_file_bytes[PROGRAM_FILE_ROOM - 2 - i], &i, 2);
    program_file_bytes[1] = 1;
    file_fd = kernel_new_file(FILE_REGULAR);
    kernel_file(file_fd)->bytes = program_file_bytes;
    kernel_file(file_fd)->size = PROGRAM_FILE_SIZE;
}

void program_start(weir_runtime *runtime)
{
    the_runtime = runtime;
    winding_down = false;
    for (uint32_t i = 0; i < LISTENER_MOST; i++)
        listeners[i] = (struct listening){0};
    for (uint32_t i = 0; i < KEPT_MOST; i++)
        kept[i] = (weir_packet){0};
    open_file();
    listen_somewhere();
}

int program_file(void)
{
    return file_fd;
}

void program_wind_down(void)
{
    system_close(file_fd);
    winding_down = true;
    for (uint32_t i = 0; i < KEPT_MOST; i++)
        weir_packet_release(&kept[i]);
}

uint32_t program_listener(void)
{
    const struct listening *listening = &listeners[dice_below(LISTENER_MOST)];
    struct socket *socket =
        listening->handle.id ? socket_find(model_scheduler(), listening->handle) : NULL;
    return socket ? kernel_fd_index(socket->fd) : NO_LINK;
}
