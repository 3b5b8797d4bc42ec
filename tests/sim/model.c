/* SPDX-License-Identifier: MIT */
#include "sim/model.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/output.h"
#include "runtime/stream/stream.h"
#include "sim/alarms.h"
#include "sim/expect.h"
#include "sim/kernel.h"
#include "sim/life.h"
#include "sim/link.h"
#include "sim/pending.h"
#include "sim/post.h"
#include "sim/trace.h"
#include "sim/turns.h"
#include <weir/error.h>

bool model_lenient;
bool model_stopping;

enum { HOMES_MOST = 4 };

static struct conn *conns;
static uint32_t *link_of_slot[HOMES_MOST];
static struct scheduler *homes[HOMES_MOST];

void model_open(uint32_t capacity)
{
    conns = memory_map(capacity * sizeof(*conns));
    SIM_CHECK(conns, "no memory for the model");
    for (uint32_t i = 0; i < HOMES_MOST; i++) {
        link_of_slot[i] = memory_map(2 * capacity * sizeof(**link_of_slot));
        SIM_CHECK(link_of_slot[i], "no memory for the model");
    }
}

void model_close(void)
{
    memory_unmap(conns, kernel.capacity * sizeof(*conns));
    for (uint32_t i = 0; i < HOMES_MOST; i++)
        memory_unmap(link_of_slot[i], 2 * kernel.capacity * sizeof(**link_of_slot));
}

void model_reset(struct weir_runtime *runtime)
{
    memset(conns, 0, kernel.capacity * sizeof(*conns)); /* handles are the last run's again */
    for (uint32_t i = 0; i < HOMES_MOST; i++)
        homes[i] = i < runtime->scheduler_count ? runtime->schedulers[i] : NULL;
    model_lenient = false;
    model_stopping = false;
}

void model_scheduler_over(const struct scheduler *scheduler)
{
    life_scheduler_over(scheduler);
    alarms_scheduler_over(scheduler);
    homes[scheduler->number] = NULL;
}

struct scheduler *model_home(weir_socket handle)
{
    for (uint32_t i = 0; i < HOMES_MOST; i++)
        if (homes[i] && homes[i]->index == slot_scheduler(handle))
            return homes[i];
    return NULL;
}

struct slot *model_live(weir_socket handle)
{
    struct scheduler *home = handle.id ? model_home(handle) : NULL;
    return home ? slot_find(home, handle) : NULL;
}

struct stream *model_live_stream(weir_socket handle)
{
    struct scheduler *home = handle.id ? model_home(handle) : NULL;
    return home ? stream_find(home, handle) : NULL;
}

struct conn *model_conn(uint32_t link)
{
    return &conns[link];
}

uint32_t model_link(const struct conn *conn)
{
    return (uint32_t)(conn - conns);
}

/* Also when its handle is dead already. */
struct stream *model_socket(const struct conn *conn)
{
    uint32_t generation = (uint32_t)(conn->handle.id >> 32) & 0xFFFFFF;
    struct scheduler *home = conn->handle.id ? model_home(conn->handle) : NULL;
    if (!home)
        return NULL;
    uint32_t index = (uint32_t)conn->handle.id - home->first_index;
    struct slot *slot = slot_table_at(&home->slots, index);
    bool used = slot && slot->generation == generation && slot->state != SOCKET_FREE;
    return used ? stream_of(slot) : NULL;
}

static struct conn *learn(weir_socket handle, uint32_t owner)
{
    const struct stream *socket = model_live_stream(handle);
    if (!socket || socket->slot.fd < 0)
        return NULL;
    const struct file *file = kernel_file(socket->slot.fd);
    SIM_CHECK(file->kind == FILE_STREAM, "the handle is of no connection");
    struct conn *conn = &conns[file->link];
    if (conn->handle.id != 0)
        return NULL;
    conn->handle = handle;
    conn->owner = owner;
    life_owned(handle, owner);
    conn->forsaken = post_is_box(owner) && !post_is_alive(owner);
    /* Before the message that it is learnt by. */
    int32_t first = stream_values(socket)->active;
    conn->passives_due = first > -32769 && first <= 0 && socket->active == WEIR_ACTIVE_FALSE;
    conn->active = conn->passives_due ? WEIR_ACTIVE_FALSE : first;
    link_of_slot[model_home(handle)->number][socket->slot.index] = file->link;
    return conn;
}

