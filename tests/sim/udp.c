/* SPDX-License-Identifier: MIT */
#include "sim/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>

#include "runtime/ring/ring.h"
#include "sim/dice.h"
#include "sim/event.h"
#include "sim/operation.h"
#include "sim/ring_sim.h"
#include "sim/trace.h"
#include "sim/udp_connect.h"
#include "sim/udp_local.h"
#include "sim/udp_model.h"

enum { SEGMENTS_MOST = 64, RUN_BYTES_MOST = 65507, HELD_MOST = 256 };

struct udp udps[UDP_MOST];
struct udp_style udp_style;
static struct trouble trouble; /* of all who receive datagrams, for a while */
static uint32_t number_count;

void udp_reset(void)
{
    trouble.begin_ns += kernel.now_ns;
    trouble.end_ns += kernel.now_ns;
    for (uint32_t i = 0; i < UDP_MOST; i++)
        udps[i].used = false;
    number_count = 0;
    udp_local_reset();
}

void udp_choose_style(void)
{
    static const uint32_t errors[] = {0, 0, 0, EIO, EINVAL, EMSGSIZE};
    static const uint32_t chances[] = {0, 0, 50, 300};
    static const uint32_t sizes[] = {20, 300, 1500, 9000};
    udp_style = (struct udp_style){
        .arrivals_most = dice_size(300),
        .burst_most = dice_size(20),
        .size_most = sizes[dice_below(4)],
        .lost = chances[dice_below(4)],
        .repeated = chances[dice_below(4)],
        .late = chances[dice_below(4)],
        .refused = chances[dice_below(3)],
        .room = dice_size(60000),
    };
    for (uint32_t i = 0; i < UDP_NAMED; i++)
        udp_style.segmentation_errors[i] = errors[dice_below(6)];
}

/* From when the run begins on. */
static struct trouble some_trouble(void)
{
    enum { BEGIN_NS_MOST = 100000000, LENGTH_NS_MOST = 300000000 };
    static const int errors[] = {ENOMEM, ENOBUFS, EINTR, EAGAIN};
    struct trouble chosen = {.error = errors[dice_below(4)], .begin_ns = dice_size(BEGIN_NS_MOST)};
    chosen.end_ns = chosen.begin_ns;
    if (dice_chance(100))
        chosen.end_ns += dice_size(LENGTH_NS_MOST);
    return chosen;
}

void udp_choose_more(void)
{
    static const uint32_t chances[] = {0, 0, 100, 500};
    udp_style.runs = chances[dice_below(4)];
    udp_style.apart = chances[dice_below(4)];
    udp_style.amid = chances[dice_below(3)];
    trouble = some_trouble();
}

void udp_fill(uint32_t number, uint8_t *bytes, size_t size)
{
    uint64_t word = number * 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < size; i++) {
        word = (word ^ (word >> 29)) * 0xBF58476D1CE4E5B9u + i;
        bytes[i] = (uint8_t)(word >> 32);
    }
}

struct sockaddr_in udp_peer_address(uint32_t peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    bool named = peer >= UDP_NAMED;
    address.sin_port = htons((uint16_t)(UDP_PORT + (named ? UDP_NAMED : peer)));
    address.sin_addr.s_addr = htonl(0x0a010001u + (named ? peer : peer / 2)); /* or two ports */
    return address;
}

uint32_t udp_peer_of(const struct sockaddr_in *address)
{
    for (uint32_t peer = 0; peer < UDP_PEER_COUNT; peer++) {
        struct sockaddr_in its = udp_peer_address(peer);
        if (its.sin_port == address->sin_port && its.sin_addr.s_addr == address->sin_addr.s_addr)
            return peer;
    }
    sim_fail("a datagram for %x, port %u", ntohl(address->sin_addr.s_addr),
             ntohs(address->sin_port));
}

uint32_t udp_peers_of_name(uint32_t number, uint32_t peers[UDP_PEER_COUNT])
{
    uint32_t named = UDP_PEER_COUNT - UDP_NAMED;
    uint32_t count = number % 3 == 0 ? 1 : named;
    for (uint32_t i = 0; i < count; i++)
        peers[i] = UDP_NAMED + (number + i) % named;
    return count;
}

static struct udp *still_there(uint32_t index, uint32_t serial)
{
    struct udp *udp = &udps[index];
    return udp->used && udp->serial == serial ? udp : NULL;
}

static uint32_t index_of(const struct udp *udp)
{
    return (uint32_t)(udp - udps);
}

