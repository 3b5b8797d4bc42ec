/* SPDX-License-Identifier: MIT */
/* The seam of runtime/ring/ring.h over the simulated kernel. */
#include "sim/ring_sim.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "runtime/listener/listener.h"
#include "runtime/ring/features.h"
#include "runtime/ring/operation.h"
#include "runtime/ring/ring.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/stream.h"
#include "sim/actor.h"
#include "sim/dice.h"
#include "sim/event.h"
#include "sim/kernel.h"
#include "sim/link.h"
#include "sim/model.h"
#include "sim/names.h"
#include "sim/operation.h"
#include "sim/pieces.h"
#include "sim/trace.h"
#include "sim/turns.h"

enum {
    ENTRY_MOST = 512,
    QUEUE_SIZE = 1 << 21, /* completions, the overflow list included */
    BUFFER_MOST = 4096,
    OLD_COUNT = 64,
    RING_MOST = 4,
};

struct entry {
    struct op op;
    int fd;
    uint32_t serial;  /* of the descriptor that is to be polled */
    uint64_t cancels; /* the operation that it is to end; 0: none */
    const struct msghdr *message;
    const struct sockaddr *address;
};

enum buffer_place { BUFFER_OUT, BUFFER_OFFERED, BUFFER_IN_RING };

struct ring {
    bool open;
    struct ring_config config;
    struct ring_counters counters;
    struct entry entries[ENTRY_MOST];
    uint32_t entry_count;
    struct ring_completion queue[QUEUE_SIZE];
    uint32_t head;
    uint32_t tail;
    uint32_t overflowed; /* of those between head and tail, the last so many */
    uint8_t *bytes[BUFFER_MOST];
    uint8_t place[BUFFER_MOST]; /* enum buffer_place */
    uint16_t available[BUFFER_MOST];
    uint32_t available_head;
    uint32_t available_tail;
    uint16_t offered[BUFFER_MOST];
    uint32_t offered_count;
    uint64_t old[OLD_COUNT]; /* operations that are over */
    uint32_t old_count;
};

static struct ring rings[RING_MOST];
static struct ring *the_ring = &rings[0]; /* whose operations are dealt with */

void ring_sim_choose(uint32_t ring)
{
    the_ring = &rings[ring];
}

static uint32_t index_of(const struct ring *ring)
{
    return (uint32_t)(ring - rings);
}

int ring_open(struct ring **out, const struct ring_config *config, struct ring_profile *profile)
{
    struct ring *ring = rings;
    while (ring < rings + RING_MOST && ring->open)
        ring++;
    SIM_CHECK(ring < rings + RING_MOST, "too many rings");
    ring->open = true;
    ring->config = *config;
    ring->counters = (struct ring_counters){0};
    ring->entry_count = 0;
    ring->head = ring->tail = ring->overflowed = 0;
    ring->available_head = ring->available_tail = ring->offered_count = 0;
    ring->old_count = 0;
    *profile = (struct ring_profile){
        .features = FEATURE_ALL & ~config->features_off,
        .submission_entries = config->submission_entries,
        .completion_entries = config->completion_entries,
    };
    if (!(profile->features & FEATURE_BIT(BUFFER_RING)))
        profile->features &= ~FEATURE_BIT(MULTISHOT_RECEIVE);
    SIM_CHECK(config->submission_entries <= ENTRY_MOST && config->buffer_count <= BUFFER_MOST,
              "a ring too large for the simulation");
    *out = ring;
    return 0;
}

void ring_close(struct ring *ring)
{
    ring->open = false;
}

int ring_register_buffers(struct ring *ring)
{
    memset(ring->place, BUFFER_OUT, sizeof(ring->place));
    return 0;
}

