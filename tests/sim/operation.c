/* SPDX-License-Identifier: MIT */
#include "sim/operation.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

#include "runtime/ring/operation.h"
#include "runtime/ring/ring.h"
#include "sim/accepting.h"
#include "sim/at_once.h"
#include "sim/dice.h"
#include "sim/event.h"
#include "sim/link.h"
#include "sim/local.h"
#include "sim/model.h"
#include "sim/names.h"
#include "sim/notice.h"
#include "sim/peer.h"
#include "sim/pieces.h"
#include "sim/rights.h"
#include "sim/ring_sim.h"
#include "sim/trace.h"
#include "sim/udp.h"

static uint32_t in_flight;
static uint32_t serials;

static void look_again(uint32_t file, uint32_t tag);

void operation_reset(void)
{
    in_flight = 0;
    serials = 0;
    notice_reset();
    pieces_reset();
}

static enum op_place place_of(enum op_kind kind)
{
    switch (kind) {
    case OP_RECEIVE:
    case OP_READABLE:
        return PLACE_RECEIVE;
    case OP_SEND:
        return PLACE_SEND;
    case OP_WATCH:
        return PLACE_WATCH;
    default:
        return PLACE_OTHER;
    }
}

static struct file *file_of(const struct op *op)
{
    size_t offset = (size_t)((const char *)op - (const char *)kernel.files);
    return &kernel.files[offset / sizeof(struct file)];
}

void operation_finish(struct op *op)
{
    struct file *file = file_of(op);
    if (op->message)
        pieces_free(op->message);
    op->kind = OP_NONE;
    op->message = 0;
    op->serial = 0;
    in_flight--;
    if (file->is_closed && !operation_is_in_flight(file))
        kernel_free_file(file);
}

void operation_complete(struct op *op, int32_t result)
{
    uint64_t user_data = op->user_data;
    trace("operation %llx ends: %lld", (int64_t)user_data, result, 0, 0);
    operation_finish(op);
    ring_sim_post(user_data, result, 0);
}

static int transient_error(void)
{
    static const int errors[] = {EINTR, EAGAIN, ENOMEM};
    return -errors[dice_below(3)];
}

/* EAGAIN says that there is no room, and nothing else. */
static int transient_send_error(const struct op *op)
{
    static const int errors[] = {EINTR, ENOBUFS, ENOMEM};
    uint32_t rights = 0;
    if (op->message)
        (void)pieces_rights(op->message, &rights);
    return rights > 0 && dice_chance(500) ? -ETOOMANYREFS : -errors[dice_below(3)];
}

/* It says nothing of the connection. */
static bool is_passing(int result)
{
    static const int passing[] = {EINTR, ENOBUFS, ENOMEM, ETOOMANYREFS, EOPNOTSUPP};
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
        if (result == -passing[i])
            return true;
    return false;
}

static int take_error(struct file *file)
{
    int error = -file->error;
    file->error = 0;
    return error;
}

static const struct piece *pieces_of(const struct op *op, struct piece *one, uint32_t *count)
{
    *one = (struct piece){op->memory, op->size};
    *count = 1;
    return op->message ? pieces_of_message(op->message, count) : one;
}

/* The send is over, its memory is not. */
static void complete_and_notice(struct op *op, int32_t result)
{
    struct piece one;
    uint32_t count;
    uint64_t user_data = op->user_data;
    const struct piece *pieces = pieces_of(op, &one, &count);
    notice_promise(op, pieces, count);
    trace("zero-copy send %llx: %lld", (int64_t)user_data, result, 0, 0);
    operation_finish(op);
    ring_sim_post(user_data, result, RING_MORE);
}

static uint32_t amount(uint32_t most, uint32_t short_per_mille)
{
    return dice_chance(short_per_mille) ? dice_between(1, most) : most;
}

/* The end of what can be read, as a result; 1: there may be more. */
static int read_end(struct file *file, const struct link *link)
{
    if (link->in_read < link->in_written)
        return 1;
    if (file->error)
        return take_error(file);
    return link->reset || link->in_fin || file->shut_read ? 0 : 1;
}

/* One buffer's worth. False: the operation has ended. */
static bool receive_one(struct file *file, struct op *op, struct link *link)
{
    int buffer = ring_sim_take_buffer();
    if (buffer < 0) {
        operation_complete(op, -ENOBUFS);
        return false;
    }
    uint32_t size = link->in_written - link->in_read;
    if (size > ring_sim_buffer_size())
        size = ring_sim_buffer_size();
    size = rights_limit(file->link, amount(size, kernel.faults.short_read));
    memcpy(ring_sim_buffer(buffer), link->in + link->in_read, size);
    link->in_read += size;
    bool goes_on =
        op->multishot && !ring_sim_is_full() && !dice_chance(kernel.faults.multishot_end);
    uint64_t user_data = op->user_data;
    trace("receive %llx: %lld bytes in buffer %lld, more %lld", (int64_t)user_data, size, buffer,
          goes_on);
    if (!goes_on)
        operation_finish(op);
    ring_sim_post(user_data, (int32_t)size,
                  RING_BUFFER | (uint32_t)buffer << RING_BUFFER_SHIFT | (goes_on ? RING_MORE : 0));
    link_was_read(file->link);
    return goes_on;
}

