/* SPDX-License-Identifier: MIT */
#include "sim/proxy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "address/proxy_header.h"
#include "base/bytes.h"
#include "runtime/listener/acceptors.h"
#include "runtime/listener/adopt.h"
#include "runtime/listener/incoming.h"
#include "runtime/listener/listener.h"
#include "runtime/listener/listening.h"
#include "runtime/scheduler/scheduler.h"
#include "sim/dice.h"
#include "sim/kernel.h"
#include "sim/link.h"
#include "sim/model.h"
#include "sim/plan.h"
#include "sim/slow.h"
#include "sim/trace.h"
#include <weir/error.h>
#include <weir/socket.h>

enum { MS = 1000000, LINK_MOST = 64, HEADER_MOST = 1024, LATE_MOST_MS = 15 };

/* Of a link that is `proxied`. */
struct passing {
    bool good;  /* what its proxy says is a header */
    bool named; /* of addresses */
    bool handed;
    uint32_t size; /* of the header */
    weir_address source;
    weir_address destination;
    uint64_t begun_ns; /* 0: nobody waits for it yet */
    uint32_t timeout_ms;
    weir_socket listener; /* where it came */
};

static struct passing passings[LINK_MOST];
static uint64_t refused_count;
static uint64_t refused_least;
static uint64_t refused_most;

void proxy_reset(void)
{
    refused_count = refused_least = refused_most = 0;
}

int64_t proxy_some_timeout_ms(void)
{
    return dice_chance(300) ? 3600000 : (int64_t)dice_between(1, 60);
}

/* Headers. */

static weir_address some_address(enum weir_family family)
{
    weir_address address = {.family = (uint8_t)family, .port = (uint16_t)dice_below(65536)};
    for (int i = 0; i < (family == WEIR_INET ? 4 : 16); i++)
        address.bytes[i] = (uint8_t)dice_next();
    return address;
}

static void name(struct passing *passing, enum weir_family family)
{
    passing->named = true;
    passing->source = some_address(family);
    passing->destination = some_address(family);
}

static uint32_t say_line(struct passing *passing, uint8_t *to)
{
    const uint8_t *from = passing->source.bytes;
    const uint8_t *at = passing->destination.bytes;
    name(passing, WEIR_INET);
    return (uint32_t)snprintf((char *)to, HEADER_MOST,
                              "PROXY TCP4 %u.%u.%u.%u %u.%u.%u.%u %u %u\r\n", from[0], from[1],
                              from[2], from[3], at[0], at[1], at[2], at[3], passing->source.port,
                              passing->destination.port);
}

static uint32_t say_unknown(struct passing *passing, uint8_t *to)
{
    (void)passing;
    return (uint32_t)snprintf((char *)to, HEADER_MOST, "PROXY UNKNOWN%s\r\n",
                              dice_chance(500) ? " ::1 ::2 70000 what it likes" : "");
}

static uint32_t begin_block(uint8_t *to, uint8_t command, uint8_t family)
{
    memcpy(to, "\r\n\r\n\0\r\nQUIT\n", 12);
    to[12] = command;
    to[13] = family;
    return 16;
}

static uint32_t put_names(const struct passing *passing, uint8_t *to, size_t size)
{
    memcpy(to, passing->source.bytes, size);
    memcpy(to + size, passing->destination.bytes, size);
    bytes_write_be16(to + 2 * size, passing->source.port);
    bytes_write_be16(to + 2 * size + 2, passing->destination.port);
    return (uint32_t)(2 * size + 4);
}

/* What nobody needs to look at. */
static uint32_t put_extension(uint8_t *to, uint32_t beyond)
{
    enum { NOOP = 4 };
    uint32_t size = dice_below(400);
    to[0] = NOOP;
    bytes_write_be16(to + 1, size + beyond);
    memset(to + 3, (int)dice_below(256), size);
    return 3 + size;
}

static uint32_t say_block_of(struct passing *passing, uint8_t *to, uint32_t beyond)
{
    bool inet = dice_chance(500);
    uint32_t size = begin_block(to, 0x21, inet ? 0x11 : 0x21);
    name(passing, inet ? WEIR_INET : WEIR_INET6);
    size += put_names(passing, to + size, inet ? 4 : 16);
    if (beyond > 0 || dice_chance(500))
        size += put_extension(to + size, beyond);
    bytes_write_be16(to + 14, size - 16);
    return size;
}