struct conn *model_find(weir_socket handle, uint32_t owner)
{
    uint32_t slot = (uint32_t)handle.id;
    const struct scheduler *home = model_home(handle);
    SIM_CHECK(home && slot < 2 * kernel.capacity, "a handle of slot %u", slot);
    struct conn *conn = &conns[link_of_slot[home->number][slot]];
    return weir_same_socket(conn->handle, handle) ? conn : learn(handle, owner);
}

void model_link_created(uint32_t link)
{
    conns[link] = (struct conn){.active = WEIR_ACTIVE_FALSE};
}

void model_link_reset(uint32_t link)
{
    conns[link].may_lose = true;
}

bool model_link_over(uint32_t link)
{
    const struct link *l = &links[link];
    SIM_CHECK(l->out_seen == l->out_taken || l->reset || l->peer_gone,
              "link %u is over before its peer has seen all", link);
    const struct stream *socket = model_socket(&conns[link]);
    if (socket && socket->slot.state == SOCKET_GONE)
        return false;
    conns[link].handle.id = 0;
    return true;
}

void model_send_failed(uint32_t link)
{
    conns[link].may_lose = true;
}

void model_accepted(struct conn *conn, const uint8_t *bytes, size_t size)
{
    struct link *link = &links[model_link(conn)];
    uint8_t header[FRAMING_HEADER_MAX];
    const struct stream *socket = model_socket(conn);
    SIM_CHECK(socket, "a send to a socket that is gone is accepted");
    int header_size = framing_encode_header(stream_values(socket)->packet, size, header);
    uint8_t *room = link_room(link, size + (size_t)header_size);
    SIM_CHECK(room && header_size >= 0, "accepted, %zu bytes, though it does not fit", size);
    memmove(room + header_size, bytes, size);
    memcpy(room, header, (size_t)header_size);
    link->out_size += (uint32_t)(size + (size_t)header_size);
    conn->sends++;
}

/* A send that waited may not fit the packet type that has come meanwhile. */
static bool fits(const struct stream *socket, size_t size)
{
    uint8_t header[FRAMING_HEADER_MAX];
    return framing_encode_header(stream_values(socket)->packet, size, header) >= 0;
}

void model_note_resumed(struct conn *conn)
{
    const struct stream *socket = model_socket(conn);
    while (socket && conn->sends < socket->sent.count) {
        SIM_CHECK(conn->first_suspended, "link %u: more sends are counted than were accepted",
                  model_link(conn));
        struct pending *pending = pending_at(conn->first_suspended - 1);
        conn->first_suspended = pending->next;
        if (!fits(socket, pending->length))
            continue;
        model_accepted(conn, pending->bytes, pending->length);
        pending->bytes = NULL;
    }
}

void model_kernel_takes(uint32_t index, const uint8_t *bytes, size_t size)
{
    struct link *link = &links[index];
    struct conn *conn = &conns[index];
    model_note_resumed(conn);
    SIM_CHECK(size <= link->out_size - link->out_taken,
              "link %u: %zu bytes are sent, %u were accepted", index, size,
              link->out_size - link->out_taken);
    if (memcmp(bytes, link->out + link->out_taken, size) != 0)
        sim_fail("link %u: what is sent at %u, %zu bytes, is not what was accepted", index,
                 link->out_taken, size);
    link->out_taken += (uint32_t)size;
}

static void check_all_sent(uint32_t index, const char *when)
{
    struct conn *conn = &conns[index];
    const struct link *link = &links[index];
    model_note_resumed(conn);
    SIM_CHECK(link->out_taken == link->out_size || conn->may_lose || link->reset ||
                  link->peer_gone || model_lenient,
              "link %u: %u of %u bytes were not sent %s", index, link->out_size - link->out_taken,
              link->out_size, when);
}

void model_file_closed(uint32_t link, bool abort)
{
    model_note_resumed(&conns[link]);
    if (!abort)
        check_all_sent(link, "before the descriptor was closed");
}

void model_shut_down(uint32_t link)
{
    check_all_sent(link, "before the shutdown");
}

/* From here on it is what its listener's template said, or what it was set to meanwhile. */
void model_message_accepted(struct conn *conn)
{
    conn->accepting = false;
    if (conn->closed || conn->active > 0 || conn->active < -32768)
        return;
    conn->active = WEIR_ACTIVE_FALSE;
    conn->passives_due++;
}

static void check_message(const struct conn *conn, const char *name)
{
    SIM_CHECK(!conn->closed, "%s after the application closed", name);
    SIM_CHECK(!conn->closed_told, "%s after closed", name);
}

static void count_packet(struct conn *conn, const weir_packet *packet, size_t length)
{
    uint32_t consumed = expect_packet(conn, packet, length);
    conn->cursor += consumed;
    conn->packets++;
    turns_count_packet(conn);
    conn->octets += consumed;
}