/* Newer kernels take at most 32 buffers before others have their turn. */
static void receive_buffers(struct file *file, struct op *op, struct link *link)
{
    enum { TURNS_MOST = 32 };
    for (int i = 0; i < TURNS_MOST; i++) {
        int result = read_end(file, link);
        if (result != 1) {
            operation_complete(op, result);
            return;
        }
        if (link->in_read == link->in_written || !receive_one(file, op, link))
            return;
    }
    kernel_kick((uint32_t)(file - kernel.files), PLACE_RECEIVE);
}

static void receive_into(struct file *file, struct op *op, struct link *link)
{
    uint32_t size = link->in_written - link->in_read;
    if (size > op->size - op->done)
        size = (uint32_t)(op->size - op->done);
    if (size > 0) {
        size = rights_limit(file->link, amount(size, kernel.faults.short_read));
        memcpy(op->memory + op->done, link->in + link->in_read, size);
    }
    link->in_read += size;
    op->done += size;
    if (size > 0)
        link_was_read(file->link);
    bool enough = op->done > 0 && (!op->all || op->done == op->size || dice_chance(10));
    int result = enough || link->in_read < link->in_written ? 1 : read_end(file, link);
    if (enough || (result != 1 && op->done > 0))
        operation_complete(op, (int32_t)op->done);
    else if (result != 1)
        operation_complete(op, result);
    else if (link->in_read < link->in_written)
        kernel_kick((uint32_t)(file - kernel.files), PLACE_RECEIVE);
    else if (op->never_waits)
        operation_complete(op, -EAGAIN);
}

static void do_receive(struct file *file, struct op *op)
{
    struct link *link = &links[file->link];
    if (op->done == 0 && dice_chance(kernel.faults.transient))
        operation_complete(op, transient_error());
    else if (op->memory)
        receive_into(file, op, link);
    else
        receive_buffers(file, op, link);
}

static void do_wait_readable(const struct file *file, struct op *op)
{
    if (dice_chance(kernel.faults.transient))
        operation_complete(op, -ENOMEM);
    else if (at_once_readable(file))
        operation_complete(op, POLLIN);
}

/* Compares what the application hands over with what it had been told is accepted. */
static uint32_t take_bytes(struct file *file, const struct op *op, uint32_t most)
{
    struct piece one;
    uint32_t count;
    const struct piece *pieces = pieces_of(op, &one, &count);
    uint32_t taken = 0;
    for (uint32_t i = 0; i < count && taken < most; i++) {
        size_t size = pieces[i].size < most - taken ? pieces[i].size : most - taken;
        model_kernel_takes(file->link, pieces[i].bytes, size);
        taken += (uint32_t)size;
    }
    return taken;
}

static size_t send_size(const struct op *op)
{
    struct piece one;
    uint32_t count;
    size_t size = 0;
    const struct piece *pieces = pieces_of(op, &one, &count);
    for (uint32_t i = 0; i < count; i++)
        size += pieces[i].size;
    return size;
}

static bool send_is_refused(struct file *file, struct op *op, const struct link *link)
{
    int result = 0;
    if (op->zero_copy && link->local)
        result = -EOPNOTSUPP;
    else if (link->local && (link->peer_gone || file->shut_write))
        result = -EPIPE; /* the error is for who receives */
    else if (file->error)
        result = take_error(file);
    else if (link->reset || link->peer_gone || file->shut_write)
        result = -EPIPE;
    else if (dice_chance(kernel.faults.transient))
        result = transient_send_error(op);
    if (result == 0)
        return false;
    if (link->peer_gone && !link->reset && !link->local)
        link_reset_by_peer(file->link, 0);
    if (!is_passing(result))
        model_send_failed(file->link);
    operation_complete(op, result);
    return true;
}

/* They go with the first byte. */
static void take_rights(const struct file *file, const struct op *op)
{
    uint32_t count = 0;
    const int *descriptors = op->message ? pieces_rights(op->message, &count) : NULL;
    if (count > 0)
        rights_taken(file->link, descriptors, count);
}

static uint32_t room_of(const struct link *link)
{
    return link->out_window - (link->out_taken - link->out_seen);
}

