/* SPDX-License-Identifier: MIT */
/* What each socket has of a turn, and of the receive buffers. */
#include "support/loopback.h"

#include <stdatomic.h>

#include <sys/socket.h>

/* {packet,1} without a body: a byte each, all of them in one receive buffer. */
enum { TINY = 16000, SHARE = 256 };

/* Written on the scheduler, read when all has come. */
struct flood {
    weir_runtime *runtime;
    weir_socket socket;
    uint64_t turn;
    uint32_t in_turn;
    uint32_t most_in_turn;
    uint32_t counts_from; /* that packet on */
    uint32_t packets;
    uint32_t neighbours; /* its packets */
    uint32_t before_neighbour;
    bool told;
    atomic_uint told_after;
};

static void count_tiny(weir_socket socket, const weir_packet *packet, void *data)
{
    struct flood *flood = data;
    weir_totals totals;
    (void)socket;
    if (packet->size > 0) {
        flood->neighbours++;
        flood->before_neighbour = flood->packets;
        return;
    }
    cr_assert(!flood->told);
    GIVES(weir_get_totals(flood->runtime, 0, &totals), 0);
    flood->in_turn = totals.turns == flood->turn ? flood->in_turn + 1 : 1;
    flood->turn = totals.turns;
    flood->packets++;
    if (flood->in_turn > flood->most_in_turn && flood->packets > flood->counts_from)
        flood->most_in_turn = flood->in_turn;
}

static void count_end(weir_socket socket, void *data)
{
    struct flood *flood = data;
    if (socket.id != flood->socket.id)
        return;
    flood->told = true;
    atomic_store(&flood->told_after, flood->packets);
}

static const weir_handler tiny_handler = {.packet = count_tiny, .closed = count_end};

static void hand_to(struct loopback *loopback, struct flood *flood)
{
    flood->runtime = loopback->runtime;
    GIVES(weir_controlling_process(loopback->socket, weir_mailed_to(loopback->mailbox),
                                   weir_handled_by(&tiny_handler, flood)),
          0);
}

/* Which it would take in one turn if it were let. */
static void write_tiny(int peer)
{
    static const char tiny[TINY];
    peer_write(peer, tiny, sizeof(tiny));
}

Test(share, many_small_packets_are_handed_out_over_many_turns)
{
    struct loopback loopback = loopback_open("[{active,false},{packet,1}]");
    struct flood flood = {.socket = loopback.socket};
    hand_to(&loopback, &flood);
    write_tiny(loopback.peer);
    peer_finish(loopback.peer);
    GIVES(set(loopback.socket, "[{active,true}]"), 0);
    EVENTUALLY(atomic_load(&flood.told_after) > 0);
    cr_expect_eq(atomic_load(&flood.told_after), (uint32_t)TINY);
    cr_expect_leq(flood.most_in_turn, (uint32_t)SHARE);
    loopback_close(&loopback);
}

/* Another connection beside the one there is, whose peer is the caller's from now on. */
static int open_another(struct loopback *loopback)
{
    int peer = loopback->peer;
    loopback->peer = -1;
    loopback->socket = (weir_socket){0};
    loopback_reopen(loopback);
    return peer;
}

struct both {
    weir_socket flooder;
    weir_socket neighbour;
};

/* One completion after the other: the flooder's comes first. */
static void make_active(void *data)
{
    const struct both *both = data;
    GIVES(set(both->flooder, "[{active,true}]"), 0);
    GIVES(set(both->neighbour, "[{active,true}]"), 0);
}

Test(share, a_neighbour_comes_before_the_rest_of_a_flood)
{
    struct loopback loopback = loopback_open("[{active,false},{packet,1}]");
    struct flood flood = {.socket = loopback.socket};
    hand_to(&loopback, &flood);
    int flooder = open_another(&loopback);
    hand_to(&loopback, &flood);
    struct both both = {flood.socket, loopback.socket};
    write_tiny(flooder);
    peer_write(loopback.peer, "\1n", 2);
    run_there(loopback.runtime, 0, make_active, &both);
    peer_finish(flooder);
    EVENTUALLY(atomic_load(&flood.told_after) > 0);
    cr_expect_eq(flood.packets, (uint32_t)TINY);
    cr_expect_eq(flood.neighbours, 1u);
    cr_expect_leq(flood.before_neighbour, (uint32_t)SHARE);
    peer_leave(&flooder);
    loopback_close(&loopback);
}

