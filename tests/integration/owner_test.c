/* SPDX-License-Identifier: MIT */
/* Owners: who they are, and how they die. */
#include "support/loopback.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "runtime/owner/mailbox.h"

/* Who owns an active socket is told that it is closed, and finds it in its mailbox afterwards. */
Test(owner, a_mailbox_keeps_the_closed_of_a_stop)
{
    struct loopback loopback = loopback_open("[{active,true},{exit_on_close,false}]");
    weir_stop(loopback.runtime);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    weir_mailbox_destroy(loopback.mailbox);
    peer_leave(&loopback.peer);
}

/* Moved back and forth while packets pour in: none is lost, and none overtakes another. */
Test(owner, moving_loses_nothing)
{
    enum { PACKETS = 2000 };
    struct loopback loopback = loopback_open("[{packet,2},{active,true}]");
    weir_mailbox *mailboxes[2] = {loopback.mailbox};
    GIVES(weir_mailbox_create(&mailboxes[1]), 0);
    int owner = 0;
    for (int i = 0; i < PACKETS; i++) {
        uint8_t packet[4] = {0, 2, (uint8_t)(i >> 8), (uint8_t)i};
        peer_write(loopback.peer, packet, 4);
        if (i % 10 == 9) {
            GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(mailboxes[owner]),
                                           weir_mailed_to(mailboxes[!owner])),
                  0);
            owner = !owner;
        }
    }
    loopback.mailbox = mailboxes[owner];
    for (int i = 0; i < PACKETS; i++) {
        uint8_t bytes[2] = {(uint8_t)(i >> 8), (uint8_t)i};
        expect_data(&loopback, bytes, 2);
    }
    weir_mailbox_destroy(mailboxes[!owner]);
    loopback_close(&loopback);
}

Test(owner, only_the_owner_gives_away)
{
    struct loopback loopback = loopback_open("[{active,true}]");
    weir_owner owner = weir_mailed_to(loopback.mailbox);
    weir_mailbox *other;
    GIVES(weir_mailbox_create(&other), 0);
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(other), weir_mailed_to(other)),
          WEIR_NOT_OWNER);
    GIVES(weir_controlling_process(loopback.socket, weir_owned_by_nobody(), weir_mailed_to(other)),
          WEIR_NOT_OWNER);
    GIVES(weir_controlling_process(loopback.socket, owner, owner), 0);
    /* Nothing to change: whoever asks. */
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(other), owner), 0);
    GIVES(weir_controlling_process(loopback.socket, owner, weir_owned_by_nobody()), WEIR_BADARG);
    weir_close(loopback.socket);
    GIVES(weir_controlling_process(loopback.socket, owner, owner), WEIR_CLOSED);
    weir_mailbox_destroy(other);
    loopback_close(&loopback);
}

/* A mailbox that is gone while sockets still refer to it is a dead owner. */
Test(owner, a_mailbox_dies_and_its_sockets_close)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 3});
    enum { SOCKETS = 9 };
    weir_socket sockets[SOCKETS];
    int peers[SOCKETS];
    weir_mailbox *mortal;
    GIVES(weir_mailbox_create(&mortal), 0);
    loopback.listener = listen_with(loopback.runtime, "[{packet,1},{active,true},{backlog,20}]");
    for (int i = 0; i < SOCKETS; i++) {
        peers[i] = peer_connect(weir_port(loopback.listener));
        weir_mailbox *owner = i % 3 == 0 ? loopback.mailbox : mortal;
        GIVES(weir_tcp_accept(loopback.listener, weir_mailed_to(owner), WAIT_MS, &sockets[i]), 0);
        peer_say(peers[i], "\1a");
    }
    EVENTUALLY(weir_mailbox_count(mortal) == 6);
    GIVES(weir_mailbox_destroy(mortal), 0);
    for (int i = 0; i < SOCKETS; i++) {
        if (i % 3 == 0) {
            GIVES(weir_send(sockets[i], "a", 1), 0);
            continue;
        }
        GIVES(weir_port(sockets[i]), -EINVAL);
        peer_expect_end(peers[i]);
    }
    for (int i = 0; i < SOCKETS; i++)
        peer_leave(&peers[i]);
    loopback_close(&loopback);
}