static void do_send(struct file *file, struct op *op)
{
    struct link *link = &links[file->link];
    uint32_t room = room_of(link);
    if (send_is_refused(file, op, link))
        return;
    if (room == 0) {
        file->lacked_room = true;
        operation_complete(op, -EAGAIN);
        return;
    }
    size_t size = send_size(op);
    if (size < room)
        room = (uint32_t)size;
    take_rights(file, op);
    room = take_bytes(file, op, amount(room, kernel.faults.short_write));
    link_was_written(file->link);
    if (op->zero_copy)
        complete_and_notice(op, (int32_t)room);
    else
        operation_complete(op, (int32_t)room);
}

/* What poll would say. Room is told once, after it was lacking. */
static int watch_events(struct file *file, const struct link *link)
{
    int events = 0;
    if (file->error || link->reset || link->peer_gone)
        return POLLERR | POLLHUP | POLLOUT;
    if (file->lacked_room && room_of(link) > 0)
        events = POLLOUT;
    if ((link->in_fin || file->shut_read) && (events || dice_chance(200)))
        events |= POLLRDHUP;
    return events;
}

static void do_watch(struct file *file, struct op *op)
{
    int events = watch_events(file, &links[file->link]);
    if (events == 0)
        return;
    if (events & POLLOUT)
        file->lacked_room = false;
    uint64_t user_data = op->user_data;
    bool goes_on = !ring_sim_is_full() && !dice_chance(kernel.faults.multishot_end);
    trace("watch %llx: events %lld, more %lld", (int64_t)user_data, events, goes_on, 0);
    if (!goes_on)
        operation_finish(op);
    ring_sim_post(user_data, events, goes_on ? RING_MORE : 0);
}

static void do_read(struct file *file, struct op *op)
{
    size_t size = op->offset < file->size ? file->size - op->offset : 0;
    if (!op->all && dice_chance(kernel.faults.transient)) {
        operation_complete(op,
                           dice_chance(500) ? -EINTR : -EAGAIN); /* who is patient gets neither */
        return;
    }
    size = size < op->size ? size : op->size;
    if (size > 0) {
        size = amount((uint32_t)size, kernel.faults.short_read);
        memcpy(op->memory, file->bytes + op->offset, size);
    }
    operation_complete(op, (int32_t)size);
}

static bool is_tried(const struct file *file, const struct op *op)
{
    switch ((enum op_kind)op->kind) {
    case OP_ACCEPT:
        return local_backlog(file)->link != NO_LINK;
    case OP_RECEIVE:
        return links[file->link].in_read < links[file->link].in_written;
    default:
        return true;
    }
}

/* Who is refused for want of memory or descriptors tries again later, and not at once. */
static bool is_in_trouble(const struct file *file, struct op *op)
{
    enum { MS = 1000000 };
    struct trouble *trouble = &kernel.trouble;
    if (op->kind != trouble->kind || kernel.now_ns < trouble->begin_ns ||
        kernel.now_ns >= trouble->end_ns || !is_tried(file, op))
        return false;
    uint64_t most = (2 + (kernel.now_ns - trouble->begin_ns) / MS) * kernel.capacity;
    most += kernel.opened_count; /* each of those may find out for itself */
    SIM_CHECK(++trouble->count <= most, "what fails with error %d is tried %llu times",
              trouble->error, (unsigned long long)trouble->count);
    operation_complete(op, -trouble->error);
    return true;
}

/* An error is there whatever was asked for. */
static unsigned ready_of(const struct file *file, unsigned events)
{
    switch ((enum file_kind)file->kind) {
    case FILE_DATAGRAM:
        return udp_file_ready(file) & (events | POLLERR);
    case FILE_STREAM:
        return at_once_readable(file) ? POLLIN : 0;
    default:
        return names_ready(file) & events;
    }
}

static void do_poll(const struct file *file, struct op *op, unsigned events)
{
    unsigned ready = ready_of(file, events);
    if (ready)
        operation_complete(op, (int32_t)ready);
}

static void do_op(struct file *file, struct op *op)
{
    if (is_in_trouble(file, op))
        return;
    switch ((enum op_kind)op->kind) {
    case OP_RECEIVE:
        do_receive(file, op);
        break;
    case OP_READABLE:
        if (file->kind == FILE_DATAGRAM)
            do_poll(file, op, POLLIN);
        else
            do_wait_readable(file, op);
        break;
    case OP_SEND:
        do_send(file, op);
        break;
    case OP_ACCEPT:
        accepting_do(file, op);
        break;
    case OP_WAKE:
        if (file->wakes == 0)
            break;
        file->wakes = 0;
        operation_complete(op, sizeof(file->wakes));
        break;
    case OP_READ:
        do_read(file, op);
        break;
    case OP_WATCH:
        do_watch(file, op);
        break;
    case OP_POLL:
        do_poll(file, op, (unsigned)op->size);
        break;
    case OP_CONNECT: /* the peer answers */
    case OP_NONE:
        break;
    }
}

