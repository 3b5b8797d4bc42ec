/* SPDX-License-Identifier: MIT */
#include "sim/post.h"

#include "runtime/owner/mailbox.h"
#include "runtime/scheduler/slot.h"
#include "sim/dice.h"
#include "sim/expect.h"
#include "sim/link.h"
#include "sim/model.h"
#include "sim/trace.h"
#include "sim/udp_model.h"
#include <weir/error.h>

enum { LETTER_MOST = 1 << 19, ROOM = POST_BOXES_MOST + POST_PROCESSES_MOST };

struct letter {
    weir_socket socket;
    enum weir_message_kind kind;
    int error;
    size_t size;
    uint64_t sum;
    bool may_vanish; /* a close of its dead socket is on its way back to who made it */
};

struct letters {
    uint32_t first;
    uint32_t count;
    struct letter all[LETTER_MOST];
};

struct box {
    weir_mailbox *mailbox; /* NULL: destroyed */
    struct letters letters;
};

static struct box boxes[ROOM]; /* the processes' come last */
static uint32_t box_count;     /* of the others */
static struct letters handed;  /* out, to handlers, in the call that is under way */

/* Services that are being opened, or could not be. */
static uint32_t unfinished_count;

void post_start(uint32_t count)
{
    box_count = count;
    handed.count = 0;
    unfinished_count = 0;
    for (uint32_t i = 0; i < ROOM; i++)
        boxes[i].mailbox = NULL;
    for (uint32_t i = 0; i < count; i++) {
        boxes[i].letters.count = 0;
        SIM_CHECK(weir_mailbox_create(&boxes[i].mailbox) == 0, "no mailbox");
    }
}

bool post_is_alive(uint32_t owner)
{
    return boxes[owner - POST_FIRST_OWNER].mailbox != NULL;
}

weir_owner post_owner(uint32_t owner)
{
    return weir_mailed_to(boxes[owner - POST_FIRST_OWNER].mailbox);
}

struct named_owner post_name(uint32_t owner)
{
    return (struct named_owner){owner, post_is_box(owner) ? post_owner(owner).mailbox : NULL};
}

bool post_is_there(const struct named_owner *named)
{
    uint32_t owner = named->number;
    return !post_is_box(owner) ||
           (post_is_alive(owner) && post_owner(owner).mailbox == named->mailbox);
}

bool post_is_named(const struct named_owner *named, uint32_t owner, bool forsaken,
                   const struct slot *slot)
{
    if (!post_is_box(owner) || !post_is_box(named->number))
        return named->number == owner;
    return named->mailbox == (forsaken ? slot_mailbox(slot) : post_owner(owner).mailbox);
}

uint32_t post_some_owner(void)
{
    uint32_t index = box_count ? dice_below(box_count) : 0;
    return box_count && boxes[index].mailbox ? POST_FIRST_OWNER + index : 0;
}

static struct letter letter_of(const weir_message *message)
{
    const weir_packet *packet = &message->packet;
    struct letter letter = {message->socket, message->kind, message->error, 0, 0, false};
    if (message->kind != WEIR_MESSAGE_DATA)
        return letter;
    const uint8_t *bytes = packet->bytes - packet->header_size;
    letter.size = expect_whole_size(packet);
    letter.sum = 1469598103934665603u;
    for (size_t i = 0; i < letter.size; i++)
        letter.sum = (letter.sum ^ bytes[i]) * 1099511628211u;
    return letter;
}

static struct letter *at(struct letters *letters, uint32_t index)
{
    return &letters->all[(letters->first + index) % LETTER_MOST];
}

static void append(struct letters *letters, const struct letter *letter)
{
    SIM_CHECK(letters->count < LETTER_MOST, "too many messages in a mailbox");
    *at(letters, letters->count++) = *letter;
}

static struct letter take(struct letters *letters, uint32_t index)
{
    struct letter letter = *at(letters, index);
    for (uint32_t i = index; i > 0; i--)
        *at(letters, i) = *at(letters, i - 1);
    letters->first++;
    letters->count--;
    return letter;
}