/* The memory is scribbled over, so that who still looks at it is found out. */
void ring_offer_buffer(struct ring *ring, uint16_t buffer, uint8_t *bytes)
{
    SIM_CHECK(ring->open, "a buffer is offered to a ring that is closed");
    SIM_CHECK(buffer < ring->config.buffer_count, "buffer %u is none", buffer);
    SIM_CHECK(ring->place[buffer] == BUFFER_OUT, "buffer %u is offered twice", buffer);
    ring->place[buffer] = BUFFER_OFFERED;
    ring->bytes[buffer] = bytes;
    ring->offered[ring->offered_count++] = buffer;
    memset(bytes, 0xDD, ring->config.buffer_size);
}

void ring_publish_buffers(struct ring *ring)
{
    for (uint32_t i = 0; i < ring->offered_count; i++) {
        ring->place[ring->offered[i]] = BUFFER_IN_RING;
        ring->available[ring->available_tail++ % BUFFER_MOST] = ring->offered[i];
    }
    ring->offered_count = 0;
}

int ring_sim_take_buffer(void)
{
    struct ring *ring = the_ring;
    if (ring->available_head == ring->available_tail)
        return -1;
    uint16_t buffer = ring->available[ring->available_head++ % BUFFER_MOST];
    ring->place[buffer] = BUFFER_OUT;
    return buffer;
}

uint8_t *ring_sim_buffer(int buffer)
{
    return the_ring->bytes[buffer];
}

uint32_t ring_sim_buffer_size(void)
{
    return the_ring->config.buffer_size;
}

uint32_t ring_sim_available(void)
{
    return the_ring->available_tail - the_ring->available_head;
}

uint32_t ring_sim_buffer_count(void)
{
    return the_ring->config.buffer_count;
}

static uint32_t visible(const struct ring *ring)
{
    return ring->tail - ring->head - ring->overflowed;
}

bool ring_sim_has_completions(void)
{
    return the_ring->tail != the_ring->head;
}

uint32_t ring_sim_overflow_count(void)
{
    return the_ring->overflowed;
}

bool ring_sim_is_full(void)
{
    return the_ring->overflowed > 0 || visible(the_ring) >= the_ring->config.completion_entries;
}

bool ring_sim_post(uint64_t user_data, int32_t result, uint32_t flags)
{
    struct ring *ring = the_ring;
    bool full = ring_sim_is_full();
    SIM_CHECK(ring->tail - ring->head < QUEUE_SIZE, "too many completions");
    ring->queue[ring->tail++ % QUEUE_SIZE] = (struct ring_completion){user_data, result, flags};
    ring->overflowed += full;
    kernel.completion_count++;
    if (!(flags & RING_MORE) && !operation_is_cancel(user_data) &&
        operation_kind(user_data) != KIND_NONE)
        ring->old[ring->old_count++ % OLD_COUNT] = user_data;
    return !full;
}

static void flush_overflow(struct ring *ring)
{
    uint32_t room = ring->config.completion_entries - visible(ring);
    if (ring->overflowed == 0)
        return;
    ring->counters.overflows++;
    ring->overflowed -= room < ring->overflowed ? room : ring->overflowed;
}

/* What a kernel that was late with an old operation would say: the slot has another socket by
 * now. It brings a descriptor or a buffer that must not be lost. */
static void post_stale(struct ring *ring, const struct op *fresh)
{
    if (ring->old_count == 0 || !dice_chance(kernel.faults.stale))
        return;
    uint64_t old = ring->old[dice_below(ring->old_count < OLD_COUNT ? ring->old_count : OLD_COUNT)];
    if (operation_slot(old) != operation_slot(fresh->user_data) ||
        operation_generation(old) == operation_generation(fresh->user_data))
        return;
    int32_t result = -ECANCELED;
    uint32_t flags = 0;
    if (operation_of(old) == LISTENER_ACCEPT) {
        result = kernel_new_file(FILE_SOCKET);
    } else if (operation_of(old) == STREAM_RECEIVE) {
        int buffer = ring_sim_take_buffer();
        if (buffer >= 0) {
            result = 1;
            flags = RING_BUFFER | (uint32_t)buffer << RING_BUFFER_SHIFT;
        }
    }
    trace("stale %llx: %lld", (int64_t)old, result, 0, 0);
    kernel.stale_count++;
    ring->queue[ring->tail++ % QUEUE_SIZE] = (struct ring_completion){old, result, flags};
    ring->overflowed += ring_sim_is_full();
}

