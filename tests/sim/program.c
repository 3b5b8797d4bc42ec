/* SPDX-License-Identifier: MIT */
#include "sim/program.h"
#include <errno.h>
#include <string.h>

#include "base/system.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/stream.h"
#include "sim/act.h"
#include "sim/act_look_up.h"
#include "sim/afar.h"
#include "sim/alarms.h"
#include "sim/dice.h"
#include "sim/errand.h"
#include "sim/expect.h"
#include "sim/kept.h"
#include "sim/kernel.h"
#include "sim/life.h"
#include "sim/link.h"
#include "sim/listening.h"
#include "sim/local.h"
#include "sim/options.h"
#include "sim/peer.h"
#include "sim/pending.h"
#include "sim/plan.h"
#include "sim/post.h"
#include "sim/process.h"
#include "sim/proxy.h"
#include "sim/slow.h"
#include "sim/thread.h"
#include "sim/trace.h"
#include "sim/turns.h"
#include "sim/udp_act.h"
#include <weir/error.h>

struct program_style program_style;

static weir_runtime *the_runtime;
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
    slow_maybe();
    life_check(socket, "a message");
    struct conn *conn = model_find(socket, owner_of(data));
    SIM_CHECK(conn, "a message of a socket that nobody knows: %llx", (unsigned long long)socket.id);
    SIM_CHECK(conn->owner == owner_of(data), "a message for owner %u came to %u", conn->owner,
              owner_of(data));
    return conn;
}

/* A message that waited in the mailbox that it was handed over from: it was checked there. */
static bool is_handed(struct conn *conn, weir_socket socket, enum weir_message_kind kind, int error,
                      const weir_packet *packet)
{
    weir_message message = {.kind = kind, .socket = socket, .error = error};
    if (packet)
        message.packet = *packet;
    if (!post_is_handed(socket, &message))
        return false;
    trace("link %lld: kind %lld is handed over", model_link(conn), kind, 0, 0);
    SIM_CHECK(!conn->closed, "a message is handed over after the application closed");
    if (dice_chance(300) && !winding_down)
        act_at_random(conn);
    return true;
}

/* One of those whose handle is known, or was; NULL: none was found. */
static struct conn *some_conn(bool own)
{
    for (int tries = 0; tries < 8; tries++) {
        uint32_t index = dice_below(link_capacity < 64 ? link_capacity : 64);
        struct conn *conn = model_conn(index);
        if (links[index].used && conn->handle.id != 0 && act_is_own(conn) == own)
            return conn;
    }
    return NULL;
}

static void maybe_act(struct conn *conn)
{
    if (!dice_chance(program_style.act) || winding_down)
        return;
    struct conn *other = dice_chance(200) ? some_conn(true) : NULL;
    act_at_random(other ? other : conn);
}

static void on_accepted(weir_socket socket, void *data)
{
    struct conn *conn = conn_of(socket, data);
    if (is_handed(conn, socket, WEIR_MESSAGE_ACCEPTED, 0, NULL))
        return;
    trace("link %lld: accepted", model_link(conn), 0, 0, 0);
    conn->accepting = true;
    proxy_check_names(conn);
    maybe_act(conn);
    model_message_accepted(conn);
}

/* Whatever type of packet it has, and whether this is its last callback or not. */
static void forward_here(const weir_packet *packet)
{
    struct conn *conn = some_conn(true);
    if (conn && !conn->forsaken && post_handed_count(conn->handle) == 0)
        act_send_packet(conn, packet);
}

static void forward(const weir_packet *packet)
{
    struct conn *conn = some_conn(false);
    if (conn && model_home(conn->handle) && !conn->forsaken)
        afar_forward(conn, packet);
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct conn *conn = conn_of(socket, data);
    if (is_handed(conn, socket, WEIR_MESSAGE_DATA, 0, packet))
        return;
    trace("link %lld: packet of %lld bytes at %lld", model_link(conn), (int64_t)packet->size,
          conn->cursor, 0);
    model_message_packet(conn, packet);
    if (winding_down)
        return;
    if (dice_chance(50))
        kept_add(packet);
    if (dice_chance(program_style.echo))
        act_send_packet(conn, packet);
    if (dice_chance(program_style.forward))
        forward_here(packet);
    if (dice_chance(program_style.afar))
        forward(packet);
    if (conn->active == WEIR_ACTIVE_FALSE && dice_chance(600))
        act_set_active(conn, WEIR_ACTIVE_ONCE);
    maybe_act(conn);
}

static void on_passive(weir_socket socket, void *data)
{
    struct conn *conn = conn_of(socket, data);
    if (is_handed(conn, socket, WEIR_MESSAGE_PASSIVE, 0, NULL))
        return;
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
    if (is_handed(conn, socket, WEIR_MESSAGE_ERROR, error, NULL))
        return;
    trace("link %lld: error %lld", model_link(conn), error, 0, 0);
    model_message_error(conn, error);
    maybe_act(conn);
}

