/* SPDX-License-Identifier: MIT */
#include "runtime/stream/shelf.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/canary.h"
#include "base/memory.h"
#include "runtime/buffer/buffer.h"
#include "runtime/buffer/packet.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/packet_cutter.h"
#include "runtime/stream/stream.h"

enum { PACKETS = 1024, SHELVES_PER_THREAD = 8 };

#define CLOSED (1u << 31)

struct shelf {
    atomic_uint refs;  /* its thread's, and the input's that lies on it */
    atomic_uint taken; /* packets, and CLOSED */
    weir_socket socket;
    struct option_values values;
    struct framer framer;
    struct weir_buffer *block;
    const uint8_t *bytes;
    size_t size;
    uint32_t ends[PACKETS]; /* of the packets that were taken */
};

static _Thread_local struct shelf *shelves[SHELVES_PER_THREAD]; /* that something lies on */
static _Thread_local struct shelf *spare;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_end;

static void release(struct shelf *shelf)
{
    if (!shelf || atomic_fetch_sub_explicit(&shelf->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (shelf->block)
        buffer_release(shelf->block);
    memory_free(shelf);
}

void shelf_forget_all(void)
{
    for (int i = 0; i < SHELVES_PER_THREAD; i++) {
        release(shelves[i]);
        shelves[i] = NULL;
    }
    release(spare);
    spare = NULL;
}

static void end_thread(void *unused)
{
    (void)unused;
    shelf_forget_all();
}

/* The child of a fork has no scheduler: what lies on shelves is its parent's to read. */
static void leave_behind(void)
{
    memset(shelves, 0, sizeof(shelves));
}

static void make_key(void)
{
    (void)pthread_atfork(NULL, NULL, leave_behind);
    (void)pthread_key_create(&at_end, end_thread);
}

static struct shelf **place_of(weir_socket socket)
{
    uint64_t mixed = socket.id * 0x9e3779b97f4a7c15u;
    return &shelves[mixed >> 61];
}

static struct shelf *create(void)
{
    struct shelf *shelf = memory_allocate_zeroed(1, sizeof(*shelf));
    if (!shelf)
        return NULL;
    atomic_init(&shelf->refs, 1);
    pthread_once(&once, make_key);
    (void)pthread_setspecific(at_end, shelves); /* anything but NULL */
    return shelf;
}

/* The connection's own, which it may have the bytes of, or one that is empty. */
struct shelf *shelf_lend(weir_socket socket)
{
    struct shelf **place = place_of(socket);
    struct shelf **from = *place && (*place)->socket.id == socket.id ? place : &spare;
    struct shelf *shelf = *from ? *from : create();
    *from = NULL;
    if (shelf)
        shelf->socket = socket;
    return shelf;
}

static void keep_empty(struct shelf *shelf)
{
    if (shelf->block)
        buffer_release(shelf->block);
    shelf->block = NULL;
    release(spare);
    spare = shelf;
}

/* The place may be another connection's, which asks its scheduler from now on. */
void shelf_return(struct shelf *shelf)
{
    if (!shelf)
        return;
    if (atomic_load_explicit(&shelf->refs, memory_order_acquire) == 1) {
        keep_empty(shelf);
        return;
    }
    struct shelf **place = place_of(shelf->socket);
    release(*place);
    *place = shelf;
}

static bool cut(struct shelf *shelf, uint32_t start, size_t length, weir_packet *packet,
                size_t *consumed)
{
    struct packet_cutter cutter = {&shelf->values, &shelf->framer, length};
    weir_decoded decoded;
    if (length > 0 && shelf->values.packet != WEIR_RAW)
        return false;
    if (packet_cutter_next(&cutter, shelf->bytes + start, shelf->size - start, &decoded, NULL) !=
        WEIR_DECODE_OK)
        return false;
    weir_packet lent = packet_make(&decoded, NULL, &shelf->values, shelf->block);
    *consumed = decoded.consumed;
    return weir_packet_keep(&lent, packet) == 0;
}

bool shelf_take(weir_socket socket, size_t length, weir_packet *packet)
{
    struct shelf *shelf = *place_of(socket);
    if (!shelf || shelf->socket.id != socket.id)
        return false;
    unsigned taken = atomic_load_explicit(&shelf->taken, memory_order_relaxed);
    if ((taken & CLOSED) || taken == PACKETS)
        return false;
    uint32_t start = taken > 0 ? shelf->ends[taken - 1] : 0;
    size_t consumed;
    weir_packet kept;
    if (start == shelf->size || !cut(shelf, start, length, &kept, &consumed))
        return false;
    shelf->ends[taken] = start + (uint32_t)consumed;
    if (!atomic_compare_exchange_strong_explicit(&shelf->taken, &taken, taken + 1,
                                                 memory_order_acq_rel, memory_order_relaxed)) {
        weir_packet_release(&kept);
        return false;
    }
    *packet = kept;
    return true;
}

/* Http has more to remember between packets, {bit8,on} to look at in each. */
static bool is_suitable(const struct stream *stream)
{
    const struct option_values *values = stream_values(stream);
    return stream->slot.state == SOCKET_OPEN && stream->active == WEIR_ACTIVE_FALSE &&
           !stream->waiter && stream->input && !stream->input->shelf &&
           !stream_fills_input(stream) && !values->bit8 &&
           !framing_is_http((enum weir_packet_type)values->packet);
}

void shelf_fill(struct shelf *shelf, struct stream *stream)
{
    if (!is_suitable(stream) || atomic_load_explicit(&shelf->refs, memory_order_acquire) != 1)
        return;
    if (shelf->block)
        buffer_release(shelf->block);
    shelf->block = stream->input;
    buffer_keep(shelf->block);
    shelf->bytes = shelf->block->bytes + stream->input->start;
    shelf->size = stream->input->end - stream->input->start;
    shelf->values = *stream_values(stream);
    shelf->framer = (struct framer){.scanned = shelf->block->begun.scanned};
    stream->input->shelf = shelf;
    atomic_store_explicit(&shelf->refs, 2, memory_order_relaxed);
    atomic_store_explicit(&shelf->taken, 0, memory_order_release);
}

bool shelf_is_lent(const struct stream *stream)
{
    return stream->input && stream->input->shelf;
}

size_t shelf_take_back(struct stream *stream)
{
    struct shelf *shelf = stream->input ? stream->input->shelf : NULL;
    if (!shelf)
        return 0;
    stream->input->shelf = NULL;
    unsigned taken = atomic_exchange_explicit(&shelf->taken, CLOSED, memory_order_acq_rel);
    uint32_t end = 0;
    for (unsigned i = 0; i < taken; i++) {
        traffic_count(&stream->received, &stream->received_max, shelf->ends[i] - end);
        end = shelf->ends[i];
    }
    if (taken > 0) {
        scheduler_current()->totals.packets_received += taken;
        stream->input->begun = (struct begun_packet){0};
    }
    release(shelf);
    return CANARY(STALE_SHELF) ? 0 : end;
}