static uint32_t say_block(struct passing *passing, uint8_t *to)
{
    return say_block_of(passing, to, 0);
}

static uint32_t say_local_block(struct passing *passing, uint8_t *to)
{
    (void)passing;
    uint32_t rest = dice_below(500);
    uint32_t size = begin_block(to, 0x20, 0);
    bytes_write_be16(to + 14, rest);
    memset(to + size, 'x', rest);
    return size + rest;
}

/* What is none. */

static uint32_t say_garbage(struct passing *passing, uint8_t *to)
{
    (void)passing;
    uint32_t size = dice_size(300);
    for (uint32_t i = 0; i < size; i++)
        to[i] = (uint8_t)dice_next();
    to[0] = 'G';
    return size;
}

static uint32_t say_long_line(struct passing *passing, uint8_t *to)
{
    enum { SIZE = 300 };
    (void)passing;
    memset(to, '1', SIZE);
    memcpy(to, "PROXY TCP4 ", 11);
    return SIZE;
}

static uint32_t say_wrong_command(struct passing *passing, uint8_t *to)
{
    uint32_t size = say_block(passing, to);
    to[12] = dice_chance(500) ? 0x22 : 0x31;
    return size;
}

static uint32_t say_overlong_extension(struct passing *passing, uint8_t *to)
{
    return say_block_of(passing, to, dice_size(200));
}

static const struct form {
    uint32_t (*say)(struct passing *passing, uint8_t *to);
    bool good;
} forms[] = {
    {say_line, true},           {say_line, true},
    {say_unknown, true},        {say_block, true},
    {say_block, true},          {say_local_block, true},
    {say_garbage, false},       {say_long_line, false},
    {say_wrong_command, false}, {say_overlong_extension, false},
};

/* It ends, or waits for ever, in the middle of it. */
static void cut(struct link *link, uint32_t size)
{
    static const uint8_t ends[] = {PEER_STAYS, PEER_HALF_CLOSES, PEER_CLOSES, PEER_RESETS};
    link->in_size = dice_below(size);
    link->end = ends[dice_below(4)];
}

void proxy_plan(uint32_t index)
{
    uint8_t header[HEADER_MOST];
    struct link *link = &links[index];
    struct passing *passing = &passings[index];
    const struct form *form = &forms[dice_below(sizeof(forms) / sizeof(forms[0]))];
    *passing = (struct passing){.good = form->good};
    passing->size = form->say(passing, header);
    link->proxied = true;
    uint8_t *bytes = plan_take(passing->size + link->in_size);
    if (!bytes) {
        link->in_size = 0;
        return;
    }
    memcpy(bytes, header, passing->size);
    if (link->in_size > 0)
        memcpy(bytes + passing->size, link->in, link->in_size);
    link->in = bytes;
    link->in_size += passing->size;
    if (dice_chance(150))
        cut(link, passing->size);
}

/* What becomes of it. */

static struct passing *passing_of(int fd)
{
    const struct file *file = kernel_file(fd);
    return file->kind == FILE_STREAM && links[file->link].proxied ? &passings[file->link] : NULL;
}

void __real_incoming_begin(struct scheduler *scheduler, struct listener *listener, int fd);
void __wrap_incoming_begin(struct scheduler *scheduler, struct listener *listener, int fd);

void __wrap_incoming_begin(struct scheduler *scheduler, struct listener *listener, int fd)
{
    struct passing *passing = passing_of(fd);
    SIM_CHECK(passing && passing->begun_ns == 0, "a header is waited for, of nobody");
    passing->begun_ns = kernel.now_ns;
    passing->timeout_ms = listener->listening->proxy_timeout_ms;
    passing->listener = slot_handle(scheduler, &listener->slot);
    __real_incoming_begin(scheduler, listener, fd);
}

static bool is_same(const weir_address *one, const weir_address *other)
{
    return one->family == other->family && one->port == other->port &&
           memcmp(one->bytes, other->bytes, one->family == WEIR_INET ? 4 : 16) == 0;
}

