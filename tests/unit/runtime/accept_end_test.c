/* SPDX-License-Identifier: MIT */
/* Connections that somebody waits for: where they go, and which of them come when a listener ends.
 */
#include "lone_listener.h"

#include <netinet/in.h>

#include "runtime/owner/mailbox.h"
#include "runtime/scheduler/registry.h"
#include "runtime/stream/open.h"

/* A thread's call, which is looked at here. */
struct waiting {
    struct open_call open;
    char text[ERROR_TEXT_SIZE];
};

static int wait_for_one(struct waiting *waiting, weir_owner owner)
{
    struct call *call = &waiting->open.call;
    *waiting = (struct waiting){.open.owner = owner};
    call->kind = CALL_BLOCKING;
    call->timeout_ms = -1;
    call->text = waiting->text;
    call->operation = &operation_accept;
    call->scheduler = scheduler;
    call->socket = slot_handle(scheduler, &listener->slot);
    list_init(&call->link);
    return operation_accept.run(scheduler, &listener->slot, call);
}

/* CALL_WAITS: it waits. */
static int result_of(struct waiting *waiting)
{
    struct call *call = &waiting->open.call;
    return atomic_load(&call->done) ? call->result : CALL_WAITS;
}

static int peer; /* of the connection that has come */

static void bring(void)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    peer = ends[1];
    lone_listener_complete(ends[0], 0);
}

static bool is_closed(void)
{
    char byte;
    return recv(peer, &byte, 1, MSG_DONTWAIT) == 0;
}

static void turn_some(void)
{
    for (int i = 0; i < 5; i++)
        scheduler_turn(scheduler);
}

/* Its receive, which is not cancelled here, ends with its peer. */
static void let_go(struct waiting *waiting)
{
    (void)weir_close(waiting->open.socket);
    close(peer);
    turn_some();
}

static void leave_registry(void)
{
    registry_withdraw(scheduler->index);
    registry_end(scheduler->index);
}

/* It is a socket where the call was made from, or of whichever scheduler has its turn. */
Test(accept, is_handed_to_who_waits)
{
    struct waiting waiting;
    lone_listener_begin();
    registry_publish(scheduler->index, scheduler);
    cr_assert_eq(wait_for_one(&waiting, weir_handled_by(&listener_handler, NULL)), CALL_WAITS);
    bring();
    cr_expect_eq(asked, 1, "nobody waits any more");
    turn_some();
    cr_expect(result_of(&waiting) == 0 && !is_closed());
    let_go(&waiting);
    leave_registry();
    lone_listener_end();
}

/* The scheduler that it goes to stops meanwhile, or has. */
Test(accept, is_closed_where_nobody_is)
{
    for (int stops = 0; stops < 2; stops++) {
        struct waiting waiting;
        lone_listener_begin();
        asked = 0;
        if (stops)
            registry_publish(scheduler->index, scheduler);
        cr_assert_eq(wait_for_one(&waiting, weir_handled_by(&listener_handler, NULL)), CALL_WAITS);
        bring();
        cr_expect(!stops || result_of(&waiting) == CALL_WAITS);
        if (stops) {
            scheduler_stop(scheduler);
            leave_registry();
            turn_some();
            listener = NULL;
        }
        cr_expect_eq(result_of(&waiting), WEIR_CLOSED, "%d", stops);
        cr_expect(is_closed(), "%d", stops);
        lone_listener_end();
    }
}

/* Then it is the next one's, or goes with its listener. */
Test(accept, whose_owner_dies_on_its_way_comes_back)
{
    for (int closes = 0; closes < 2; closes++) {
        struct waiting waiting[2];
        weir_mailbox *mailbox;
        lone_listener_begin();
        registry_publish(scheduler->index, scheduler);
        cr_assert_eq(weir_mailbox_create(&mailbox), 0);
        cr_assert_eq(wait_for_one(&waiting[0], weir_mailed_to(mailbox)), CALL_WAITS);
        bring();
        mailbox_end(mailbox);
        if (closes) {
            lone_listener_shut();
            listener = NULL;
        }
        turn_some();
        cr_expect_eq(result_of(&waiting[0]), WEIR_BADARG);
        cr_expect_eq(is_closed(), closes);
        if (!closes) {
            cr_assert_eq(wait_for_one(&waiting[1], weir_handled_by(&listener_handler, NULL)),
                         CALL_WAITS);
            turn_some();
            cr_expect(result_of(&waiting[1]) == 0 && !is_closed());
            let_go(&waiting[1]);
        }
        mailbox_release(mailbox);
        leave_registry();
        lone_listener_end();
    }
}

enum { WAITERS = 3, CLIENTS = 2 };

static struct waiting waiters[WAITERS];
static int clients[CLIENTS];

