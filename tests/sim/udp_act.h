/* SPDX-License-Identifier: MIT */
/* What the program does with UDP sockets: on their scheduler, from others and from threads. */
#ifndef SIM_UDP_ACT_H
#define SIM_UDP_ACT_H

#include "sim/post.h"
#include "sim/udp_model.h"

/* Opens one, or does something to one that is there. */
void udp_act(weir_runtime *runtime);

/* On its own scheduler: one of the acts; the next datagram; an answer to one. */
void udp_act_at_random(struct udp_view *view);
void udp_act_set_active(struct udp_view *view, int32_t active);
void udp_act_send(struct udp_view *view);
void udp_act_answer(struct udp_view *view, const weir_packet *packet);

/* Parts of them, for calls from elsewhere: what a call is to be answered with, and what the model
 * must know when it is run. */
struct udp_sending {
    weir_address to;
    bool connected; /* it goes there, not to `to` */
    uint32_t size;
    uint32_t peer;
    int expected;
};
void udp_choose_call(const struct udp_view *view, struct udp_sending *sending);
/* NULL: the run has sent enough. */
const uint8_t *udp_make_bytes(uint32_t size);
bool udp_has_room(const struct udp_view *view);
int udp_foresee_send(struct udp_view *view, const struct udp_sending *sending);
/* It is accepted, or waits to be. */
void udp_note_letter(struct udp_view *view, const struct udp_sending *sending, const uint8_t *bytes,
                     const struct pending *pending);
void udp_foresee_receive(struct udp_view *view, struct pending *pending);
void udp_foresee_options(struct udp_view *view, const weir_option *options);
void udp_foresee_close(struct udp_view *view);
int udp_foresee_owner(struct udp_view *view, struct named_owner from, struct named_owner to);
weir_option udp_act_some_option(void);
struct pending *udp_begin(struct udp_view *view, uint8_t kind);
/* An _async send: before it, NULL when there is to be none, and with what it returned. */
struct pending *udp_begin_send(struct udp_view *view, const struct udp_sending *sending,
                               const uint8_t **bytes);
void udp_send_returned(struct pending *pending, int result);
void udp_act_sent(weir_socket handle, int result, void *data);
void udp_act_received(weir_socket handle, int result, const weir_packet *packet, void *data);

/* Whether it is of the scheduler that this is done on. */
bool udp_act_is_own(const struct udp_view *view);

/* From another scheduler or a thread. */
void udp_afar_at_random(struct udp_view *view);

#endif
