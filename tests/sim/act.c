/* SPDX-License-Identifier: MIT */
#include "sim/act.h"

#include <errno.h>
#include <string.h>

#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/busy.h"
#include "runtime/stream/output.h"
#include "runtime/stream/stream.h"
#include "sim/actor.h"
#include "sim/afar.h"
#include "sim/dice.h"
#include "sim/expect.h"
#include "sim/give.h"
#include "sim/kernel.h"
#include "sim/life.h"
#include "sim/link.h"
#include "sim/pending.h"
#include "sim/plan.h"
#include "sim/post.h"
#include "sim/process.h"
#include "sim/program.h"
#include "sim/proxy.h"
#include "sim/reach.h"
#include "sim/trace.h"
#include <weir/error.h>

static struct stream *live_socket(const struct conn *conn)
{
    return model_live_stream(conn->handle);
}

bool act_may_wait(void)
{
    return !scheduler_current() || process_current();
}

bool act_is_own(const struct conn *conn)
{
    return !act_may_wait() && conn->handle.id != 0 &&
           model_home(conn->handle) == scheduler_current();
}

weir_socket act_before_gone(const struct conn *conn)
{
    return act_is_own(conn) && live_socket(conn) && !life_is_gone(conn->handle) ? conn->handle
                                                                                : (weir_socket){0};
}

uint32_t act_some_owner(void)
{
    uint32_t box = process_owner() && dice_chance(700) ? process_owner() : 0;
    if (!box && dice_chance(program_style.shares ? 600 : 300)) /* for threads to give back */
        box = post_some_owner();
    return box ? box : dice_below(OWNER_COUNT);
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
    else if (option->id == WEIR_OPTION_IDLE_TIMEOUT)
        model_watch_idle(conn, option->value.number);
    else if (option->id == WEIR_OPTION_SEND_TIMEOUT_CLOSE)
        conn->may_lose |= option->value.number != 0;
}

/* What setting them does to a live socket. */
void act_foresee_options(struct conn *conn, const weir_option *options)
{
    const struct stream *socket = live_socket(conn);
    model_note_resumed(conn); /* under the packet type that there was */
    /* Looking for a header, even in vain, is remembered whatever comes after it. */
    if (socket && framing_is_http(stream_values(socket)->packet))
        conn->framer.http_header |= socket->http_header;
    for (const weir_option *o = options; socket && o->id != WEIR_OPTION_END; o++)
        foresee(conn, o);
}

static void set(struct conn *conn, const weir_option *options)
{
    struct stream *socket = live_socket(conn);
    uint32_t passives_due = conn->passives_due;
    act_foresee_options(conn, options);
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
    conn->idle_ms = 0; /* not known */
}

void act_set_active(struct conn *conn, int32_t active)
{
    set(conn, WEIR_OPTIONS(WEIR_ACTIVE(active)));
}

/* What is queued when it is closed is thrown away. */
void act_linger(struct conn *conn)
{
    set(conn, WEIR_OPTIONS(WEIR_LINGER(true, 0)));
}

int32_t act_some_active(void)
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

weir_option act_some_option(void)
{
    if (dice_chance(program_style.idle))
        return WEIR_IDLE_TIMEOUT(dice_chance(300) ? WEIR_INFINITY : (int64_t)dice_between(5, 40));
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
        act_set_active(conn, act_some_active());
    else if (dice_chance(300))
        set(conn,
            WEIR_OPTIONS(act_some_option(), act_some_option(), WEIR_ACTIVE(act_some_active())));
    else
        set(conn, WEIR_OPTIONS(act_some_option()));
}

void act_shutdown(struct conn *conn)
{
    struct stream *socket = live_socket(conn);
    enum weir_how how = (enum weir_how)dice_below(3);
    int result = weir_shutdown(conn->handle, how);
    trace("link %lld: shutdown %lld: %lld", model_link(conn), how, result, 0);
    SIM_CHECK(result == 0 || result == -ENOTCONN || (!socket && result == WEIR_CLOSED),
              "shutdown gave %s", weir_error_name(result));
}

void act_foresee_close(struct conn *conn)
{
    const struct stream *socket = live_socket(conn);
    if (!socket) {
        post_forget_closed(conn->handle);
        return;
    }
    conn->closed = true;
    if (socket->slot.fd >= 0 && kernel_file(socket->slot.fd)->linger_on)
        conn->may_lose = true;
    post_forget(conn->handle, conn->owner);
}

void act_close(struct conn *conn)
{
    trace("link %lld: close", model_link(conn), 0, 0, 0);
    act_foresee_close(conn);
    SIM_CHECK(weir_close(conn->handle) == 0, "close failed");
    SIM_CHECK(!live_socket(conn), "a closed handle is alive");
}

