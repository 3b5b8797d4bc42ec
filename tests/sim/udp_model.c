/* SPDX-License-Identifier: MIT */
#include "sim/udp_model.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "runtime/datagram/datagram.h"
#include "runtime/datagram/handout.h"
#include "runtime/datagram/outbox.h"
#include "runtime/datagram/send.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/receive_call.h"
#include "sim/dice.h"
#include "sim/expect.h"
#include "sim/kernel.h"
#include "sim/life.h"
#include "sim/model.h"
#include "sim/pending.h"
#include "sim/post.h"
#include "sim/trace.h"
#include "sim/turns.h"
#include "sim/udp.h"
#include "sim/udp_local.h"
#include <weir/error.h>

struct udp_view udp_views[UDP_MOST];

/* What sockets have met that are closed; of those that nobody has heard of it may be counted. */
static struct {
    uint64_t dropped;
    uint64_t perhaps_dropped;
    uint64_t refused_runs;
} closed;
static weir_totals ended; /* the sum of those of schedulers that have */

void udp_model_reset(void)
{
    for (uint32_t i = 0; i < UDP_MOST; i++)
        udp_views[i].handle.id = 0;
    memset(&closed, 0, sizeof(closed));
    ended = (weir_totals){0};
}

uint32_t udp_model_index(const struct udp_view *view)
{
    return (uint32_t)(view - udp_views);
}

void udp_model_opened(uint32_t index)
{
    struct udp_view *view = &udp_views[index];
    memset(view, 0, offsetof(struct udp_view, given));
    memset((uint8_t *)view + offsetof(struct udp_view, given_head), 0,
           sizeof(*view) - offsetof(struct udp_view, given_head));
    view->active = WEIR_ACTIVE_FALSE;
}

/* Sockets. */

struct datagram *udp_model_socket(const struct udp_view *view)
{
    struct slot *slot = model_live(view->handle);
    return slot ? datagram_of(slot) : NULL;
}

bool udp_is_local(const struct udp_view *view)
{
    return udps[udp_model_index(view)].local;
}

bool udp_is_connected(const struct udp_view *view)
{
    return udps[udp_model_index(view)].connected;
}

struct udp_view *udp_model_of(const struct pending *pending)
{
    const struct udp *udp = &udps[pending->link];
    return udp->used && udp->serial == pending->link_serial ? &udp_views[pending->link] : NULL;
}

static struct udp_view *view_of(const struct datagram *socket)
{
    if (socket->slot.fd < 0)
        return NULL;
    const struct file *file = kernel_file(socket->slot.fd);
    SIM_CHECK(file->kind == FILE_DATAGRAM, "the handle is of no UDP socket");
    return &udp_views[file->link];
}

bool udp_model_is(weir_socket handle)
{
    const struct slot *slot = model_live(handle);
    if (slot)
        return slot->kind == KIND_DATAGRAM;
    for (uint32_t i = 0; i < UDP_MOST; i++)
        if (udps[i].used && weir_same_socket(udp_views[i].handle, handle))
            return true;
    return false;
}

/* Who closes one of those that share a port may close them all, also before the others are known.
 */
static void note_shared(const struct datagram *socket)
{
    uint16_t port = kernel_file(socket->slot.fd)->port;
    uint32_t sharers = 0;
    for (uint32_t i = 0; i < UDP_MOST; i++)
        sharers += udps[i].used && kernel.files[udps[i].file].port == port;
    for (uint32_t i = 0; i < UDP_MOST && sharers > 1; i++)
        if (udps[i].used && kernel.files[udps[i].file].port == port)
            udp_views[i].serves = true;
}

/* A UDP socket's watermarks cannot be set, and lie where no run gets to. */
static void lower_watermarks(struct datagram *socket)
{
    if (option_block_own(&socket->slot.options) < 0)
        return;
    socket->slot.options->values.high_watermark = dice_size(8000);
    socket->slot.options->values.low_watermark =
        dice_below(socket->slot.options->values.high_watermark);
}

/* As it was before the message that it is learnt by. */
static void learn(struct udp_view *view, struct datagram *socket, weir_socket handle,
                  uint32_t owner)
{
    lower_watermarks(socket);
    int32_t first = socket->slot.options->values.active;
    view->handle = handle;
    view->owner = owner;
    note_shared(socket);
    life_owned(handle, owner);
    view->forsaken = post_is_box(owner) && !post_is_alive(owner);
    view->passives_due = first > -32769 && first <= 0;
    view->active = view->passives_due ? WEIR_ACTIVE_FALSE : first;
}