static void enqueue(struct udp *udp, const struct udp_arrival *arrival)
{
    if (udp->tail - udp->head == UDP_QUEUE_MOST || udp->held >= HELD_MOST) {
        udp->dropped++;
        return;
    }
    udp->held += arrival->count;
    udp->queue[udp->tail++ % UDP_QUEUE_MOST] = *arrival;
    trace("udp %lld: datagram %lld of %lld bytes arrives, %lld of them", index_of(udp),
          arrival->number, arrival->size, arrival->count);
    kernel_kick(udp->file, PLACE_RECEIVE);
}

static struct udp_arrival some_arrival(void)
{
    struct udp_arrival arrival = {.number = ++number_count, .count = 1};
    arrival.peer = dice_below(UDP_SPEAKER_COUNT);
    arrival.size = arrival.last_size = dice_chance(100) ? 0 : dice_size(udp_style.size_most);
    return arrival;
}

/* What takes its time is overtaken by what comes after it. */
static void arrive_late(uint32_t index, uint32_t serial)
{
    struct udp *udp = still_there(index, serial);
    struct udp_arrival arrival = some_arrival();
    if (udp)
        enqueue(udp, &arrival);
}

static void arrive_one(struct udp *udp)
{
    struct udp_arrival arrival = some_arrival();
    if (dice_chance(udp_style.lost))
        return;
    if (dice_chance(udp_style.late)) {
        event_after(dice_size(1000000), arrive_late, index_of(udp), udp->serial);
        return;
    }
    enqueue(udp, &arrival);
    if (dice_chance(udp_style.repeated))
        enqueue(udp, &arrival);
}

/* The kernel puts together as many of them as it likes. */
static uint32_t together(const struct udp *udp, const struct udp_arrival *run)
{
    if (!udp->takes_runs)
        return 1;
    return dice_chance(udp_style.apart) ? dice_between(1, run->count) : run->count;
}

/* Those behind the first so many are what is left of it. */
static struct udp_arrival take_first(struct udp_arrival *run, uint32_t count)
{
    struct udp_arrival first = *run;
    first.count = count;
    run->number += count;
    run->count -= count;
    if (run->count > 0)
        first.last_size = run->size;
    else if (count == 1)
        first.size = run->last_size;
    return first;
}

static uint32_t arrive_run(struct udp *udp)
{
    struct udp_arrival run = some_arrival();
    uint32_t most = run.size > 0 ? RUN_BYTES_MOST / run.size : 1;
    run.count = dice_size(most < SEGMENTS_MOST ? most : SEGMENTS_MOST);
    uint32_t count = run.count;
    number_count += count - 1;
    run.last_size = run.size > 0 && dice_chance(500) ? dice_between(1, run.size) : run.size;
    while (run.count > 0) {
        struct udp_arrival next = take_first(&run, together(udp, &run));
        if (!dice_chance(udp_style.lost))
            enqueue(udp, &next);
    }
    return count;
}

/* What ICMP says is told once, to whichever call is the next. */
static void refuse(struct udp *udp)
{
    static const int errors[] = {ECONNREFUSED, EHOSTUNREACH, ENETUNREACH};
    struct file *file = &kernel.files[udp->file];
    if (!udp->connected || udp->local)
        return;
    file->error = errors[dice_below(3)];
    trace("udp %lld: error %lld", index_of(udp), file->error, 0, 0);
    kernel_kick(udp->file, PLACE_RECEIVE);
    kernel_kick(udp->file, PLACE_OTHER);
}

static bool arrive_local(struct udp *udp)
{
    const struct udp_arrival arrival = some_arrival();
    udp->peers_wait = udp->tail - udp->head == UDP_LOCAL_QUEUE_MOST;
    if (!udp->peers_wait)
        enqueue(udp, &arrival);
    return !udp->peers_wait;
}

/* How many they count as. */
static uint32_t arrive_some(struct udp *udp)
{
    if (udp->local)
        return arrive_local(udp);
    if (dice_chance(udp_style.runs)) {
        uint32_t count = arrive_run(udp);
        return count < udp->arrivals_left ? count : udp->arrivals_left;
    }
    arrive_one(udp);
    return 1;
}

static void arrive(uint32_t index, uint32_t serial)
{
    struct udp *udp = still_there(index, serial);
    if (!udp)
        return;
    uint32_t burst = dice_size(udp_style.burst_most);
    for (; burst > 0 && udp->arrivals_left > 0; burst--)
        udp->arrivals_left -= arrive_some(udp);
    if (dice_chance(udp_style.refused))
        refuse(udp);
    if (udp->arrivals_left > 0 && !udp->peers_wait)
        event_after(dice_size(3000000), arrive, index, serial);
}