Test(owner, a_mailbox_dies_while_calls_wait_for_it)
{
    struct loopback loopback = loopback_open("[{active,true}]");
    weir_mailbox *mortal;
    struct answer answer = {0};
    GIVES(weir_mailbox_create(&mortal), 0);
    GIVES(weir_tcp_accept_async(loopback.listener, weir_mailed_to(mortal), WEIR_INFINITY,
                                answer_opened, &answer),
          0);
    settle(loopback.listener);
    weir_mailbox_destroy(mortal);
    int peer = peer_connect(weir_port(loopback.listener));
    GIVES(answer_wait(&answer), WEIR_BADARG);
    weir_socket socket; /* the connection is the next one's */
    GIVES(weir_tcp_accept(loopback.listener, weir_mailed_to(loopback.mailbox), WAIT_MS, &socket),
          0);
    GIVES(weir_close(socket), 0);
    peer_expect_end(peer);
    peer_leave(&peer);
    loopback_close(&loopback);
}

static atomic_bool let_go;

static void wait_there(void *data)
{
    (void)data;
    while (!atomic_load(&let_go))
        continue;
}

static int destroy(struct background *death)
{
    return weir_mailbox_destroy(death->mailbox);
}

/* A connection whose scheduler has not heard of it yet keeps the mailbox. */
Test(owner, a_mailbox_that_is_dead_is_no_owner)
{
    weir_mailbox *dead;
    weir_socket socket;
    struct answer answer = {0};
    struct answer never = {0};
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_owner owner;
    GIVES(weir_mailbox_create(&dead), 0);
    owner = weir_mailed_to(dead);
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox), owner), 0);
    int port = weir_port(loopback.listener);
    GIVES(weir_run_on(loopback.runtime, 0, wait_there, NULL), 0);
    GIVES(weir_tcp_accept_async(loopback.listener, owner, WAIT_MS, answer_opened, &answer), 0);
    struct background death = {.work = destroy, .mailbox = dead};
    background_start(&death);
    EVENTUALLY(weir_mailbox_post(dead, NULL) == WEIR_CLOSED);
    GIVES(weir_tcp_accept(loopback.listener, owner, 0, &socket), WEIR_BADARG);
    GIVES(weir_tcp_accept_async(loopback.listener, owner, 0, answer_opened, &never), WEIR_BADARG);
    GIVES(weir_tcp_connect(loopback.runtime, "127.0.0.1", (uint16_t)port, NULL, owner, 0, &socket),
          WEIR_BADARG);
    GIVES(weir_tcp_connect_async(loopback.runtime, "127.0.0.1", (uint16_t)port, NULL, owner, 0,
                                 answer_opened, &never),
          WEIR_BADARG);
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, NULL, owner, &socket), WEIR_BADARG);
    GIVES(weir_udp_open(loopback.runtime, 0, NULL, owner, &socket), WEIR_BADARG);
    GIVES(weir_udp_serve(loopback.runtime, "127.0.0.1", 0, NULL, owner, &socket), WEIR_BADARG);
    atomic_store(&let_go, true);
    GIVES(answer_wait(&answer), WEIR_BADARG);
    GIVES(background_join(&death), 0);
    cr_expect(answer_count(&never) == 0);
    loopback_close(&loopback);
}

Test(owner, a_mailbox_waits_in_time)
{
    struct loopback loopback = loopback_open("[{active,true}]");
    weir_message message;
    GIVES(weir_mailbox_receive(loopback.mailbox, 0, &message), WEIR_TIMEOUT);
    uint64_t before = now_ms();
    GIVES(weir_mailbox_receive(loopback.mailbox, 80, &message), WEIR_TIMEOUT);
    cr_expect(now_ms() - before >= 80);
    loopback_close(&loopback);
}

/* Several threads wait for one mailbox: each message is one thread's. */
struct reader {
    pthread_t thread;
    weir_mailbox *mailbox;
    uint32_t got;
};

static void *read_mailbox(void *data)
{
    struct reader *reader = data;
    weir_message message;
    while (weir_mailbox_receive(reader->mailbox, WAIT_MS, &message) == 0 &&
           message.kind == WEIR_MESSAGE_DATA) {
        bool last = message.packet.size == 0;
        weir_packet_release(&message.packet);
        if (last)
            break;
        reader->got++;
    }
    return NULL;
}