struct udp_view *udp_model_find(weir_socket handle, uint32_t owner)
{
    struct slot *slot = model_live(handle);
    struct udp_view *view = slot ? view_of(datagram_of(slot)) : NULL;
    if (view && view->handle.id == 0)
        learn(view, datagram_of(slot), handle, owner);
    return view;
}

void udp_model_forsake(uint32_t owner)
{
    for (uint32_t i = 0; i < UDP_MOST; i++)
        if (udps[i].used && udp_views[i].handle.id != 0 && udp_views[i].owner == owner)
            udp_views[i].forsaken = true;
}

/* Receiving. */

void udp_model_given(uint32_t index, const struct udp_arrival *arrival, uint32_t filled)
{
    struct udp_view *view = &udp_views[index];
    SIM_CHECK(view->given_tail - view->given_head < UDP_GIVEN_MOST, "udp %u keeps too many", index);
    view->given[view->given_tail++ % UDP_GIVEN_MOST] =
        (struct udp_given){.number = arrival->number,
                           .size = arrival->size,
                           .filled = filled,
                           .peer = arrival->peer,
                           .buffer_sets = view->buffer_sets};
}

void udp_model_given_run(uint32_t index, bool is_told, bool is_whole)
{
    SIM_CHECK(is_told, "udp %u: a run is taken by who cannot tell its datagrams apart", index);
    SIM_CHECK(is_whole, "udp %u: a run is taken into a buffer that it does not fit in", index);
}

void __real_handout_share(struct scheduler *scheduler, struct datagram *socket);
void __wrap_handout_share(struct scheduler *scheduler, struct datagram *socket);

/* Datagrams count, however they came. */
void __wrap_handout_share(struct scheduler *scheduler, struct datagram *socket)
{
    const struct traffic *received = &socket->received->traffic;
    bool is_within_another = socket->delivering;
    uint64_t before = received->count;
    uint64_t most = (uint64_t)datagram_values(socket)->read_packets;
    __real_handout_share(scheduler, socket);
    SIM_CHECK(is_within_another || received->count - before <= most,
              "%llu datagrams are handed out, {read_packets,%llu}",
              (unsigned long long)(received->count - before), (unsigned long long)most);
}

static bool is_from(const struct udp_view *view, const weir_datagram *datagram, uint32_t peer)
{
    if (udp_is_local(view))
        return udp_local_is_from(datagram, peer);
    struct sockaddr_in from = udp_peer_address(peer);
    return datagram->source.port == ntohs(from.sin_port) &&
           memcmp(datagram->source.bytes, &from.sin_addr, sizeof(from.sin_addr)) == 0;
}

static bool says(const struct udp_view *view, const weir_packet *packet,
                 const struct udp_given *given)
{
    static uint8_t bytes[UINT16_MAX];
    size_t size = expect_whole_size(packet);
    bool may_be = !model_lenient || packet->datagram->truncated == (size < given->size);
    if (size > given->filled || !may_be || !is_from(view, packet->datagram, given->peer))
        return false;
    udp_fill(given->number, bytes, size);
    return memcmp(packet->bytes - packet->header_size, bytes, size) == 0;
}

/* It is cut to what {buffer,_} was when it was taken from the kernel. */
static void check_size(const struct udp_view *view, const struct udp_given *given,
                       const weir_packet *packet)
{
    size_t size = expect_whole_size(packet);
    const struct datagram *socket = udp_model_socket(view);
    uint32_t most = socket ? datagram_values(socket)->buffer : 0;
    SIM_CHECK(packet->datagram->truncated == (size < given->size),
              "%zu of a datagram's %u bytes, and truncated is %d", size, given->size,
              packet->datagram->truncated);
    if (socket && given->buffer_sets == view->buffer_sets)
        SIM_CHECK(size == (given->filled < most ? given->filled : most),
                  "%zu bytes of a datagram of %u, of which the kernel gave %u", size, given->size,
                  given->filled);
}