/* Its queue has room. */
static void let_peers_go_on(struct udp *udp)
{
    if (!udp->peers_wait)
        return;
    udp->peers_wait = false;
    event_after(dice_size(1000000), arrive, index_of(udp), udp->serial);
}

bool udp_file_open(uint32_t file)
{
    uint32_t index = 0;
    while (index < UDP_MOST && udps[index].used)
        index++;
    if (index == UDP_MOST)
        return false;
    struct udp *udp = &udps[index];
    *udp = (struct udp){
        .used = true, .serial = udp->serial + 1, .file = file, .local = kernel.files[file].local};
    udp->arrivals_left = dice_size(udp_style.arrivals_most);
    kernel.files[file].link = index;
    udp_model_opened(index);
    event_after(dice_size(1000000), arrive, index, udp->serial);
    return true;
}

void udp_file_close(uint32_t file)
{
    struct udp *udp = &udps[kernel.files[file].link];
    udp_model_closed(index_of(udp));
    udp->used = false;
}

int udp_file_connect(uint32_t file, const struct sockaddr *address, socklen_t size)
{
    struct udp *udp = &udps[kernel.files[file].link];
    struct msghdr message = {.msg_name = (void *)address, .msg_namelen = size};
    uint32_t peer = udp_peer_of_message(&message);
    int refused = udp->local ? udp_local_refusal(peer) : 0;
    if (refused == -EAGAIN)
        refused = 0;
    if (refused == 0 && dice_chance(kernel.faults.call) && !udp->local)
        refused = -ENETUNREACH;
    udp_connect_asked(index_of(udp), peer, refused);
    if (refused < 0)
        return refused;
    udp->connected = true;
    udp->peer = peer;
    return 0;
}

/* What comes just before it is off may still be a run. */
void udp_file_take_runs(uint32_t file, bool on)
{
    struct udp *udp = &udps[kernel.files[file].link];
    if (!on && udp->takes_runs && dice_chance(udp_style.runs / 4))
        (void)arrive_run(udp);
    udp->takes_runs = on;
    udp->knows_runs = true;
    trace("udp %lld: takes runs %lld", index_of(udp), on, 0, 0);
}

/* Receiving. */

/* Whoever gets nothing but errors asks again later, and not at once. */
static bool is_in_trouble(struct udp *udp)
{
    enum { MS = 1000000, AT_ONCE_MOST = 16 };
    if (kernel.now_ns < trouble.begin_ns || kernel.now_ns >= trouble.end_ns)
        return false;
    uint64_t most = AT_ONCE_MOST + (kernel.now_ns - trouble.begin_ns) / MS;
    SIM_CHECK(++udp->trouble_count <= most, "udp %u: error %d is received %u times", index_of(udp),
              trouble.error, udp->trouble_count);
    return true;
}

static struct udp *udp_of(const struct file *file)
{
    return &udps[file->link];
}

/* The name, as much of it as was asked for. */
static uint32_t put_name(const struct udp *udp, const struct udp_arrival *arrival, void *name)
{
    if (udp->local)
        return udp_local_put_name(arrival->peer, name);
    struct sockaddr_in address = udp_peer_address(arrival->peer);
    memcpy(name, &address, sizeof(address));
    return sizeof(address);
}

struct controls {
    uint8_t *at;
    uint32_t size;
};

static void put_control(struct controls *controls, int level, int type, uint32_t value)
{
    struct cmsghdr *control = (struct cmsghdr *)(void *)(controls->at + controls->size);
    control->cmsg_level = level;
    control->cmsg_type = type;
    control->cmsg_len = CMSG_LEN(sizeof(value));
    memcpy(CMSG_DATA(control), &value, sizeof(value));
    controls->size += CMSG_SPACE(sizeof(value));
}

/* The size of those of a run. */
static uint32_t put_controls(const struct udp *udp, const struct udp_arrival *arrival,
                             const struct msghdr *message)
{
    struct controls controls = {.at = message->msg_control};
    if (udp->takes_runs && arrival->count > 1)
        put_control(&controls, IPPROTO_UDP, UDP_GRO, arrival->size);
    return controls.size;
}