void model_message_packet(struct conn *conn, const weir_packet *packet)
{
    check_message(conn, "a packet");
    SIM_CHECK(!conn->error_told, "a packet after an error");
    SIM_CHECK(!conn->accepting, "a packet before accepted has returned");
    const struct stream *socket = model_socket(conn);
    SIM_CHECK(socket, "a packet of a socket that is free");
    SIM_CHECK(conn->active != WEIR_ACTIVE_FALSE, "a packet of a passive socket");
    if (conn->active == WEIR_ACTIVE_ONCE) {
        conn->active = WEIR_ACTIVE_FALSE;
    } else if (conn->active != WEIR_ACTIVE_TRUE && --conn->active == 0) {
        conn->active = WEIR_ACTIVE_FALSE;
        conn->passives_due++;
    }
    SIM_CHECK(socket->active == conn->active, "active is %d, should be %d", socket->active,
              conn->active);
    count_packet(conn, packet, 0);
}

void model_received_packet(struct conn *conn, const weir_packet *packet, size_t length)
{
    count_packet(conn, packet, length);
}

void model_message_passive(struct conn *conn)
{
    check_message(conn, "passive");
    SIM_CHECK(!conn->error_told, "passive after an error");
    SIM_CHECK(conn->passives_due > 0, "passive, and nothing was counted down");
    conn->passives_due--;
}

void model_message_error(struct conn *conn, int error)
{
    const struct link *link = &links[model_link(conn)];
    const struct stream *socket = model_socket(conn);
    check_message(conn, "an error");
    SIM_CHECK(!conn->error_told, "a second error");
    SIM_CHECK(socket, "an error of a socket that is free");
    conn->error_told = true;
    if (error == -EMSGSIZE)
        SIM_CHECK(expect_invalid(conn), "emsgsize, and what comes next is a packet of type %d",
                  stream_values(socket)->packet);
    else if (error == -ECONNRESET)
        SIM_CHECK((link->reset || conn->may_lose || socket->sending != SENDING_OPEN) &&
                      stream_values(socket)->show_econnreset,
                  "econnreset out of turn");
    else if (error == WEIR_TIMEOUT)
        SIM_CHECK(conn->timed_out, "a time-out for no reason");
    else
        SIM_CHECK((error == -ETIMEDOUT && link->reset) || (error == -EIO && conn->cuts_file) ||
                      (error == -ENOMEM && model_lenient),
                  "error %s for no reason", weir_error_name(error));
}

/* Who waited has been told the end, and has not called back yet. */
static bool is_end_on_its_way(const struct conn *conn, const struct stream *socket)
{
    return conn->receiver && !pending_at(conn->receiver - 1)->given && socket && !socket->waiter;
}

static bool has_ended(const struct conn *conn)
{
    const struct link *link = &links[model_link(conn)];
    const struct stream *socket = model_socket(conn);
    bool shut = socket && socket->slot.fd >= 0 && kernel_file(socket->slot.fd)->shut_read;
    bool gone = socket && socket->slot.state == SOCKET_GONE;
    return link->reset || shut || gone || conn->end_seen || conn->may_lose || model_stopping ||
           (link->in_fin && link->in_read == link->in_written);
}

void model_message_closed(struct conn *conn)
{
    check_message(conn, "closed");
    SIM_CHECK(conn->active != WEIR_ACTIVE_FALSE || conn->error_told || model_lenient,
              "closed to a passive socket");
    conn->end_seen |= is_end_on_its_way(conn, model_socket(conn));
    SIM_CHECK(has_ended(conn) || conn->error_told || expect_invalid(conn), "closed for no reason");
    bool framed_to_the_end =
        model_socket(conn)->slot.state == SOCKET_OPEN && !conn->may_lose && !conn->end_seen;
    if (framed_to_the_end && !conn->error_told && !model_lenient && !model_stopping)
        SIM_CHECK(!expect_more(conn, 0), "closed before a packet that came before the end");
    conn->closed_told = true;
}

void model_message_unbusy(struct conn *conn)
{
    SIM_CHECK(!conn->closed, "unbusy after the application closed");
    SIM_CHECK(conn->owed_unbusy, "unbusy, and nobody was refused");
    conn->owed_unbusy = false;
    const struct stream *socket = model_socket(conn);
    SIM_CHECK(socket &&
                  (!socket->output || !socket->output->busy || conn->may_lose || model_lenient),
              "unbusy of a busy socket");
}