static void take(struct udp_view *view, const weir_packet *packet)
{
    turns_progress();
    SIM_CHECK(packet->datagram, "a packet without where it is from");
    for (;;) {
        SIM_CHECK(view->given_head != view->given_tail, "a datagram that the kernel never gave");
        const struct udp_given *given = &view->given[view->given_head++ % UDP_GIVEN_MOST];
        if (!says(view, packet, given)) {
            SIM_CHECK(model_lenient, "udp %u: datagram %u is next, and another one came",
                      udp_model_index(view), given->number);
            continue; /* there was no memory to keep it */
        }
        check_size(view, given, packet);
        view->packets++;
        view->octets += expect_whole_size(packet);
        view->truncated += packet->datagram->truncated;
        return;
    }
}

static void check_message(const struct udp_view *view, const char *name)
{
    SIM_CHECK(!view->closed, "%s after the application closed", name);
}

void udp_model_packet(struct udp_view *view, const weir_packet *packet)
{
    const struct datagram *socket = udp_model_socket(view);
    check_message(view, "a datagram");
    SIM_CHECK(view->active != WEIR_ACTIVE_FALSE, "a datagram of a passive socket");
    if (view->active == WEIR_ACTIVE_ONCE) {
        view->active = WEIR_ACTIVE_FALSE;
    } else if (view->active != WEIR_ACTIVE_TRUE && --view->active == 0) {
        view->active = WEIR_ACTIVE_FALSE;
        view->passives_due++;
    }
    SIM_CHECK(socket && socket->active == view->active, "active is not %d", view->active);
    take(view, packet);
}

void udp_model_received(struct udp_view *view, const weir_packet *packet)
{
    take(view, packet);
}

struct udp_view *udp_model_receiving(const weir_packet *kept)
{
    for (uint32_t i = 0; i < UDP_MOST; i++) {
        struct udp_view *view = &udp_views[i];
        const struct datagram *socket =
            udps[i].used && view->receiver ? udp_model_socket(view) : NULL;
        if (socket && socket->caller && kept == &receive_call_of(socket->caller)->packet)
            return view;
    }
    return NULL;
}

void udp_model_passive(struct udp_view *view)
{
    check_message(view, "passive");
    SIM_CHECK(view->passives_due > 0, "passive, and nothing was counted down");
    view->passives_due--;
}

void udp_model_told_closed(struct udp_view *view)
{
    check_message(view, "closed");
    SIM_CHECK(model_stopping && view->active != WEIR_ACTIVE_FALSE, "closed for no reason");
}

/* Errors. */

/* Those that say something of what was sent. */
static bool is_told(int error)
{
    return error != -ECANCELED && error != -EINTR && error != -EAGAIN && error != -ENOMEM &&
           error != -ENOBUFS;
}

void udp_model_receive_failed(uint32_t index, int error)
{
    udp_views[index].untold += is_told(error);
}

void udp_model_error(struct udp_view *view, int error)
{
    check_message(view, "an error");
    SIM_CHECK(error == view->expected_error, "error %s, which nobody has met",
              weir_error_name(error));
    view->expected_error = 0;
}

struct scheduler;
void __real_datagram_tell_error(struct scheduler *scheduler, struct datagram *socket, int error);
void __wrap_datagram_tell_error(struct scheduler *scheduler, struct datagram *socket, int error);

static void foresee_error(struct udp_view *view, const struct datagram *socket, int error)
{
    SIM_CHECK(view->untold > 0 || model_lenient,
              "udp %u: error %s is told, and the kernel has told none", udp_model_index(view),
              weir_error_name(error));
    view->untold -= view->untold > 0;
    if (socket->slot.state != SOCKET_OPEN)
        return;
    if (socket->active != WEIR_ACTIVE_FALSE)
        view->expected_error = error;
    else if (socket->caller)
        pending_at(view->receiver - 1)->told = error;
    else
        view->error = error;
}

void __wrap_datagram_tell_error(struct scheduler *scheduler, struct datagram *socket, int error)
{
    struct udp_view *view = view_of(socket);
    bool is_lost = view && udp_is_local(view) && socket->slot.state != SOCKET_OPEN;
    bool known = view && !view->forsaken && !is_lost;
    if (known)
        foresee_error(view, socket, error);
    __real_datagram_tell_error(scheduler, socket, error);
    if (known && !view->forsaken)
        SIM_CHECK(view->expected_error == 0 || view->closed || model_lenient,
                  "udp %u: its owner was not told of error %s", udp_model_index(view),
                  weir_error_name(error));
}