Test(owner, a_mailbox_is_shared)
{
    enum { READERS = 3, PACKETS = 3000 };
    struct loopback loopback = loopback_open("[{packet,1},{active,true}]");
    struct reader readers[READERS] = {0};
    for (int i = 0; i < READERS; i++) {
        readers[i].mailbox = loopback.mailbox;
        pthread_create(&readers[i].thread, NULL, read_mailbox, &readers[i]);
    }
    for (int i = 0; i < PACKETS; i++)
        peer_write(loopback.peer, "\1a", 2);
    peer_write(loopback.peer, "\0\0\0", READERS);
    uint32_t total = 0;
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        total += readers[i].got;
    }
    cr_assert(total == PACKETS);
    loopback_close(&loopback);
}

Test(owner, a_mailbox_takes_messages_of_the_program)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,true}]");
    weir_message message;
    int first = 0;
    GIVES(weir_mailbox_post(loopback.mailbox, &first), 0);
    peer_say(loopback.peer, "\1a");
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 2);
    GIVES(weir_mailbox_post(loopback.mailbox, NULL), 0);
    message = next_message(loopback.mailbox);
    cr_assert(message.kind == WEIR_MESSAGE_USER && message.data == &first &&
              message.socket.id == 0);
    expect_text(&loopback, "a");
    message = next_message(loopback.mailbox);
    cr_assert(message.kind == WEIR_MESSAGE_USER && message.data == NULL);
    loopback_close(&loopback);
}

static int wait_for_message(struct background *background)
{
    weir_message message;
    int result = weir_mailbox_receive(background->mailbox, WEIR_INFINITY, &message);
    return result < 0 ? result : (int)message.kind;
}

static void post_there(void *mailbox)
{
    GIVES(weir_mailbox_post(mailbox, NULL), 0);
}

Test(owner, a_wait_ends_by_a_message_of_the_program_and_not_by_a_stop)
{
    struct loopback loopback = loopback_start(NULL);
    struct background waiters[2] = {
        {.work = wait_for_message, .mailbox = loopback.mailbox},
        {.work = wait_for_message, .mailbox = loopback.mailbox},
    };
    background_start(&waiters[0]);
    background_start(&waiters[1]);
    run_there(loopback.runtime, 0, post_there, loopback.mailbox);
    weir_stop(loopback.runtime);
    GIVES(weir_mailbox_post(loopback.mailbox, NULL), 0);
    cr_assert(background_join(&waiters[0]) == WEIR_MESSAGE_USER);
    cr_assert(background_join(&waiters[1]) == WEIR_MESSAGE_USER);
    GIVES(weir_start(&loopback.runtime, &(weir_config){.schedulers = 1}), 0);
    loopback_close(&loopback);
}

/* Holds up a scheduler until it is let go. */
struct held_up {
    uint32_t begun;
    uint32_t over;
};

static void hold_up(void *data)
{
    struct held_up *held_up = data;
    __atomic_store_n(&held_up->begun, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&held_up->over, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void do_nothing(void *data)
{
    (void)data;
}

static weir_runtime *the_runtime;

static int serve_in_background(struct background *background)
{
    return weir_tcp_serve(the_runtime, "127.0.0.1", 0, NULL, weir_mailed_to(background->mailbox),
                          &background->opened);
}

static int destroy_in_background(struct background *background)
{
    return weir_mailbox_destroy(background->mailbox);
}

/* It begins on the last scheduler, and the death of a mailbox is told to the first one first. */
Test(owner, a_mailbox_that_dies_while_a_service_is_being_made)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    struct held_up held_up = {0};
    struct background serving = {.work = serve_in_background};
    struct background dying = {.work = destroy_in_background};
    the_runtime = loopback.runtime;
    GIVES(weir_mailbox_create(&serving.mailbox), 0);
    dying.mailbox = serving.mailbox;
    GIVES(weir_run_on(loopback.runtime, 1, hold_up, &held_up), 0);
    EVENTUALLY(__atomic_load_n(&held_up.begun, __ATOMIC_ACQUIRE) == 1);
    int descriptors = descriptor_count();
    background_start(&serving);
    EVENTUALLY(descriptor_count() == descriptors + 2); /* it has its sockets, and waits */
    weir_owner owner = weir_mailed_to(serving.mailbox);
    weir_socket unused;
    mailbox_keep(serving.mailbox);
    background_start(&dying);
    EVENTUALLY(mailbox_is_dead(serving.mailbox));
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, NULL, owner, &unused), WEIR_BADARG);
    run_there(loopback.runtime, 0, do_nothing, NULL); /* which the death has been told */
    run_there(loopback.runtime, 0, do_nothing, NULL);
    __atomic_store_n(&held_up.over, 1, __ATOMIC_RELEASE);
    GIVES(background_join(&serving), WEIR_BADARG);
    GIVES(background_join(&dying), 0);
    mailbox_release(serving.mailbox);
    cr_expect(descriptor_count() == descriptors);
    loopback_close(&loopback);
}

