/* SPDX-License-Identifier: MIT */
/* The program's mailboxes, and what must lie in them: what is put in is checked against the model
 * at once, and compared when it is taken out or handed over. */
#ifndef SIM_POST_H
#define SIM_POST_H

#include <stdbool.h>
#include <stdint.h>
#include <weir/mailbox.h>

struct slot;

enum { POST_FIRST_OWNER = 16, POST_BOXES_MOST = 8, POST_PROCESSES_MOST = 12 };

void post_start(uint32_t count);
void post_end(void);

/* Owners from POST_FIRST_OWNER on are mailboxes. */
static inline bool post_is_box(uint32_t owner)
{
    return owner >= POST_FIRST_OWNER;
}
bool post_is_alive(uint32_t owner);
weir_owner post_owner(uint32_t owner);
/* One that is alive; 0: there is none. */
uint32_t post_some_owner(void);

/* An owner as it was named: after a process's end another may have its number. */
struct named_owner {
    uint32_t number;
    const weir_mailbox *mailbox; /* NULL: a handler */
};
struct named_owner post_name(uint32_t owner);
/* Whether a socket of that owner is its own; `forsaken`: of one who had the number before. A
 * mailbox is its address, which another may have when it is gone. */
bool post_is_named(const struct named_owner *named, uint32_t owner, bool forsaken,
                   const struct slot *slot);
/* Whether it can be given any. */
bool post_is_there(const struct named_owner *named);

/* Takes the next message out of one that is alive and checks it. False: there is none. */
bool post_receive(weir_message *message);
/* The mailbox of a process, from its beginning to its end. Its owner's number. */
uint32_t post_begin_process(uint32_t number, weir_owner owner);

/* It is being taken: nobody else may take the next before it was looked at. */
bool post_is_taking(void);

uint32_t post_waiting_count(void);

/* A socket's waiting messages go to the next owner: into its mailbox, or, one by one, to its
 * handler. */
void post_hand_over(weir_socket socket, uint32_t from, uint32_t to);
/* Whether this is one of those that a handler is handed over; it must be the next. */
bool post_is_handed(weir_socket socket, const weir_message *message);
uint32_t post_handed_count(weir_socket socket);

/* The application closes it: no `closed` is seen any more, and nothing is handed over. */
void post_forget(weir_socket socket, uint32_t owner);

/* A dead one is closed: of its messages only `closed` goes. */
void post_forget_closed(weir_socket socket);
/* The same, some time: a close from elsewhere has found it dead. */
void post_may_forget_closed(weir_socket socket);

/* One that is opened when its runtime stops is taken back, with what its sockets have told. */
void post_begin_service(void);
void post_end_service(int result);

/* Destroys one, from a thread: its sockets are forsaken. */
void post_destroy_some(void);

#endif