static void begin(struct ring *ring, const struct entry *entry)
{
    uint32_t index = kernel_fd_index(entry->fd);
    struct op op = entry->op;
    ring_sim_choose(index_of(ring));
    op.ring = (uint8_t)index_of(ring);
    if (entry->cancels) {
        if (!operation_cancel(entry->cancels, op.ring)) {
            trace("cancel of %llx finds nothing", (int64_t)entry->cancels, 0, 0, 0);
            ring_sim_post(op.user_data, -ENOENT, 0);
        }
        return;
    }
    uint32_t kind = operation_kind(op.user_data);
    bool is_name_poll = op.kind == OP_POLL && kind != KIND_DATAGRAM && kind != KIND_INCOMING;
    if (is_name_poll && !names_may_be_polled(entry->fd, entry->serial)) {
        ring_sim_post(op.user_data, -EBADF, 0);
        return;
    }
    (void)kernel_file(entry->fd);
    trace("submit %llx: kind %lld, descriptor %lld, %lld bytes", (int64_t)op.user_data, op.kind,
          entry->fd, (int64_t)op.size);
    if (op.kind != OP_WAKE)
        post_stale(ring, &op);
    if (entry->message)
        op.message = pieces_copy(entry->message);
    if (op.kind == OP_CONNECT)
        operation_begin_connect(index, &op, entry->address);
    else
        operation_begin(index, &op);
}

/* False: the kernel took nothing, or not all. */
static bool submit(struct ring *ring)
{
    uint32_t count = ring->entry_count;
    ring->counters.system_calls++;
    if (count > 0 && dice_chance(kernel.faults.refused_submit))
        count = 0;
    else if (count > 1 && dice_chance(kernel.faults.partial_submit))
        count = dice_between(1, count - 1);
    for (uint32_t i = 0; i < count; i++)
        begin(ring, &ring->entries[i]);
    bool all = count == ring->entry_count;
    ring->entry_count -= count;
    memmove(ring->entries, ring->entries + count, ring->entry_count * sizeof(ring->entries[0]));
    return all;
}

static struct entry *next_entry(struct ring *ring, uint64_t user_data, enum op_kind kind, int fd)
{
    while (ring->entry_count >= ring->config.submission_entries)
        submit(ring);
    struct entry *entry = &ring->entries[ring->entry_count++];
    turns_progress();
    *entry = (struct entry){.op = {.user_data = user_data, .kind = (uint8_t)kind}, .fd = fd};
    return entry;
}

void ring_accept(struct ring *ring, uint64_t user_data, int fd, bool multishot)
{
    next_entry(ring, user_data, OP_ACCEPT, fd)->op.multishot = multishot;
}

void ring_connect(struct ring *ring, uint64_t user_data, int fd, const struct sockaddr *address,
                  socklen_t size)
{
    (void)size;
    next_entry(ring, user_data, OP_CONNECT, fd)->address = address;
}

void ring_receive(struct ring *ring, uint64_t user_data, int fd, bool multishot)
{
    next_entry(ring, user_data, OP_RECEIVE, fd)->op.multishot = multishot;
}

void ring_receive_into(struct ring *ring, uint64_t user_data, int fd, struct ring_memory memory)
{
    struct entry *entry = next_entry(ring, user_data, OP_RECEIVE, fd);
    entry->op.memory = memory.bytes;
    entry->op.size = memory.size;
    entry->op.never_waits = !memory.waits;
}

void ring_wait_readable(struct ring *ring, uint64_t user_data, int fd)
{
    next_entry(ring, user_data, OP_READABLE, fd);
}