/* As much as there is room for: the rest is lost, as the real one has it. */
static uint32_t put_bytes(const struct udp *udp, struct udp_arrival run, const struct iovec *room)
{
    uint32_t total = 0;
    while (run.count > 0) {
        struct udp_arrival next = take_first(&run, 1);
        uint32_t left = (uint32_t)room->iov_len - total;
        uint32_t size = next.size < left ? next.size : left;
        udp_fill(next.number, (uint8_t *)room->iov_base + total, size);
        udp_model_given(index_of(udp), &next, size);
        total += size;
    }
    return total;
}

static void receive_one(struct udp *udp, struct mmsghdr *into)
{
    const struct udp_arrival *arrival = &udp->queue[udp->head++ % UDP_QUEUE_MOST];
    struct msghdr *message = &into->msg_hdr;
    uint32_t whole = (arrival->count - 1) * arrival->size + arrival->last_size;
    trace("udp %lld: datagram %lld is taken, %lld of them", index_of(udp), arrival->number,
          arrival->count, 0);
    if (arrival->count > 1)
        udp_model_given_run(index_of(udp), udp->takes_runs, whole <= message->msg_iov[0].iov_len);
    udp->held -= arrival->count;
    into->msg_len = put_bytes(udp, *arrival, message->msg_iov);
    message->msg_namelen = put_name(udp, arrival, message->msg_name);
    message->msg_controllen = put_controls(udp, arrival, message);
    message->msg_flags = into->msg_len < whole ? MSG_TRUNC : 0;
    let_peers_go_on(udp);
}

static int receive_error(struct file *file)
{
    static const int errors[] = {EINTR, EAGAIN, ENOMEM, ENOBUFS};
    int error = file->error;
    file->error = 0;
    if (error)
        return -error;
    if (is_in_trouble(udp_of(file)))
        return -trouble.error;
    return dice_chance(kernel.faults.transient) ? -errors[dice_below(udp_style.amid ? 4 : 3)] : 0;
}

/* Of what the next call is told, whichever that is, and not this one, which has some already. */
static bool is_stopped_amid(struct file *file, const struct udp *udp)
{
    static const int errors[] = {ENOMEM, ENOBUFS, ECONNREFUSED, EHOSTUNREACH};
    if (!dice_chance(udp_style.amid))
        return false;
    file->error = errors[dice_below(udp->connected ? 4 : 2)];
    trace("udp %lld: error %lld is kept", index_of(udp), file->error, 0, 0);
    kernel_kick(udp->file, PLACE_RECEIVE);
    kernel_kick(udp->file, PLACE_OTHER);
    return true;
}

int udp_file_receive(uint32_t index, struct mmsghdr *messages, uint32_t count)
{
    struct file *file = &kernel.files[index];
    struct udp *udp = udp_of(file);
    uint32_t most = dice_chance(kernel.faults.short_read) ? dice_between(1, count) : count;
    uint32_t taken = 0;
    int error = receive_error(file);
    if (error) {
        trace("udp %lld: a receive gives %lld", index_of(udp), error, 0, 0);
        udp_model_receive_failed(index_of(udp), error);
        return error;
    }
    for (; taken < most && udp->head != udp->tail; taken++) {
        if (taken > 0 && is_stopped_amid(file, udp))
            break;
        receive_one(udp, &messages[taken]);
    }
    return taken > 0 ? (int)taken : -EAGAIN;
}

/* Sending. */

unsigned udp_file_ready(const struct file *file)
{
    const struct udp *udp = udp_of(file);
    unsigned events = file->error ? POLLERR | POLLOUT | POLLIN : 0;
    if (udp->head != udp->tail)
        events |= POLLIN;
    return udp->unsent < (udp_style.room + 1) / 2 ? events | POLLOUT : events;
}

static void leave(uint32_t index, uint32_t serial)
{
    struct udp *udp = still_there(index, serial);
    if (!udp)
        return;
    udp->leaving = false;
    udp->unsent -= dice_between(udp->unsent ? 1 : 0, udp->unsent);
    kernel_kick(udp->file, PLACE_OTHER);
    if (udp->unsent == 0)
        return;
    udp->leaving = true;
    event_after(dice_size(2000000), leave, index, serial);
}

static void take_up_room(struct udp *udp, uint32_t size)
{
    udp->unsent += size + 1;
    if (udp->leaving)
        return;
    udp->leaving = true;
    event_after(dice_size(2000000), leave, index_of(udp), udp->serial);
}