static uint64_t delay_ns(void)
{
    return dice_chance(kernel.faults.late) ? dice_size(3000000) : 0;
}

void kernel_kick(uint32_t index, enum op_place place)
{
    struct op *op = &kernel.files[index].ops[place];
    if (op->kind == OP_NONE || op->kind == OP_CONNECT || op->scheduled)
        return;
    op->scheduled = true;
    event_after(delay_ns(), look_again, index, op->serial * PLACE_COUNT + place);
}

void kernel_kick_receivers(uint32_t index)
{
    kernel_kick(index, PLACE_RECEIVE);
    kernel_kick(index, PLACE_OTHER);
}

void kernel_kick_senders(uint32_t index)
{
    kernel_kick(index, PLACE_SEND);
    kernel_kick(index, PLACE_WATCH);
}

static void end_cancelled(struct op *op)
{
    operation_complete(op, op->done > 0 ? (int32_t)op->done : -ECANCELED);
}

static void look_again(uint32_t index, uint32_t tag)
{
    struct file *file = &kernel.files[index];
    struct op *op = &file->ops[tag % PLACE_COUNT];
    if (op->kind == OP_NONE || op->serial != tag / PLACE_COUNT)
        return;
    op->scheduled = false;
    ring_sim_choose(op->ring);
    do_op(file, op);
    if (op->kind != OP_NONE && op->cancelled && !op->scheduled)
        end_cancelled(op);
}

static struct op *put(struct file *file, const struct op *op)
{
    struct op *place = &file->ops[place_of((enum op_kind)op->kind)];
    SIM_CHECK(place->kind == OP_NONE, "a second operation of kind %d on descriptor %d: %llx",
              op->kind, (int)(file - kernel.files) + FIRST_FD, (unsigned long long)op->user_data);
    *place = *op;
    place->serial = ++serials & 0xFFFFFF;
    kernel.file_of_slot[operation_slot(op->user_data)] = (uint32_t)(file - kernel.files);
    in_flight++;
    return place;
}

void operation_begin(uint32_t index, const struct op *entry)
{
    struct file *file = &kernel.files[index];
    struct op *op = put(file, entry);
    bool stream = file->kind == FILE_STREAM;
    if (op->kind == OP_WATCH)
        file->lacked_room = true; /* who begins to watch is told of room that is there */
    if ((op->kind == OP_RECEIVE || op->kind == OP_SEND) && !stream)
        operation_complete(op, -ENOTCONN);
    else if (op->kind == OP_RECEIVE && !op->memory && ring_sim_available() == 0 && dice_chance(500))
        operation_complete(op, -ENOBUFS); /* also for one that has nothing to read yet */
    else if (dice_chance(500))
        kernel_kick(index, place_of((enum op_kind)op->kind));
    else
        do_op(file, op);
}

void operation_begin_connect(uint32_t index, const struct op *entry, const struct sockaddr *address)
{
    struct op *op = put(&kernel.files[index], entry);
    struct sockaddr_in inet;
    memcpy(&inet, address, sizeof(inet));
    bool local = kernel.files[index].local;
    SIM_CHECK(inet.sin_family == (local ? AF_UNIX : AF_INET), "connect to an address of family %d",
              inet.sin_family);
    peer_answer(index, op->serial, local ? local_port_of(address) : ntohs(inet.sin_port));
}

/* Found by its socket's slot, if that has begun nothing since on another descriptor. */
static struct op *op_of(uint64_t user_data, uint8_t ring)
{
    uint32_t likely = kernel.file_of_slot[operation_slot(user_data)];
    for (uint32_t i = likely; i < kernel.capacity + likely; i++) {
        struct file *file = &kernel.files[i % kernel.capacity];
        for (int place = 0; place < PLACE_COUNT; place++)
            if (file->ops[place].kind != OP_NONE && file->ops[place].ring == ring &&
                file->ops[place].user_data == user_data)
                return &file->ops[place];
    }
    return NULL;
}

bool operation_cancel(uint64_t user_data, uint8_t ring)
{
    struct op *op = op_of(user_data, ring);
    if (!op || dice_chance(kernel.faults.missed_cancel))
        return false;
    bool too_late = op->scheduled && dice_chance(kernel.faults.late_cancel);
    trace("cancel of %llx, too late %lld", (int64_t)user_data, too_late, 0, 0);
    op->cancelled = true;
    op->multishot = false;
    if (!too_late)
        end_cancelled(op);
    return true;
}

bool operation_is_in_flight(const struct file *file)
{
    for (int place = 0; place < PLACE_COUNT; place++)
        if (file->ops[place].kind != OP_NONE)
            return true;
    return false;
}

uint32_t operation_in_flight_count(void)
{
    return in_flight;
}