/* What its scheduler does, which has not been told that the mailbox is gone. */
struct heir {
    weir_mailbox *dead;
    weir_socket sockets[2];
    int results[2];
    atomic_int told;
};

static void inherit_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct heir *heir = data;
    (void)socket;
    (void)packet;
    atomic_fetch_add(&heir->told, 1);
}

static void hand_on(void *data)
{
    static const weir_handler handler = {.packet = inherit_packet};
    struct heir *heir = data;
    while (!mailbox_is_dead(heir->dead))
        sched_yield();
    for (int i = 0; i < 2; i++)
        heir->results[i] = weir_controlling_process(heir->sockets[i], weir_mailed_to(heir->dead),
                                                    weir_handled_by(&handler, heir));
}

/* What came for the dead is lost: who had the socket then would read a stream with a hole. */
Test(owner, what_the_dead_owned_is_handed_to_nobody)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    struct heir heir = {.told = 0};
    weir_packet packet;
    GIVES(weir_mailbox_create(&heir.dead), 0);
    mailbox_keep(heir.dead);
    heir.sockets[0] = loopback.socket;
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                   weir_mailed_to(heir.dead)),
          0);
    GIVES(weir_udp_open(loopback.runtime, 0, NULL, weir_mailed_to(heir.dead), &heir.sockets[1]), 0);
    GIVES(set(loopback.socket, "[{active,true}]"), 0);
    peer_write(loopback.peer, "lost", 4);
    EVENTUALLY(weir_mailbox_count(heir.dead) == 1);
    struct background death = {.work = destroy, .mailbox = heir.dead};
    GIVES(weir_run_on(loopback.runtime, weir_scheduler_of(loopback.socket), hand_on, &heir), 0);
    background_start(&death);
    GIVES(background_join(&death), 0);
    for (int i = 0; i < 2; i++) {
        GIVES(heir.results[i], WEIR_CLOSED);
        GIVES(weir_recv(heir.sockets[i], 0, 0, &packet), WEIR_CLOSED);
    }
    cr_expect(atomic_load(&heir.told) == 0);
    mailbox_release(heir.dead);
    loopback_close(&loopback);
}

struct opening {
    struct loopback *loopback;
    struct answer accepted;
    struct answer connected;
};

static void wait_for(struct answer *answer)
{
    while (answer_count(answer) == 0 && weir_sleep(1) == 0)
        continue;
    GIVES(answer->result, 0);
}

/* Without saying whose it is to be. */
static void open_for_itself(void *data)
{
    struct opening *opening = data;
    weir_owner nobody = weir_owned_by_nobody();
    weir_socket listener = opening->loopback->listener;
    GIVES(weir_tcp_accept_async(listener, nobody, WAIT_MS, answer_opened, &opening->accepted), 0);
    GIVES(weir_tcp_connect_async(opening->loopback->runtime, "127.0.0.1",
                                 (uint16_t)weir_port(listener),
                                 WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)), nobody, WAIT_MS,
                                 answer_opened, &opening->connected),
          0);
    wait_for(&opening->accepted);
    wait_for(&opening->connected);
    GIVES(weir_controlling_process(opening->accepted.socket, nobody, nobody), WEIR_NOT_OWNER);
    GIVES(weir_controlling_process(opening->connected.socket, nobody, nobody), WEIR_NOT_OWNER);
}

Test(owner, what_a_process_opens_without_waiting_is_its_own)
{
    struct loopback loopback = loopback_start(NULL);
    struct opening opening = {.loopback = &loopback};
    loopback.listener = listen_with(loopback.runtime, "[{active,false}]");
    run_in_process(loopback.runtime, 0, open_for_itself, &opening);
    loopback_close(&loopback);
}

static void listen_for_itself(void *data)
{
    struct loopback *loopback = data;
    GIVES(weir_tcp_listen(loopback->runtime, "127.0.0.1", 0, NULL, &loopback->listener), 0);
}

Test(owner, a_listener_of_a_process_ends_with_it)
{
    struct loopback loopback = loopback_start(NULL);
    run_in_process(loopback.runtime, 0, listen_for_itself, &loopback);
    EVENTUALLY(weir_port(loopback.listener) == -EINVAL);
    loopback_close(&loopback);
}