static void hand_over(struct passing *passing, uint32_t index, const struct proxy_header *header)
{
    const struct link *link = &links[index];
    trace("link %lld: behind a header of %lld bytes", index, passing->size, 0, 0);
    SIM_CHECK(!passing->handed, "link %u is handed over twice", index);
    SIM_CHECK(passing->good, "link %u is handed over behind what is no header", index);
    SIM_CHECK(link->in_read == passing->size, "link %u: %u bytes are taken, the header has %u",
              index, link->in_read, passing->size);
    SIM_CHECK(passing->named == (header != NULL) &&
                  (!header || is_same(&header->source, &passing->source)),
              "link %u is handed over by another name", index);
    passing->handed = true;
    model_conn(index)->cursor = passing->size;
}

void __real_acceptors_welcome(struct scheduler *scheduler, struct listener *listener,
                              const struct arrival *arrival);
void __wrap_acceptors_welcome(struct scheduler *scheduler, struct listener *listener,
                              const struct arrival *arrival);

void __wrap_acceptors_welcome(struct scheduler *scheduler, struct listener *listener,
                              const struct arrival *arrival)
{
    struct passing *passing = passing_of(arrival->fd);
    if (passing)
        hand_over(passing, kernel_file(arrival->fd)->link, arrival->header);
    __real_acceptors_welcome(scheduler, listener, arrival);
}

void proxy_check_names(const struct conn *conn)
{
    const struct passing *passing = &passings[model_link(conn)];
    weir_address address;
    if (!links[model_link(conn)].proxied || !passing->named)
        return;
    if (weir_peername(conn->handle, &address) == 0)
        SIM_CHECK(is_same(&address, &passing->source), "link %u has another peer",
                  model_link(conn));
    if (weir_sockname(conn->handle, &address) == 0)
        SIM_CHECK(is_same(&address, &passing->destination), "link %u has another name",
                  model_link(conn));
}

static bool is_overdue(const struct passing *passing, uint64_t slack_ms)
{
    return kernel.now_ns + slack_ms * MS + slow_since_ns(passing->begun_ns) >=
           passing->begun_ns + (uint64_t)passing->timeout_ms * MS;
}

/* Why it may be refused. */
static bool has_reason(const struct passing *passing, const struct link *link)
{
    enum { EARLY_MS = 4 };
    bool cut_short = link->in_written < passing->size && (link->in_fin || link->reset);
    return !passing->good || cut_short || is_overdue(passing, EARLY_MS);
}

/* Whether it is closed by nothing but its own fault. */
static bool must_be_told(const struct passing *passing)
{
    return model_live(passing->listener) && !model_stopping && !model_lenient;
}

void proxy_file_closed(uint32_t index)
{
    const struct passing *passing = &passings[index];
    const struct link *link = &links[index];
    if (!link->proxied || passing->handed || passing->begun_ns == 0)
        return;
    bool told = must_be_told(passing);
    trace("link %lld is refused, of itself %lld", index, told, 0, 0);
    SIM_CHECK(!told || has_reason(passing, link), "link %u is refused for no reason", index);
    refused_least += told;
    refused_most++;
}

void proxy_check_asleep(void)
{
    for (uint32_t i = 0; i < LINK_MOST && !model_stopping; i++) {
        const struct passing *passing = &passings[i];
        const struct link *link = &links[i];
        bool waits = link->used && link->proxied && passing->begun_ns > 0 && !passing->handed &&
                     !link->file_gone;
        if (!waits)
            continue;
        uint64_t end_ns = passing->begun_ns + (uint64_t)(passing->timeout_ms + LATE_MOST_MS) * MS;
        SIM_CHECK(kernel.now_ns <= end_ns + slow_since_ns(passing->begun_ns),
                  "link %u: its header is waited for too long", i);
    }
}

void proxy_count_refused(uint64_t count)
{
    refused_count += count;
}

void proxy_check_end(void)
{
    SIM_CHECK(refused_count >= refused_least && refused_count <= refused_most,
              "%llu connections without a right header are counted, %llu to %llu there were",
              (unsigned long long)refused_count, (unsigned long long)refused_least,
              (unsigned long long)refused_most);
}