/* Sending. */

uint64_t udp_model_sum(const uint8_t *bytes, size_t size)
{
    uint64_t sum = 1469598103934665603u;
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ bytes[i]) * 1099511628211u;
    return sum;
}

void udp_model_accepted(struct udp_view *view, const struct udp_letter *letter, const void *bytes)
{
    SIM_CHECK(view->letter_count < UDP_SENT_MOST, "too many datagrams to send");
    struct udp_letter *place = &view->letters[view->letter_count++];
    trace("udp %lld: %lld bytes for peer %lld are to be sent, call %lld", udp_model_index(view),
          letter->size, letter->peer, (int64_t)letter->pending - 1);
    *place = *letter;
    place->sum = udp_model_sum(bytes, letter->size);
}

static void remove_letter(struct udp_view *view, uint32_t place)
{
    view->letter_count--;
    memmove(&view->letters[place], &view->letters[place + 1],
            (view->letter_count - place) * sizeof(view->letters[0]));
}

static bool is_same(const struct udp_letter *a, const struct udp_letter *b)
{
    return a->sum == b->sum && a->size == b->size && a->peer == b->peer;
}

/* From `from` on. What has never been offered is not overtaken. */
static uint32_t find_letter(const struct udp_view *view, uint32_t from,
                            const struct udp_letter *sought)
{
    for (uint32_t i = from; i < view->letter_count; i++) {
        const struct udp_letter *letter = &view->letters[i];
        if (is_same(letter, sought))
            return i;
        SIM_CHECK(letter->offered || model_lenient,
                  "udp %u: what is sent overtakes a datagram of %u bytes", udp_model_index(view),
                  letter->size);
    }
    sim_fail("udp %u: a datagram of %u bytes is sent that was not accepted, or a second time",
             udp_model_index(view), sought->size);
}

/* Which of those that say the same it was cannot be told. */
static void note_offered(struct udp_view *view, const struct udp_letter *sought)
{
    for (uint32_t i = 0; i < view->letter_count; i++)
        if (is_same(&view->letters[i], sought))
            view->letters[i].offered = true;
}

void udp_model_note_left(struct udp_view *view)
{
    for (uint32_t i = view->letter_count; i-- > 0;) {
        uint32_t mark = view->letters[i].pending;
        const struct pending *pending = mark ? pending_at(mark - 1) : NULL;
        const struct call *call = pending ? pending->call : NULL;
        if (call && pending->kind != PENDING_FREE && call->result == WEIR_KILLED)
            udp_model_left(pending, call);
    }
}

/* It has left, or is lost: whoever waits for it is to be told so. */
static void settle(struct udp_view *view, uint32_t place, int result)
{
    uint32_t pending = view->letters[place].pending;
    if (pending) {
        pending_at(pending - 1)->given = true;
        pending_at(pending - 1)->told = result;
    }
    view->settled_count++;
    remove_letter(view, place);
}

static bool comes_back(int result, bool is_run)
{
    return result == -EAGAIN ||
           (is_run && (result == -EIO || result == -EINVAL || result == -EMSGSIZE));
}

struct piece_of_run {
    const uint8_t *bytes;
    uint32_t size;
    uint32_t peer;
};

/* Where to look for the next. */
static uint32_t offer(struct udp_view *view, const struct piece_of_run *piece, uint32_t from,
                      int result, bool is_run)
{
    struct udp_letter sought = {
        .sum = udp_model_sum(piece->bytes, piece->size), .size = piece->size, .peer = piece->peer};
    uint32_t place = find_letter(view, from, &sought);
    SIM_CHECK(!is_run || !view->letters[place].pending, "somebody waits for one of a run");
    if (view->letters[place].offered || comes_back(result, is_run))
        note_offered(view, &sought);
    if (comes_back(result, is_run))
        return place + 1;
    if (result < 0 && !view->letters[place].pending && !is_run)
        view->untold++;
    settle(view, place, result);
    return place;
}

