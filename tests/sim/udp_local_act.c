/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "runtime/datagram/datagram.h"
#include "runtime/datagram/outbox.h"
#include "sim/dice.h"
#include "sim/expect.h"
#include "sim/model.h"
#include "sim/pending.h"
#include "sim/trace.h"
#include "sim/udp.h"
#include "sim/udp_act.h"
#include "sim/udp_local.h"
#include "sim/udp_wait.h"
#include <weir/error.h>

enum { BURST_MOST = 8, DISTINCT_BYTES = 8 };

static struct udp_sending some_sending(const struct udp_view *view, uint32_t first, uint32_t last)
{
    struct udp_sending sending = {.peer = dice_between(first, last), .size = dice_size(2000)};
    sending.connected = dice_chance(udp_is_connected(view) ? 500 : 30);
    if (sending.connected)
        sending.peer = UDP_PEER_COUNT;
    sending.expected = sending.connected && !udp_is_connected(view) ? -EINVAL : 0;
    return sending;
}

/* Lives until the next. */
static weir_local_message message_of(const struct udp_sending *sending, const uint8_t *bytes)
{
    static weir_local_address to;
    if (!sending->connected)
        to = udp_local_address(sending->peer);
    return (weir_local_message){
        .bytes = bytes, .size = sending->size, .to = sending->connected ? NULL : &to};
}

/* NULL `packet`: bytes of their own. */
static void send_now(struct udp_view *view, const struct udp_sending *sending,
                     const weir_packet *packet)
{
    const uint8_t *bytes =
        packet ? packet->bytes - packet->header_size : udp_make_bytes(sending->size);
    bool busy = udp_is_busy(view);
    if (!bytes || !udp_has_room(view))
        return;
    const weir_local_message message = message_of(sending, bytes);
    int expected = udp_foresee_send(view, sending);
    int result =
        packet ? weir_send_packet(view->handle, packet) : weir_local_send(view->handle, &message);
    trace("udp %lld: local send of %lld bytes to peer %lld: %lld", udp_model_index(view),
          sending->size, sending->peer, result);
    if (expected == 0 && busy)
        expected = -EAGAIN;
    SIM_CHECK(result == expected || (result == -ENOMEM && model_lenient), "a send gave %s, not %s",
              weir_error_name(result), weir_error_name(expected));
    if (result == -EAGAIN && busy)
        view->owed_unbusy = true;
    if (result == 0)
        udp_note_letter(view, sending, bytes, NULL);
}

void udp_local_send(struct udp_view *view)
{
    const struct udp_sending sending = some_sending(view, 1, UDP_SPEAKER_COUNT - 1);
    for (uint32_t count = dice_size(BURST_MOST); count > 0; count--)
        send_now(view, &sending, NULL);
}

/* Who has no name cannot be answered. */
void udp_local_answer(struct udp_view *view, const weir_packet *packet)
{
    struct udp_sending sending = {.size = (uint32_t)expect_whole_size(packet)};
    while (!udp_local_is_from(packet->datagram, sending.peer))
        sending.peer++;
    sending.expected = sending.peer == 0 ? -EINVAL : 0;
    send_now(view, &sending, packet);
}

void udp_local_send_async(struct udp_view *view)
{
    struct udp_sending sending = some_sending(view, UDP_SPEAKER_COUNT, UDP_NAMED - 1);
    sending.size += DISTINCT_BYTES;
    const uint8_t *bytes;
    struct pending *pending = udp_begin_send(view, &sending, &bytes);
    if (!pending)
        return;
    const weir_local_message message = message_of(&sending, bytes);
    int result = weir_local_send_async(view->handle, &message, udp_act_sent, pending);
    trace("udp %lld: local send_async of %lld bytes, call %lld: %lld", udp_model_index(view),
          sending.size, pending_index(pending), result);
    udp_send_returned(pending, result);
}
