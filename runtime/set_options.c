/* SPDX-License-Identifier: MIT */
#include "runtime/set_options.h"

#include <errno.h>

#include "base/error.h"
#include "runtime/accept.h"
#include "runtime/busy.h"
#include "runtime/delivery.h"
#include "runtime/owner.h"
#include "runtime/receive.h"
#include "runtime/scheduler.h"
#include "runtime/socket.h"

enum { ACTIVE_COUNT_MAX = 32767 };

static bool is_count(int32_t active)
{
    return active >= -ACTIVE_COUNT_MAX - 1 && active <= ACTIVE_COUNT_MAX;
}

/* N is added to a count that there is, and replaces any other mode. */
static int next_active(const struct socket *socket, int32_t wanted, int32_t *next)
{
    *next = wanted;
    if (is_count(wanted) && is_count(socket->active))
        *next = socket->active + wanted;
    if (is_count(wanted) && *next > ACTIVE_COUNT_MAX)
        return error_say(-EINVAL, "option active: more than %d messages", ACTIVE_COUNT_MAX);
    if (wanted != WEIR_ACTIVE_FALSE && owner_is_nobody(socket->owner))
        return error_say(-EINVAL, "option active: the socket has no owner to tell");
    return 0;
}

static int set_active(struct scheduler *scheduler, struct socket *socket, int32_t wanted)
{
    int32_t next;
    int result = next_active(socket, wanted, &next);
    if (result < 0)
        return result;
    socket->active = next;
    if (is_count(next) && next <= 0) {
        socket->active = WEIR_ACTIVE_FALSE;
        if (!socket->closed_told) /* nothing follows closed */
            owner_tell(scheduler, socket, WEIR_MESSAGE_PASSIVE, 0);
    }
    return 0;
}

/* A listener's is what its connections start with. */
static int set_template(struct socket *socket, int32_t wanted)
{
    int result = option_block_own(&socket->options);
    if (result == 0)
        socket->options->values.active = wanted;
    return result;
}

static int set_each_active(struct scheduler *scheduler, struct socket *socket,
                           const weir_option *options)
{
    int result = 0;
    for (; options->id != WEIR_OPTION_END && result == 0; options++) {
        int32_t wanted = (int32_t)options->value.number;
        if (options->id != WEIR_OPTION_ACTIVE)
            continue;
        result = socket->state == SOCKET_LISTENING ? set_template(socket, wanted)
                                                   : set_active(scheduler, socket, wanted);
    }
    return result;
}

/* That {buffer,_} was set on a listener is not inherited: the values are, and the mark goes with
 * the first change of a socket's own. */
static int own_values(struct socket *socket)
{
    bool inherited = socket->options->refs > 1 && socket->state != SOCKET_LISTENING;
    int result = option_block_own(&socket->options);
    if (result == 0 && inherited)
        socket->options->values.buffer_explicit = false;
    return result;
}

static int apply(struct socket *socket, const weir_option *options)
{
    int fd = socket->state == SOCKET_GONE ? -1 : socket->fd;
    if (options_touch_values(options) && own_values(socket) < 0)
        return error_say(-ENOMEM, "no memory for the socket's options");
    if (socket->state == SOCKET_LISTENING && options_touch_inherited(options) &&
        accept_note_options(socket, options) < 0)
        return error_say(-ENOMEM, "no memory for the listener's options");
    uint8_t packet = socket_values(socket)->packet;
    int result =
        options_apply(options, OPTION_SET_TCP, &socket->options->values, fd, socket->family);
    socket->bit8_seen = options_bit8_seen(options, socket->bit8_seen);
    if (packet != socket_values(socket)->packet) {
        framer_forget(&socket->framer);
        socket->needed = 0;
    }
    return result;
}

/* {active,once} by itself is what a handler says after every packet. */
static bool is_only_active(const weir_option *options)
{
    return options[0].id == WEIR_OPTION_ACTIVE && options[1].id == WEIR_OPTION_END;
}

int set_options(struct scheduler *scheduler, struct socket *socket, const weir_option *options)
{
    int result = is_only_active(options) ? 0 : apply(socket, options);
    if (result >= 0)
        result = set_each_active(scheduler, socket, options);
    if (socket->state == SOCKET_LISTENING || socket->delivering)
        return result;
    delivery_continue(scheduler, socket);
    return result;
}
