/* SPDX-License-Identifier: MIT */
/* What owners of UDP sockets are told, and what they do then. */
#include "sim/udp_told.h"

#include "sim/act.h"
#include "sim/dice.h"
#include "sim/kept.h"
#include "sim/life.h"
#include "sim/post.h"
#include "sim/program.h"
#include "sim/slow.h"
#include "sim/trace.h"
#include "sim/udp_act.h"

static uint8_t owners[OWNER_COUNT];

static uint32_t owner_of(const void *data)
{
    return (uint32_t)((const uint8_t *)data - owners);
}

static void maybe_act(struct udp_view *view)
{
    if (!dice_chance(program_style.act) || program_winds_down())
        return;
    if (dice_chance(100))
        program_act_on_connection();
    else
        udp_act_at_random(view);
}

/* The socket that a callback is for; NULL: it is told what waited in the mailbox that it was handed
 * over from, where it was checked. */
static struct udp_view *view_of(const weir_message *message, void *data)
{
    slow_maybe();
    life_check(message->socket, "a message");
    struct udp_view *view = udp_model_find(message->socket, owner_of(data));
    SIM_CHECK(view, "a message of a socket that nobody knows");
    SIM_CHECK(view->owner == owner_of(data), "a message for owner %u came to %u", view->owner,
              owner_of(data));
    trace("udp %lld: kind %lld is told", udp_model_index(view), message->kind, 0, 0);
    if (!post_is_handed(message->socket, message))
        return view;
    SIM_CHECK(!view->closed, "a message is handed over after the application closed");
    maybe_act(view);
    return NULL;
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct udp_view *view = view_of(
        &(weir_message){.kind = WEIR_MESSAGE_DATA, .socket = socket, .packet = *packet}, data);
    if (!view)
        return;
    udp_model_packet(view, packet);
    if (program_winds_down())
        return;
    if (dice_chance(50))
        kept_add(packet);
    if (dice_chance(program_style.echo))
        udp_act_answer(view, packet);
    if (view->active == WEIR_ACTIVE_FALSE && dice_chance(600))
        udp_act_set_active(view, WEIR_ACTIVE_ONCE);
    maybe_act(view);
}

static void on_passive(weir_socket socket, void *data)
{
    struct udp_view *view =
        view_of(&(weir_message){.kind = WEIR_MESSAGE_PASSIVE, .socket = socket}, data);
    if (!view)
        return;
    udp_model_passive(view);
    if (dice_chance(500) && !program_winds_down() && view->active == WEIR_ACTIVE_FALSE)
        udp_act_set_active(view, (int32_t)dice_between(1, 4));
    maybe_act(view);
}

static void on_error(weir_socket socket, int error, void *data)
{
    struct udp_view *view = view_of(
        &(weir_message){.kind = WEIR_MESSAGE_ERROR, .socket = socket, .error = error}, data);
    if (!view)
        return;
    udp_model_error(view, error);
    maybe_act(view);
}

static void on_closed(weir_socket socket, void *data)
{
    struct udp_view *view =
        view_of(&(weir_message){.kind = WEIR_MESSAGE_CLOSED, .socket = socket}, data);
    if (view)
        udp_model_told_closed(view);
}

/* Never waits in a mailbox. */
static void on_unbusy(weir_socket socket, void *data)
{
    struct udp_view *view = udp_model_find(socket, owner_of(data));
    SIM_CHECK(view && view->owner == owner_of(data), "unbusy comes to owner %u", owner_of(data));
    trace("udp %lld: unbusy", udp_model_index(view), 0, 0, 0);
    slow_maybe();
    udp_model_unbusy(view);
    if (dice_chance(700) && !program_winds_down())
        udp_act_send(view);
    maybe_act(view);
}

static void on_gone(weir_socket socket, void *data)
{
    slow_maybe();
    SIM_CHECK(!act_is_under_way(), "gone comes under a call");
    SIM_CHECK(post_handed_count(socket) == 0, "gone, and messages were not handed over");
    life_gone(socket, owner_of(data));
}

static const weir_handler handlers[] = {
    {.packet = on_packet,
     .passive = on_passive,
     .unbusy = on_unbusy,
     .error = on_error,
     .closed = on_closed,
     .gone = on_gone},
    {.packet = on_packet,
     .passive = on_passive,
     .unbusy = on_unbusy,
     .error = on_error,
     .closed = on_closed},
};

weir_owner udp_owner(uint32_t owner)
{
    return post_is_box(owner) ? post_owner(owner)
                              : weir_handled_by(&handlers[!life_is_told(owner)], &owners[owner]);
}
