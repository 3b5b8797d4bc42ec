/* SPDX-License-Identifier: MIT */
/* What the program does to one of its sockets. */
#ifndef SIM_ACT_H
#define SIM_ACT_H

#include "sim/model.h"
#include "sim/post.h"

enum { OWNER_COUNT = 4 };

weir_owner act_owner(uint32_t owner);

void act_send(struct conn *conn);
void act_send_packet(struct conn *conn, const weir_packet *packet);
void act_send_file(struct conn *conn);
/* Memory that weir has and has not given back. */
uint32_t act_lent_count(void);
void act_send_async(struct conn *conn);
void act_receive(struct conn *conn);
void act_set_options(struct conn *conn);
void act_set_active(struct conn *conn, int32_t active);
void act_shutdown(struct conn *conn);
void act_linger(struct conn *conn);
void act_close(struct conn *conn);
void act_change_owner(struct conn *conn);
void act_ask(struct conn *conn);
/* With a few descriptors. */
void act_send_rights(struct conn *conn);
/* What only a local one can. */
void act_local(struct conn *conn);

/* A handler or a mailbox. */
uint32_t act_some_owner(void);

/* Whether the caller may wait: a thread, or a process. */
bool act_may_wait(void);

/* Whether the socket is of the scheduler that this is done on, by a callback. */
bool act_is_own(const struct conn *conn);

/* The socket whose end a call that is made on it now must not outlive; none if it has gone, or is
 * elsewhere. */
weir_socket act_before_gone(const struct conn *conn);

/* Parts of them, for calls from elsewhere: what is to be sent, what the model must know when they
 * are run, and how they call back. */
struct pending;
uint8_t *act_make_bytes(struct conn *conn, size_t size);
size_t act_send_size(void);
int act_send_in_some_form(struct conn *conn, const uint8_t *bytes, size_t size);
weir_option act_some_option(void);
int32_t act_some_active(void);
void act_suspend(struct conn *conn, struct pending *pending);
void act_forget_suspended(struct conn *conn, const struct pending *pending);
struct pending *act_begin_receive(const struct conn *conn);
void act_foresee_receive(struct conn *conn, struct pending *pending, uint64_t now_ns);
void act_foresee_options(struct conn *conn, const weir_option *options);
void act_foresee_close(struct conn *conn);
int act_foresee_owner(struct conn *conn, struct named_owner from, struct named_owner to);
void act_sent(weir_socket handle, int result, void *data);
void act_taken(struct conn *conn, struct pending *pending, const weir_packet *packet);
/* Of what a packet says. */
uint64_t act_sum_of(const weir_packet *packet);
void act_received(weir_socket handle, int result, const weir_packet *packet, void *data);

/* One of them, by the style. */
void act_at_random(struct conn *conn);
/* Whether this is under one of them, or of what else begins and ends one. */
void act_begin(void);
void act_end(void);
bool act_is_under_way(void);

#endif