static void on_closed(weir_socket socket, void *data)
{
    struct conn *conn = conn_of(socket, data);
    if (is_handed(conn, socket, WEIR_MESSAGE_CLOSED, 0, NULL))
        return;
    trace("link %lld: closed", model_link(conn), 0, 0, 0);
    model_message_closed(conn);
    maybe_act(conn);
}

static void on_gone(weir_socket socket, void *data)
{
    slow_maybe();
    trace("%llx of owner %lld is gone", (int64_t)socket.id, owner_of(data), 0, 0);
    SIM_CHECK(!act_is_under_way(), "gone comes under a call");
    SIM_CHECK(post_handed_count(socket) == 0, "gone, and messages were not handed over");
    life_gone(socket, owner_of(data));
    struct conn *other = some_conn(true);
    if (other)
        maybe_act(other);
}

static const weir_handler handlers[] = {
    {.accepted = on_accepted,
     .packet = on_packet,
     .passive = on_passive,
     .unbusy = on_unbusy,
     .error = on_error,
     .closed = on_closed,
     .gone = on_gone},
    {.accepted = on_accepted,
     .packet = on_packet,
     .passive = on_passive,
     .unbusy = on_unbusy,
     .error = on_error,
     .closed = on_closed},
};

weir_owner act_owner(uint32_t owner)
{
    return post_is_box(owner) ? post_owner(owner)
                              : weir_handled_by(&handlers[!life_is_told(owner)], &owners[owner]);
}

static void opened(weir_socket socket, int result, void *data)
{
    struct pending *pending = data;
    enum pending_kind kind = (enum pending_kind)pending->kind;
    pending_called(pending, kind, result);
    uint32_t owner = pending->owner;
    bool here = pending->away == 0 && model_home(socket) == scheduler_current();
    pending_end(pending);
    if (result < 0)
        return;
    if (here)
        life_check(socket, "the call that opened it calls back");
    struct conn *conn = model_find(socket, owner);
    if (!conn)
        return; /* closed by a message that came first */
    trace("link %lld: opened, kind %lld", model_link(conn), kind, 0, 0);
    maybe_act(conn);
}

static bool is_alone(void)
{
    return weir_scheduler_count(the_runtime) == 1;
}

static bool is_own(weir_socket handle)
{
    return model_home(handle) == scheduler_current();
}

struct server {
    const char *host;
    uint16_t port;
};

static struct server server_of(uint16_t port)
{
    return dice_chance(program_style.local) ? (struct server){local_server(port), 0}
                                            : (struct server){"127.0.0.1", port};
}