int act_foresee_owner(struct conn *conn, struct named_owner from, struct named_owner to)
{
    const struct stream *socket = live_socket(conn);
    if (!socket)
        return WEIR_CLOSED;
    if (post_is_named(&to, conn->owner, conn->forsaken, &socket->slot))
        return 0;
    if (!post_is_named(&from, conn->owner, conn->forsaken, &socket->slot))
        return WEIR_NOT_OWNER;
    if (!post_is_there(&to))
        return WEIR_BADARG;
    if (conn->forsaken)
        return WEIR_CLOSED; /* what its owner was told since is lost */
    if (conn->owner != to.number)
        post_hand_over(conn->handle, conn->owner, to.number);
    if (post_is_box(conn->owner) &&
        !(stream_is_live(socket) && socket->output && socket->output->refused))
        conn->owed_unbusy = false; /* a mailbox is not told */
    conn->owner = to.number;
    life_owned(conn->handle, to.number);
    return 0;
}

void act_change_owner(struct conn *conn)
{
    uint32_t next = act_some_owner();
    uint32_t from = dice_chance(100) ? dice_below(OWNER_COUNT) : conn->owner;
    int expected = act_foresee_owner(conn, post_name(from), post_name(next));
    int result = weir_controlling_process(conn->handle, act_owner(from), act_owner(next));
    trace("link %lld: from owner %lld to %lld: %lld", model_link(conn), from, next, result);
    SIM_CHECK(result == expected, "controlling_process gave %s, not %s", weir_error_name(result),
              weir_error_name(expected));
}

void act_ask(struct conn *conn)
{
    struct stream *socket = live_socket(conn);
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
    proxy_check_names(conn);
    result = weir_port(conn->handle);
    SIM_CHECK(socket ? result >= 0 || result == -EBADF : result == -EINVAL, "port gave %d", result);
    SIM_CHECK(weir_recv(conn->handle, 0, 0, &(weir_packet){0}) == -EDEADLK,
              "a call that waits was let wait on a scheduler");
}

/* Messages that it was handed over with are still to come: before any that this makes. */
static void act_while_handed(struct conn *conn)
{
    const int32_t modes[] = {WEIR_ACTIVE_TRUE, WEIR_ACTIVE_ONCE,
                             model_lenient ? WEIR_ACTIVE_FALSE : 0};
    switch (dice_below(4)) {
    case 0:
        act_close(conn);
        break;
    case 1:
        act_change_owner(conn);
        break;
    case 2:
        act_send(conn);
        break;
    default:
        act_set_active(conn, modes[dice_below(3)]);
        break;
    }
}

static uint32_t under_way[ACTOR_MOST];

bool act_is_under_way(void)
{
    return under_way[actor_current()] > 0;
}

void act_begin(void)
{
    under_way[actor_current()]++;
}

void act_end(void)
{
    under_way[actor_current()]--;
}

static bool may_give(const struct conn *conn)
{
    return act_may_wait() || (act_is_own(conn) && post_handed_count(conn->handle) == 0);
}

static void act(struct conn *conn)
{
    if (dice_chance(program_style.giving) && may_give(conn)) {
        give_connection(conn);
        return;
    }
    if (!act_is_own(conn)) {
        afar_at_random(conn);
        return;
    }
    if (post_handed_count(conn->handle) > 0) {
        act_while_handed(conn);
        return;
    }
    if (dice_chance(program_style.close)) {
        act_close(conn);
        return;
    }
    if (dice_chance(program_style.options)) {
        act_set_options(conn);
        return;
    }
    if (links[model_link(conn)].local && dice_chance(300)) {
        act_local(conn);
        return;
    }
    static void (*const acts[])(struct conn *) = {
        act_send,    act_send,    act_send_file, act_send_async,   act_send_async,
        act_receive, act_receive, act_ask,       act_change_owner, act_shutdown,
    };
    acts[dice_below(dice_chance(300) ? 10 : 8)](conn);
}

static void act_reach(struct conn *conn)
{
    if (dice_chance(500))
        reach_run_for(conn);
    else if (act_is_own(conn) || act_may_wait())
        reach_cancel(conn);
}

void act_at_random(struct conn *conn)
{
    if (conn->handle.id == 0 || conn->forsaken)
        return;
    if (dice_chance(program_style.reach)) {
        act_reach(conn);
        return;
    }
    if (process_current()) { /* others go on while it waits */
        act(conn);
        return;
    }
    act_begin();
    act(conn);
    act_end();
}