static void compare(const struct letter *expected, const weir_message *message)
{
    struct letter letter = letter_of(message);
    SIM_CHECK(weir_same_socket(letter.socket, expected->socket) && letter.kind == expected->kind &&
                  letter.error == expected->error,
              "a message of kind %d, where one of kind %d is next", letter.kind, expected->kind);
    SIM_CHECK(letter.size == expected->size && letter.sum == expected->sum,
              "a message of %zu bytes has changed on its way", letter.size);
}

static void tell_udp_model(const weir_message *message, uint32_t owner)
{
    struct udp_view *view = udp_model_find(message->socket, owner);
    SIM_CHECK(view && view->owner == owner, "a message for another is put into mailbox %u", owner);
    trace("udp %lld: kind %lld is put into mailbox %lld", udp_model_index(view), message->kind,
          owner, 0);
    switch (message->kind) {
    case WEIR_MESSAGE_DATA:
        udp_model_packet(view, &message->packet);
        break;
    case WEIR_MESSAGE_PASSIVE:
        udp_model_passive(view);
        break;
    case WEIR_MESSAGE_ERROR:
        udp_model_error(view, message->error);
        break;
    case WEIR_MESSAGE_CLOSED:
        udp_model_told_closed(view);
        break;
    case WEIR_MESSAGE_ACCEPTED:
    case WEIR_MESSAGE_USER:
    case WEIR_MESSAGE_DOWN:
        SIM_CHECK(false, "a UDP socket has no message of kind %d", message->kind);
        break;
    }
}

static void tell_model(const weir_message *message, uint32_t owner)
{
    if (udp_model_is(message->socket)) {
        tell_udp_model(message, owner);
        return;
    }
    struct conn *conn = model_find(message->socket, owner);
    SIM_CHECK(conn, "a message of a socket that nobody knows");
    SIM_CHECK(conn->owner == owner, "a message for owner %u is put into the mailbox of %u",
              conn->owner, owner);
    trace("link %lld: kind %lld is put into mailbox %lld", model_link(conn), message->kind, owner,
          0);
    switch (message->kind) {
    case WEIR_MESSAGE_DATA:
        model_message_packet(conn, &message->packet);
        break;
    case WEIR_MESSAGE_ACCEPTED:
        model_message_accepted(conn);
        break;
    case WEIR_MESSAGE_PASSIVE:
        model_message_passive(conn);
        break;
    case WEIR_MESSAGE_ERROR:
        model_message_error(conn, message->error);
        break;
    case WEIR_MESSAGE_CLOSED:
        model_message_closed(conn);
        break;
    case WEIR_MESSAGE_USER:
    case WEIR_MESSAGE_DOWN:
        SIM_CHECK(false, "nobody has posted this message");
        break;
    }
}

struct msgq;
int __real_mailbox_put(weir_mailbox *mailbox, const weir_message *message, struct msgq *msgq);
int __wrap_mailbox_put(weir_mailbox *mailbox, const weir_message *message, struct msgq *msgq);

/* Who waits for it takes it at once. There is memory where there are mailboxes. */
int __wrap_mailbox_put(weir_mailbox *mailbox, const weir_message *message, struct msgq *msgq)
{
    bool is_noted = false;
    for (uint32_t i = 0; i < ROOM && message->socket.id != 0; i++) {
        if (boxes[i].mailbox != mailbox)
            continue;
        tell_model(message, POST_FIRST_OWNER + i);
        struct letter letter = letter_of(message);
        append(&boxes[i].letters, &letter);
        is_noted = true;
    }
    int result = __real_mailbox_put(mailbox, message, msgq);
    SIM_CHECK(result == 0 || !is_noted, "a mailbox has no room: %s", weir_error_name(result));
    return result;
}

void __real_owner_tell_behind(struct scheduler *scheduler, struct slot *slot,
                              enum weir_message_kind kind);
void __wrap_owner_tell_behind(struct scheduler *scheduler, struct slot *slot,
                              enum weir_message_kind kind);

/* What a handler asks for while it is handed messages comes behind them. */
void __wrap_owner_tell_behind(struct scheduler *scheduler, struct slot *slot,
                              enum weir_message_kind kind)
{
    const weir_message message = {.kind = kind, .socket = slot_handle(scheduler, slot)};
    if (post_handed_count(message.socket) > 0) {
        struct letter letter = letter_of(&message);
        model_message_passive(model_find(message.socket, 0));
        append(&handed, &letter);
    }
    __real_owner_tell_behind(scheduler, slot, kind);
}