/* What many that would go on for ever have of a turn together, once it is known that they would. */
enum { FLOOD_COUNT = 16, SHARE_OF_ALL = 512 };

struct floods {
    struct loopback *loopback;
    struct flood *flood;
    weir_socket sockets[FLOOD_COUNT];
    uint32_t packets;
};

static void make_floods_active(void *data)
{
    struct floods *floods = data;
    for (int i = 0; i < FLOOD_COUNT; i++)
        GIVES(set(floods->sockets[i], "[{active,true}]"), 0);
}

static void look_at_packets(void *data)
{
    struct floods *floods = data;
    floods->packets = floods->flood->packets;
}

static uint32_t packets_of(struct floods *floods)
{
    run_there(floods->loopback->runtime, 0, look_at_packets, floods);
    return floods->packets;
}

Test(share, many_floods_share_a_turn)
{
    struct loopback loopback = loopback_open("[{active,false},{packet,1}]");
    struct flood flood = {.counts_from = 2 * FLOOD_COUNT * SHARE};
    struct floods floods = {.loopback = &loopback, .flood = &flood};
    int peers[FLOOD_COUNT];
    for (int i = 0; i < FLOOD_COUNT; i++) {
        floods.sockets[i] = loopback.socket;
        hand_to(&loopback, &flood);
        write_tiny(loopback.peer);
        peers[i] = open_another(&loopback);
    }
    run_there(loopback.runtime, 0, make_floods_active, &floods);
    EVENTUALLY(packets_of(&floods) == FLOOD_COUNT * TINY);
    cr_expect_leq(flood.most_in_turn, (uint32_t)SHARE_OF_ALL);
    cr_expect_gt(flood.most_in_turn, 0u);
    for (int i = 0; i < FLOOD_COUNT; i++)
        peer_leave(&peers[i]);
    loopback_close(&loopback);
}

struct leaver {
    atomic_uint packets;
    atomic_uint gone;
};

static void close_late(weir_socket socket, const weir_packet *packet, void *data)
{
    struct leaver *leaver = data;
    (void)packet;
    if (atomic_fetch_add(&leaver->packets, 1) + 1 == 2 * SHARE)
        weir_close(socket);
}

static void count_gone(weir_socket socket, void *data)
{
    struct leaver *leaver = data;
    (void)socket;
    atomic_fetch_add(&leaver->gone, 1);
}

static const weir_handler leaver_handler = {.packet = close_late, .gone = count_gone};

/* By its own callback, where more is put off, and by another thread, while it may be. */
Test(share, a_socket_with_more_to_hand_out_closes)
{
    struct loopback loopback = loopback_open("[{active,false},{packet,1}]");
    struct leaver leaver = {0};
    for (uint32_t i = 1; i <= 20; i++) {
        GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                       weir_handled_by(&leaver_handler, &leaver)),
              0);
        write_tiny(loopback.peer);
        GIVES(set(loopback.socket, "[{active,true}]"), 0);
        if (i % 2 == 0)
            weir_close(loopback.socket);
        EVENTUALLY(atomic_load(&leaver.gone) == i);
        cr_expect_leq(atomic_load(&leaver.packets), 2u * SHARE);
        atomic_store(&leaver.packets, 0);
        loopback_reopen(&loopback);
    }
    loopback_close(&loopback);
}