uint32_t udp_peer_of_message(const struct msghdr *message)
{
    struct sockaddr_in address;
    if (message->msg_namelen == 0)
        return UDP_PEER_COUNT;
    memcpy(&address, message->msg_name, sizeof(address));
    return address.sin_family == AF_UNIX
               ? udp_local_peer_of(message->msg_name, message->msg_namelen)
               : udp_peer_of(&address);
}

static uint32_t peer_of(const struct udp *udp, const struct msghdr *message)
{
    uint32_t peer = udp_peer_of_message(message);
    return peer == UDP_PEER_COUNT ? udp->peer : peer;
}

/* The size that the kernel is to cut the message into; 0: it is one datagram. */
static uint32_t segment_of(const struct msghdr *message)
{
    uint16_t segment = 0;
    const struct cmsghdr *control = CMSG_FIRSTHDR(message);
    if (control && control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_SEGMENT)
        memcpy(&segment, CMSG_DATA(control), sizeof(segment));
    SIM_CHECK(!control || segment > 0, "a control message of type %d", control->cmsg_type);
    return segment;
}

/* What becomes of it for a reason that lasts. */
static int refusal(const struct udp *udp, const struct msghdr *message, uint32_t segment)
{
    size_t size = message->msg_iov[0].iov_len;
    SIM_CHECK(!udp->local || !segment, "a run of local datagrams");
    if (udp->local)
        return udp_local_refusal(peer_of(udp, message));
    if (segment && size > (size_t)segment * SEGMENTS_MOST)
        return -EINVAL;
    if (segment && udp_style.segmentation_errors[peer_of(udp, message)])
        return -(int)udp_style.segmentation_errors[peer_of(udp, message)];
    return udp->unsent >= udp_style.room ? -EAGAIN : 0;
}

static int send_error(struct file *file, const struct msghdr *message, uint32_t segment)
{
    static const int errors[] = {ENOBUFS, ENOMEM, ENETUNREACH, EPERM};
    int error = file->error;
    file->error = 0;
    if (error)
        return -error;
    error = refusal(udp_of(file), message, segment);
    if (error)
        return error;
    return dice_chance(kernel.faults.transient / 4) ? -errors[dice_below(4)] : 0;
}

/* A route may change its mind about segmentation. */
static void maybe_change_route(void)
{
    static const uint32_t errors[] = {0, EIO, EINVAL, EMSGSIZE};
    if (dice_chance(kernel.faults.transient / 10))
        udp_style.segmentation_errors[dice_below(UDP_NAMED)] = errors[dice_below(4)];
}

static void send_one(struct udp *udp, struct mmsghdr *from, int result)
{
    const struct msghdr *message = &from->msg_hdr;
    uint32_t segment = segment_of(message);
    size_t size = message->msg_iov[0].iov_len;
    SIM_CHECK(message->msg_iovlen == 1, "a datagram of %zu pieces", message->msg_iovlen);
    SIM_CHECK(message->msg_namelen > 0 || udp->connected, "a datagram to nobody");
    trace("udp %lld sends: %lld bytes, segments of %lld: %lld", index_of(udp), (int64_t)size,
          segment, result);
    udp_model_sent(index_of(udp), message, segment, result);
    if (result == 0 && udp->local)
        udp_local_sent(peer_of(udp, message));
    else if (result == 0)
        take_up_room(udp, (uint32_t)size);
    from->msg_len = (uint32_t)size;
}

/* ICMP answers one that has just left: the next fails, which is not told, and it will not again. */
static bool is_answered_amid(const struct udp *udp)
{
    if (!udp->connected || udp->local || !dice_chance(udp_style.refused))
        return false;
    udp_model_receive_failed(index_of(udp), -ECONNREFUSED);
    return true;
}

/* What is wrong with one that is not the first is for the next call to find out, if it lasts. */
int udp_file_send(uint32_t index, struct mmsghdr *messages, uint32_t count)
{
    struct file *file = &kernel.files[index];
    struct udp *udp = udp_of(file);
    uint32_t sent = 0;
    maybe_change_route();
    for (; sent < count; sent++) {
        const struct msghdr *message = &messages[sent].msg_hdr;
        uint32_t segment = segment_of(message);
        int result =
            sent == 0 ? send_error(file, message, segment) : refusal(udp, message, segment);
        bool stops = sent > 0 && (file->error || dice_chance(kernel.faults.transient));
        if (stops || (sent > 0 && (result < 0 || is_answered_amid(udp))))
            break;
        send_one(udp, &messages[sent], result);
        if (result < 0)
            return result;
    }
    return (int)sent;
}