/* Some wait, fewer have come, and it ends: by a drain, or as another process goes on with it. */
static void end_with_clients(bool leaves)
{
    struct sockaddr_in name;
    socklen_t size = sizeof(name);
    registry_publish(scheduler->index, scheduler);
    cr_assert_eq(getsockname(listener->slot.fd, (struct sockaddr *)&name, &size), 0);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
        cr_assert_eq(connect(clients[i], (struct sockaddr *)&name, size), 0);
    }
    for (int i = 0; i < WAITERS; i++)
        cr_assert_eq(wait_for_one(&waiters[i], weir_handled_by(&listener_handler, NULL)),
                     CALL_WAITS);
    cr_assert(asked == 1 && is_in_flight);
    if (leaves)
        accept_leave(scheduler, listener);
    else
        accept_drain(scheduler, listener);
    cr_expect(cancels == 1 && listening->accepting == ACCEPTING_ENDS);
    lone_listener_complete(-ECANCELED, 0);
}

static void take_one_of_them(void)
{
    int fd = accept(listener->slot.fd, NULL, NULL);
    cr_assert_geq(fd, 0);
    lone_listener_complete(fd, 0);
}

/* Its slot was held, so that it can be looked at. */
static void expect_ended(int served)
{
    cr_expect(!listener->listening && !is_in_flight);
    turn_some();
    for (int i = 0; i < WAITERS; i++) {
        cr_expect_eq(result_of(&waiters[i]), i < served ? 0 : WEIR_CLOSED, "%d", i);
        if (i < served)
            (void)weir_close(waiters[i].open.socket);
    }
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
    turn_some();
    slot_unhold(scheduler, &listener->slot);
    listener = NULL;
    leave_registry();
    lone_listener_end();
}

/* As many as have come, and no more: nobody knows when another would. */
Test(accept, ends_with_those_that_have_come)
{
    lone_listener_begin();
    slot_hold(&listener->slot);
    end_with_clients(false);
    for (int i = 0; i < CLIENTS; i++) {
        cr_expect(asked == 2 + i && is_in_flight && listening->accepting == ACCEPTING_REST);
        take_one_of_them();
    }
    cr_expect_eq(asked, 1 + CLIENTS);
    expect_ended(CLIENTS);
}

/* What is there is taken, one after the other, while it is there. */
Test(accept, leaves_what_has_not_come_to_others)
{
    lone_listener_begin();
    slot_hold(&listener->slot);
    end_with_clients(true);
    for (int i = 0; i < CLIENTS; i++) {
        cr_expect(asked == 2 + i && is_in_flight);
        if (i == 1)
            turn_some();
        cr_expect_eq(listening->accepting, i == 1 ? ACCEPTING_ENDS : ACCEPTING_REST);
        take_one_of_them();
    }
    cr_expect(asked == 1 + CLIENTS && cancels == 2);
    expect_ended(CLIENTS);
}

/* One that another process has taken is not waited for. */
Test(accept, gives_up_what_others_have_taken)
{
    lone_listener_begin();
    slot_hold(&listener->slot);
    end_with_clients(true);
    cr_expect(asked == 2 && is_in_flight);
    for (int i = 0; i < CLIENTS; i++)
        close(accept(listener->slot.fd, NULL, NULL));
    turn_some();
    cr_expect(cancels == 2 && listening->accepting == ACCEPTING_ENDS);
    lone_listener_complete(-ECANCELED, 0);
    expect_ended(0);
}

/* It has one in hand that there was no place for when it is to end. That one is served, and so are
 * those behind it for whom there are places by then. */
Test(accept, ends_with_those_for_whom_there_are_places)
{
    enum { PLACES = 2 };
    struct sockaddr_in name;
    socklen_t size = sizeof(name);
    struct quota *quota = quota_create(PLACES);
    lone_listener_begin();
    registry_publish(scheduler->index, scheduler);
    cr_assert_eq(accept_limit(scheduler, listener, quota), 0);
    for (int i = 0; i < PLACES; i++)
        cr_assert(quota_take(quota));
    accept_serve(scheduler, listener, weir_handled_by(&listener_handler, NULL));
    bring();
    cr_expect(accepted == 0 && listening->accepting == ACCEPTING_FULL);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(getsockname(listener->slot.fd, (struct sockaddr *)&name, &size), 0);
    cr_assert_eq(connect(client, (struct sockaddr *)&name, size), 0);
    slot_hold(&listener->slot);
    accept_drain(scheduler, listener);
    for (int i = 0; i < PLACES; i++)
        quota_give_back(quota);
    close(peer);
    turn_some();
    cr_expect(accepted == 1 && asked == 2 && listening->accepting == ACCEPTING_REST);
    take_one_of_them();
    cr_expect(accepted == 2 && !listener->listening);
    slot_unhold(scheduler, &listener->slot);
    close(client);
    turn_some();
    listener = NULL;
    leave_registry();
    quota_drop(quota);
    lone_listener_end();
}