/* A socket that is told to stop in the middle of its share, and goes on by another way. */
Test(share, what_was_put_off_is_received_when_the_socket_has_become_passive)
{
    struct loopback loopback = loopback_open("[{active,false},{packet,1}]");
    weir_statistics statistics;
    uint32_t got = 0;
    write_tiny(loopback.peer);
    peer_say(loopback.peer, "\3end");
    GIVES(set(loopback.socket, "[{active,1000}]"), 0);
    for (weir_message message = next_message(loopback.mailbox);
         message.kind != WEIR_MESSAGE_PASSIVE; message = next_message(loopback.mailbox)) {
        cr_assert(message.kind == WEIR_MESSAGE_DATA && message.packet.size == 0);
        weir_packet_release(&message.packet);
        got++;
    }
    cr_expect_eq(got, 1000u);
    for (; got < TINY; got++)
        expect_received(loopback.socket, 0, "");
    expect_received(loopback.socket, 0, "end");
    statistics = statistics_of(loopback.socket);
    cr_expect_eq(statistics.recv_cnt, TINY + 1u);
    loopback_close(&loopback);
}

/* More connections than receive buffers, and all of them have much to say. */
enum { BUFFERS = 64, CONNECTIONS = 80, BUFFER_BYTES = 16384, LEAD_BYTES = 4 * BUFFER_BYTES };

struct crowd {
    weir_socket sockets[CONNECTIONS];
    int peers[CONNECTIONS];
    uint64_t had[CONNECTIONS]; /* of what was written */
    uint64_t written[CONNECTIONS];
    uint64_t most_lead;
    atomic_uint served;
};

struct place {
    struct crowd *crowd;
    uint32_t index;
};

static uint64_t least_had(const struct crowd *crowd)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < CONNECTIONS; i++)
        if (crowd->had[i] < crowd->written[i] && crowd->had[i] < least)
            least = crowd->had[i];
    return least;
}

static void count_bytes(weir_socket socket, const weir_packet *packet, void *data)
{
    struct place *place = data;
    struct crowd *crowd = place->crowd;
    uint64_t least = least_had(crowd);
    uint64_t *had = &crowd->had[place->index];
    (void)socket;
    *had += packet->size;
    if (*had > least && *had - least > crowd->most_lead)
        crowd->most_lead = *had - least;
    if (*had == crowd->written[place->index])
        atomic_fetch_add(&crowd->served, 1);
}

static const weir_handler crowd_handler = {.packet = count_bytes};

/* As much as the kernel holds for a receiver that does not receive. */
static uint64_t write_all(int peer)
{
    static const char bytes[BUFFER_BYTES];
    uint64_t written = 0;
    ssize_t result;
    while (written < (uint64_t)16 * BUFFER_BYTES &&
           (result = send(peer, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
        written += (uint64_t)result;
    return written;
}

static void make_all_active(void *data)
{
    const struct crowd *crowd = data;
    for (int i = 0; i < CONNECTIONS; i++)
        GIVES(set(crowd->sockets[i], "[{active,true}]"), 0);
}

Test(share, buffers_go_round_when_there_are_fewer_than_sockets)
{
    struct loopback loopback =
        loopback_start(&(weir_config){.schedulers = 1, .buffer_count = BUFFERS});
    static struct crowd crowd;
    struct place places[CONNECTIONS];
    loopback.listener = listen_with(loopback.runtime, "[{active,false},{recbuf,300000}]");
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        (void)open_another(&loopback);
        crowd.sockets[i] = loopback.socket;
        crowd.peers[i] = loopback.peer;
        crowd.written[i] = write_all(crowd.peers[i]);
        places[i] = (struct place){&crowd, i};
        GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                       weir_handled_by(&crowd_handler, &places[i])),
              0);
    }
    run_there(loopback.runtime, 0, make_all_active, &crowd);
    EVENTUALLY(atomic_load(&crowd.served) == CONNECTIONS);
    cr_expect_leq(crowd.most_lead, (uint64_t)LEAD_BYTES);
    for (int i = 0; i + 1 < CONNECTIONS; i++) /* the last is the loopback's */
        peer_leave(&crowd.peers[i]);
    loopback_close(&loopback);
}