void udp_model_sent(uint32_t index, const struct msghdr *message, uint32_t segment, int result)
{
    struct udp_view *view = &udp_views[index];
    size_t size = message->msg_iov[0].iov_len;
    struct piece_of_run piece = {.bytes = message->msg_iov[0].iov_base,
                                 .peer = udp_peer_of_message(message)};
    uint32_t from = 0;
    bool is_spared = result < 0 && udps[index].connected; /* all of a run but the first */
    if (view->handle.id == 0 || view->forsaken)
        return;
    udp_model_note_left(view);
    for (size_t done = 0; done < size || done == 0; done += piece.size) {
        piece.size = (uint32_t)(segment && size - done > segment ? segment : size - done);
        from = offer(view, &piece, from, is_spared && done > 0 ? -EAGAIN : result, segment > 0);
        piece.bytes += piece.size;
        if (size == 0)
            break;
    }
    if (segment && result < 0 && !comes_back(result, true))
        view->untold++;
    if (segment && comes_back(result, true) && result != -EAGAIN)
        udps[index].run_count++;
}

void udp_model_answered(const struct pending *pending, int result)
{
    struct udp_view *view = udp_model_of(pending);
    uint32_t mark = pending_index(pending) + 1;
    uint32_t place = 0;
    if (pending->given) {
        SIM_CHECK(result == pending->told, "a send gave %s, the kernel said %s",
                  weir_error_name(result), weir_error_name(pending->told));
        return;
    }
    if (!view || view->forsaken)
        return;
    while (place < view->letter_count && view->letters[place].pending != mark)
        place++;
    if (place == view->letter_count)
        return;
    bool was_foreseen = result != -ENOBUFS || result == view->error || model_lenient;
    SIM_CHECK(result < 0 && was_foreseen, "a send gave %s, and the kernel has not got it",
              weir_error_name(result));
    if (result == view->error)
        view->error = 0; /* it went on only now, and is told what the next call is to be told */
    remove_letter(view, place);
}

void udp_model_left(const struct pending *pending, const struct call *call)
{
    struct udp_view *view = udp_model_of(pending);
    uint32_t mark = pending_index(pending) + 1;
    for (uint32_t i = 0; view && i < view->letter_count; i++) {
        if (view->letters[i].pending != mark)
            continue;
        if (letter_call_of((struct call *)call)->parcel)
            view->letters[i].pending = 0;
        else
            remove_letter(view, i);
        return;
    }
}

void udp_model_unbusy(struct udp_view *view)
{
    const struct datagram *socket = udp_model_socket(view);
    check_message(view, "unbusy");
    SIM_CHECK(view->owed_unbusy, "unbusy, and nobody was refused");
    SIM_CHECK(socket && !socket->outbox->busy, "unbusy of a busy socket");
    view->owed_unbusy = false;
}

void udp_model_totals(const weir_totals *totals)
{
    ended.datagrams_dropped += totals->datagrams_dropped;
    ended.refused_runs += totals->refused_runs;
}

void udp_model_check_totals(void)
{
    SIM_CHECK(ended.datagrams_dropped >= closed.dropped &&
                  ended.datagrams_dropped <= closed.dropped + closed.perhaps_dropped,
              "%llu datagrams are counted as dropped, not %llu",
              (unsigned long long)ended.datagrams_dropped, (unsigned long long)closed.dropped);
    SIM_CHECK(ended.refused_runs >= closed.refused_runs,
              "%llu runs are counted as refused, not %llu", (unsigned long long)ended.refused_runs,
              (unsigned long long)closed.refused_runs);
}

static void count_closed(uint32_t index)
{
    *(udp_views[index].handle.id ? &closed.dropped : &closed.perhaps_dropped) +=
        udps[index].dropped;
    closed.refused_runs += udps[index].run_count;
}

void udp_model_closed(uint32_t index)
{
    const struct udp_view *view = &udp_views[index];
    count_closed(index);
    if (view->handle.id == 0 || view->forsaken || model_lenient)
        return;
    udp_model_note_left(&udp_views[index]);
    SIM_CHECK(view->closed || view->serves || model_stopping, "udp %u: nobody has closed it",
              index);
    if (udps[index].local) /* its peers may never have had room */
        return;
    for (uint32_t i = 0; i < view->letter_count; i++)
        SIM_CHECK(view->letters[i].pending,
                  "udp %u: a datagram of %u bytes was never sent, and is closed", index,
                  view->letters[i].size);
}