static void connect_somewhere(void)
{
    struct pending *pending = pending_begin(PENDING_CONNECT);
    if (!pending)
        return;
    uint16_t port = (uint16_t)(dice_chance(700) ? PORT_ACCEPTS : dice_between(1, PORT_COUNT - 1));
    int64_t timeout_ms = dice_chance(500) ? WEIR_INFINITY : (int64_t)dice_below(20);
    pending->owner = act_some_owner();
    if (timeout_ms >= 0)
        pending->deadline_ns = kernel.now_ns + (uint64_t)timeout_ms * 1000000u;
    const struct server server = server_of(port);
    int result = weir_tcp_connect_async(the_runtime, server.host, server.port, options_some(),
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
    pending->owner = act_some_owner();
    pending->away = !is_own(listening->handle);
    pending->refused = listening->serves && model_live(listening->handle);
    pending->expected = -EINVAL; /* others are not known to be alive when it gets there */
    if (listening->serves && !is_own(listening->handle)) {
        pending_end(pending);
        return;
    }
    if (timeout_ms >= 0)
        pending->deadline_ns = kernel.now_ns + (uint64_t)timeout_ms * 1000000u;
    int result = weir_tcp_accept_async(listening->handle, act_owner(pending->owner), timeout_ms,
                                       opened, pending);
    trace("accept_async, call %lld: %lld", pending_index(pending), result, 0, 0);
    pending->returned = true;
    if (result != 0)
        pending_end(pending);
}

/* What a thread's accept or connect gave. A stop may have ended its scheduler meanwhile. */
static void check_opened(weir_socket socket, int result, uint32_t owner, uint64_t deadline_ns)
{
    trace("a thread opened a socket: %lld", result, 0, 0, 0);
    SIM_CHECK(result != WEIR_TIMEOUT || kernel.now_ns >= deadline_ns, "a time-out too early");
    process_waited(result);
    if (result == 0 && model_home(socket))
        (void)model_find(socket, owner);
}

static uint64_t deadline_after(int64_t timeout_ms)
{
    return timeout_ms < 0 ? 0 : kernel.now_ns + (uint64_t)timeout_ms * 1000000u;
}

static void accept_and_wait(weir_socket listener)
{
    weir_socket socket = {0};
    uint32_t owner = act_some_owner();
    int64_t timeout_ms = (int64_t)dice_below(40);
    uint64_t deadline_ns = deadline_after(timeout_ms);
    int result = weir_tcp_accept(listener, act_owner(owner), timeout_ms, &socket);
    check_opened(socket, result, owner, deadline_ns);
}

void program_connect_and_wait(void)
{
    weir_socket socket = {0};
    uint32_t owner = act_some_owner();
    uint16_t port = (uint16_t)(dice_chance(700) ? PORT_ACCEPTS : dice_between(1, PORT_COUNT - 1));
    int64_t timeout_ms = (int64_t)dice_below(20);
    uint64_t deadline_ns = deadline_after(timeout_ms);
    const struct server server = server_of(port);
    int result = weir_tcp_connect(the_runtime, server.host, server.port, options_some(),
                                  act_owner(owner), timeout_ms, &socket);
    check_opened(socket, result, owner, deadline_ns);
}

void program_act_on_timers(void)
{
    alarms_act(the_runtime);
}

void program_look_up_and_wait(void)
{
    if (dice_chance(800))
        act_look_up_and_wait(the_runtime);
    else
        act_load_and_wait(the_runtime);
}

void program_act_on_listener(void)
{
    struct listening *listening = listening_some();
    if (listening->handle.id == 0)
        listening_open_some();
    else if (dice_chance(60))
        listening_close(listening);
    else if (dice_chance(100))
        listening_set(listening);
    else if (!act_may_wait() && (!listening->serves || dice_chance(50)))
        accept_from(listening);
    else if (act_may_wait() && !listening->serves)
        accept_and_wait(listening->handle);
}

static void send_to_another(void)
{
    struct conn *conn = some_conn(true);
    if (conn && !conn->forsaken && post_handed_count(conn->handle) == 0)
        act_send(conn);
}

/* A queue is thrown away that is to be flushed with others. What is called meanwhile may have
 * closed the connection, and another have its place. */
static void reset_among_others(struct conn *conn)
{
    const weir_socket handle = conn->handle;
    if (conn->forsaken || post_handed_count(handle) > 0)
        return;
    act_linger(conn);
    send_to_another();
    if (weir_same_socket(conn->handle, handle))
        act_send(conn);
    send_to_another();
    if (weir_same_socket(conn->handle, handle))
        act_close(conn);
    send_to_another();
}

void program_act_on_connection(void)
{
    struct conn *conn = some_conn(!act_may_wait() && !dice_chance(program_style.afar));
    if (conn && act_is_own(conn) && dice_chance(20))
        reset_among_others(conn);
    else if (conn)
        act_at_random(conn);
}

void program_act_on_datagrams(void)
{
    udp_act(the_runtime);
}

void program_read_mail(uint32_t most)
{
    weir_message message;
    if (most > 0 && most < UINT32_MAX)
        most += post_waiting_count() / 8; /* not to be flooded */
    for (uint32_t i = 0; i < most && post_receive(&message); i++)
        if (message.kind == WEIR_MESSAGE_DATA)
            kept_take(&message.packet);
}

/* To another scheduler, or to this one. */
static void post_to(uint32_t number)
{
    int result = weir_run_on(the_runtime, number, program_tick, NULL);
    SIM_CHECK(result == 0 || (model_stopping && result == WEIR_CLOSED) ||
                  (model_lenient && result == -ENOMEM),
              "run_on gave %s", weir_error_name(result));
}

void program_tick(void *unused)
{
    (void)unused;
    turns_count_work();
    slow_maybe();
    if (turns_insist())
        post_to(scheduler_current()->number);
    if (dice_chance(program_style.afar / 2))
        post_to(dice_below(weir_scheduler_count(the_runtime)));
    if (winding_down)
        return;
    if (dice_chance(program_style.look_up))
        act_look_up(the_runtime);
    if (dice_chance(program_style.udp))
        udp_act(the_runtime);
    process_maybe_spawn(the_runtime);
    if (dice_chance(program_style.timers))
        alarms_act(the_runtime);
    uint32_t what = dice_below(10);
    program_read_mail(dice_below(3));
    if (what < 2)
        program_act_on_listener();
    else if (what < 3)
        connect_somewhere();
    else
        program_act_on_connection();
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

void program_start(weir_runtime *runtime, uint32_t ticks_most)
{
    the_runtime = runtime;
    winding_down = false;
    listening_reset(runtime);
    kept_reset();
    errand_reset();
    afar_reset();
    post_start(program_style.mailboxes);
    open_file();
    listening_open_some();
    for (uint32_t i = 0; i < program_style.threads && ticks_most > 0; i++)
        thread_start(dice_between(1, ticks_most < 100 ? ticks_most : 100));
}

int program_file(void)
{
    return file_fd;
}

void program_wind_down(bool gives_back)
{
    winding_down = true;
    if (gives_back)
        kept_release_all();
}

bool program_winds_down(void)
{
    return winding_down;
}

bool program_may_hold_packets(void)
{
    return kept_any() || program_style.mailboxes > 0 || program_style.threads > 0 || !is_alone();
}

void program_end(void)
{
    program_read_mail(UINT32_MAX);
    post_end();
    kept_release_all();
    system_close(file_fd);
}
