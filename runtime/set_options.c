/* SPDX-License-Identifier: MIT */
#include "runtime/set_options.h"

#include <errno.h>

#include "base/error.h"
#include "runtime/listener/accept.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/socket.h"
#include "runtime/stream/busy.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/receive.h"

enum { ACTIVE_COUNT_MAX = 32767 };

static bool is_count(int32_t active)
{
    return active >= -ACTIVE_COUNT_MAX - 1 && active <= ACTIVE_COUNT_MAX;
}

/* N is added to a count that there is, and replaces any other mode. */
static int next_active(int32_t present, int32_t wanted, int32_t *next)
{
    *next = is_count(wanted) && is_count(present) ? present + wanted : wanted;
    if (is_count(wanted) && *next > ACTIVE_COUNT_MAX)
        return error_say(-EINVAL, "option active: more than %d messages", ACTIVE_COUNT_MAX);
    return 0;
}

/* The sum of two counts may lie below the range of one. */
static bool is_spent(int32_t active)
{
    return active <= 0;
}

static int set_active(struct scheduler *scheduler, struct socket *socket, int32_t wanted)
{
    int32_t next;
    int result = next_active(socket->active, wanted, &next);
    if (result < 0)
        return result;
    if (wanted != WEIR_ACTIVE_FALSE && owner_is_nobody(socket->owner))
        return error_say(-EINVAL, "option active: the socket has no owner to tell");
    socket->latches &= (uint8_t)~LATCH_UNASKED;
    socket->active = is_spent(next) ? WEIR_ACTIVE_FALSE : next;
    if (is_spent(next) && !socket->closed_told) /* nothing follows closed */
        owner_tell(scheduler, socket, WEIR_MESSAGE_PASSIVE, 0);
    return 0;
}

/* That {buffer,_} was set on a listener is not inherited: the values are, and the mark goes with
 * the first change of a socket's own. */
static int own_values(struct socket *socket)
{
    if (option_block_own(&socket->options) < 0)
        return error_say(-ENOMEM, "no memory for the socket's options");
    if (socket->options_inherited)
        socket->options->values.buffer_explicit = false;
    socket->options_inherited = false;
    return 0;
}

/* A listener's is what its connections start with. */
static int set_template(struct socket *socket, int32_t wanted)
{
    int32_t next;
    int result = next_active(socket_values(socket)->active, wanted, &next);
    if (result == 0)
        result = own_values(socket);
    if (result == 0)
        socket->options->values.active = is_spent(next) ? WEIR_ACTIVE_FALSE : next;
    return result;
}

static int apply(struct scheduler *scheduler, struct socket *socket, const weir_option *option)
{
    const weir_option alone[] = {*option, {.id = WEIR_OPTION_END}};
    bool listening = socket->state == SOCKET_LISTENING;
    int fd = socket->state == SOCKET_GONE ? -1 : socket->fd;
    int result = options_touch_values(alone) ? own_values(socket) : 0;
    if (result == 0)
        result = options_apply(alone, OPTION_SET_TCP, &socket->options->values, fd, socket->family);
    if (result == 0)
        socket->bit8_seen = options_bit8_seen(alone, socket->bit8_seen);
    if (result == 0 && listening && options_touch_inherited(alone))
        result = accept_note_options(scheduler, socket, alone);
    return result;
}

static int set_one(struct scheduler *scheduler, struct socket *socket, const weir_option *option)
{
    if (option->id != WEIR_OPTION_ACTIVE)
        return apply(scheduler, socket, option);
    int32_t wanted = (int32_t)option->value.number;
    return socket->state == SOCKET_LISTENING ? set_template(socket, wanted)
                                             : set_active(scheduler, socket, wanted);
}

/* Front to back, up to the first that fails. An owner that is told it is passive may close. */
static int set_all(struct scheduler *scheduler, struct socket *socket, const weir_option *options)
{
    uint8_t packet = socket_values(socket)->packet;
    uint8_t delimiter = socket_values(socket)->line_delimiter;
    int result = 0;
    for (; options->id != WEIR_OPTION_END && result == 0; options++)
        result = socket->state == SOCKET_CLOSED ? -EINVAL : set_one(scheduler, socket, options);
    if (packet != socket_values(socket)->packet ||
        delimiter != socket_values(socket)->line_delimiter) {
        framer_forget(&socket->framer);
        socket->needed = 0;
    }
    return result;
}

/* {active,once} by itself is what a handler says after every packet. */
static bool is_only_active(const struct socket *socket, const weir_option *options)
{
    return options[0].id == WEIR_OPTION_ACTIVE && options[1].id == WEIR_OPTION_END &&
           socket->state != SOCKET_LISTENING;
}

int set_options(struct scheduler *scheduler, struct socket *socket, const weir_option *options)
{
    int result = is_only_active(socket, options)
                     ? set_active(scheduler, socket, (int32_t)options->value.number)
                     : set_all(scheduler, socket, options);
    if (socket->state != SOCKET_LISTENING && !socket->delivering)
        delivery_continue(scheduler, socket);
    return result;
}