void post_begin_service(void)
{
    unfinished_count++;
}

void post_end_service(int result)
{
    unfinished_count -= result == 0;
}

static bool may_vanish(const struct letter *letter)
{
    return letter->may_vanish || (unfinished_count > 0 && letter->kind == WEIR_MESSAGE_CLOSED);
}

static void skip_vanished(struct letters *letters, const weir_message *message)
{
    while (letters->count > 0 && may_vanish(at(letters, 0)) &&
           !(message && message->kind == WEIR_MESSAGE_CLOSED &&
             weir_same_socket(message->socket, at(letters, 0)->socket)))
        take(letters, 0);
}

static size_t vanishing_count(struct letters *letters)
{
    size_t count = 0;
    for (uint32_t i = 0; i < letters->count; i++)
        count += may_vanish(at(letters, i));
    return count;
}

static void compare_next(uint32_t owner, const weir_message *message)
{
    struct letter expected = take(&boxes[owner - POST_FIRST_OWNER].letters, 0);
    trace("a message of kind %lld is taken out of mailbox %lld", message->kind, owner, 0, 0);
    compare(&expected, message);
}

/* A process has its message from here on, whenever it goes on. */
static void note_taken(weir_mailbox *mailbox, const weir_message *message)
{
    for (uint32_t i = POST_BOXES_MOST; i < ROOM && message->socket.id != 0; i++) {
        if (boxes[i].mailbox != mailbox)
            continue;
        skip_vanished(&boxes[i].letters, message);
        SIM_CHECK(boxes[i].letters.count > 0, "a process gets a message that nobody has put there");
        compare_next(POST_FIRST_OWNER + i, message);
    }
}

bool __real_mailbox_take_or_listen(weir_mailbox *mailbox, struct mail_wait *wait,
                                   weir_message *message);
bool __wrap_mailbox_take_or_listen(weir_mailbox *mailbox, struct mail_wait *wait,
                                   weir_message *message);

bool __wrap_mailbox_take_or_listen(weir_mailbox *mailbox, struct mail_wait *wait,
                                   weir_message *message)
{
    bool taken = __real_mailbox_take_or_listen(mailbox, wait, message);
    if (taken)
        note_taken(mailbox, message);
    return taken;
}

int __real_mailbox_receive_in_thread(weir_mailbox *mailbox, int64_t timeout_ms,
                                     weir_message *message);
int __wrap_mailbox_receive_in_thread(weir_mailbox *mailbox, int64_t timeout_ms,
                                     weir_message *message);

/* As a process does that only looks. */
int __wrap_mailbox_receive_in_thread(weir_mailbox *mailbox, int64_t timeout_ms,
                                     weir_message *message)
{
    int result = __real_mailbox_receive_in_thread(mailbox, timeout_ms, message);
    if (result == 0)
        note_taken(mailbox, message);
    return result;
}

static bool taking;

bool post_is_taking(void)
{
    return taking;
}

bool post_receive(weir_message *message)
{
    uint32_t owner = post_some_owner();
    if (owner == 0)
        return false;
    struct box *box = &boxes[owner - POST_FIRST_OWNER];
    taking = true;
    int result = weir_mailbox_receive(box->mailbox, 0, message);
    taking = false;
    skip_vanished(&box->letters, result == 0 ? message : NULL);
    SIM_CHECK(result == (box->letters.count ? 0 : WEIR_TIMEOUT), "mailbox_receive gave %s",
              weir_error_name(result));
    if (result < 0)
        return false;
    compare_next(owner, message);
    size_t count = weir_mailbox_count(box->mailbox);
    size_t most = box->letters.count;
    SIM_CHECK(count <= most && count + vanishing_count(&box->letters) >= most,
              "mailbox_count is wrong");
    return true;
}

uint32_t post_waiting_count(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < box_count; i++)
        count += boxes[i].letters.count;
    return count;
}

static void move_all(struct letters *from, weir_socket socket, struct letters *to)
{
    for (uint32_t i = 0; i < from->count;) {
        if (!weir_same_socket(at(from, i)->socket, socket)) {
            i++;
            continue;
        }
        struct letter letter = take(from, i);
        append(to, &letter);
    }
}