void ring_send(struct ring *ring, uint64_t user_data, int fd, const void *bytes, size_t size)
{
    struct entry *entry = next_entry(ring, user_data, OP_SEND, fd);
    SIM_CHECK(size > 0, "an empty send");
    entry->op.memory = (uint8_t *)bytes;
    entry->op.size = size;
}

void ring_send_message(struct ring *ring, uint64_t user_data, int fd, const struct msghdr *message,
                       bool zero_copy)
{
    struct entry *entry = next_entry(ring, user_data, OP_SEND, fd);
    entry->message = message;
    entry->op.zero_copy = zero_copy;
}

void ring_read(struct ring *ring, uint64_t user_data, void *memory, struct file_range range)
{
    struct entry *entry = next_entry(ring, user_data, OP_READ, range.fd);
    entry->op.memory = memory;
    entry->op.offset = range.offset;
    entry->op.all = range.patient;
    entry->op.size = range.size;
}

void ring_watch_writable(struct ring *ring, uint64_t user_data, int fd)
{
    next_entry(ring, user_data, OP_WATCH, fd);
}

void ring_poll(struct ring *ring, uint64_t user_data, int fd, unsigned events)
{
    struct entry *entry = next_entry(ring, user_data, OP_POLL, fd);
    entry->op.size = events;
    entry->serial = kernel_file(fd)->serial;
}

void ring_cancel(struct ring *ring, uint64_t user_data, uint64_t target)
{
    next_entry(ring, user_data, OP_NONE, FIRST_FD)->cancels = target;
}

void ring_wait_wake(struct ring *ring, uint64_t user_data, int fd)
{
    next_entry(ring, user_data, OP_WAKE, fd);
}

uint32_t ring_pending(const struct ring *ring)
{
    return ring->entry_count;
}

static uint64_t real_now_ns(void)
{
    struct timespec now;
    (void)timespec_get(&now, TIME_UTC);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void ring_submit(struct ring *ring)
{
    uint64_t began_ns = kernel.measures ? real_now_ns() : 0;
    submit(ring);
    if (kernel.measures)
        kernel.spent_ns += real_now_ns() - began_ns;
}

static bool has_visible(void *ring)
{
    return visible(ring) > 0;
}

static void turn(struct ring *ring, uint64_t timeout_ns)
{
    enum { TURN_NS = 1000 };
    actor_pause(); /* it means to sleep, and has not said so to the kernel */
    bool all = submit(ring);
    turns_end(scheduler_current(), all && timeout_ns > 0 && visible(ring) == 0);
    actor_pause();
    kernel.now_ns += TURN_NS;
    event_run_due(kernel.now_ns);
    flush_overflow(ring);
    if (!all || timeout_ns == 0 || visible(ring) > 0)
        return;
    ring_sim_choose(index_of(ring));
    model_check_asleep();
    actor_wait(has_visible, ring,
               timeout_ns == UINT64_MAX ? UINT64_MAX : kernel.now_ns + timeout_ns);
    flush_overflow(ring);
}

void ring_turn(struct ring *ring, uint64_t timeout_ns)
{
    uint64_t began_ns = kernel.measures ? real_now_ns() : 0;
    turn(ring, timeout_ns);
    if (kernel.measures)
        kernel.spent_ns += real_now_ns() - began_ns;
}

bool ring_has_work(struct ring *ring)
{
    return visible(ring) > 0;
}

uint32_t ring_ready(const struct ring *ring)
{
    return visible(ring);
}

uint32_t ring_take(struct ring *ring, struct ring_completion *completions, uint32_t count)
{
    uint32_t taken = 0;
    actor_pause();
    while (taken < count && visible(ring) > 0)
        completions[taken++] = ring->queue[ring->head++ % QUEUE_SIZE];
    if (taken > 0)
        turns_progress();
    return taken;
}

struct ring_counters ring_get_counters(const struct ring *ring)
{
    actor_pause();
    return ring->counters;
}