/* What a handler has not been handed yet goes on to whoever follows it. */
void post_hand_over(weir_socket socket, uint32_t from, uint32_t to)
{
    struct letters *target = post_is_box(to) ? &boxes[to - POST_FIRST_OWNER].letters : &handed;
    if (target != &handed)
        move_all(&handed, socket, target);
    if (post_is_box(from))
        move_all(&boxes[from - POST_FIRST_OWNER].letters, socket, target);
}

static int first_handed(weir_socket socket)
{
    for (uint32_t i = 0; i < handed.count; i++)
        if (weir_same_socket(at(&handed, i)->socket, socket))
            return (int)i;
    return -1;
}

bool post_is_handed(weir_socket socket, const weir_message *message)
{
    int index = first_handed(socket);
    if (index < 0)
        return false;
    struct letter expected = take(&handed, (uint32_t)index);
    compare(&expected, message);
    return true;
}

uint32_t post_handed_count(weir_socket socket)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < handed.count; i++)
        count += weir_same_socket(at(&handed, i)->socket, socket);
    return count;
}

static void drop(struct letters *letters, weir_socket socket, bool only_closed)
{
    for (uint32_t i = 0; i < letters->count;) {
        const struct letter *letter = at(letters, i);
        bool matches = weir_same_socket(letter->socket, socket) &&
                       (!only_closed || letter->kind == WEIR_MESSAGE_CLOSED);
        if (matches)
            take(letters, i);
        else
            i++;
    }
}

void post_forget(weir_socket socket, uint32_t owner)
{
    drop(&handed, socket, false);
    if (post_is_box(owner))
        drop(&boxes[owner - POST_FIRST_OWNER].letters, socket, true);
}

void post_forget_closed(weir_socket socket)
{
    for (uint32_t i = 0; i < ROOM; i++)
        drop(&boxes[i].letters, socket, true);
}

void post_may_forget_closed(weir_socket socket)
{
    for (uint32_t i = 0; i < ROOM; i++) {
        struct letters *letters = &boxes[i].letters;
        for (uint32_t j = 0; j < letters->count; j++)
            at(letters, j)->may_vanish |= weir_same_socket(at(letters, j)->socket, socket) &&
                                          at(letters, j)->kind == WEIR_MESSAGE_CLOSED;
    }
}

static void forsake(uint32_t owner)
{
    for (uint32_t i = 0; i < link_capacity; i++) {
        struct conn *conn = model_conn(i);
        if (conn->handle.id != 0 && conn->owner == owner)
            conn->forsaken = true;
    }
    udp_model_forsake(owner);
}

uint32_t post_begin_process(uint32_t number, weir_owner owner)
{
    struct box *box = &boxes[POST_BOXES_MOST + number];
    box->mailbox = owner.mailbox;
    box->letters.count = 0;
    return POST_FIRST_OWNER + POST_BOXES_MOST + number;
}

void __real_mailbox_end(weir_mailbox *mailbox);
void __wrap_mailbox_end(weir_mailbox *mailbox);

/* Before what it owns is closed. */
void __wrap_mailbox_end(weir_mailbox *mailbox)
{
    for (uint32_t i = POST_BOXES_MOST; i < ROOM; i++) {
        if (boxes[i].mailbox != mailbox)
            continue;
        boxes[i].mailbox = NULL;
        boxes[i].letters.count = 0;
        forsake(POST_FIRST_OWNER + i);
    }
    __real_mailbox_end(mailbox);
}

void post_destroy_some(void)
{
    uint32_t owner = post_some_owner();
    if (owner == 0)
        return;
    struct box *box = &boxes[owner - POST_FIRST_OWNER];
    weir_mailbox *mailbox = box->mailbox;
    trace("mailbox %lld is destroyed", owner, 0, 0, 0);
    box->mailbox = NULL;
    box->letters.count = 0;
    forsake(owner);
    SIM_CHECK(weir_mailbox_destroy(mailbox) == 0, "mailbox_destroy failed");
}

void post_end(void)
{
    for (uint32_t i = 0; i < box_count; i++)
        if (boxes[i].mailbox)
            SIM_CHECK(weir_mailbox_destroy(boxes[i].mailbox) == 0, "mailbox_destroy failed");
    box_count = 0;
}
