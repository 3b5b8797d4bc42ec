/* SPDX-License-Identifier: MIT */
/* What one receive has brought: a datagram, or a run of them, each cut as it is wanted. */
#include "runtime/datagram/arrival.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#include "runtime/buffer/buffer.h"

enum { PIECES_MOST = 4 };

static struct weir_buffer *buffer;
static struct msghdr message;
static struct iovec piece;

static void begin(bool local)
{
    buffer = buffer_allocate(arrival_room(DATAGRAM_BYTES_MAX));
    cr_assert_not_null(buffer);
    arrival_ask(buffer, local, &message, &piece);
    cr_expect(message.msg_iov == &piece && piece.iov_base == arrival_of(buffer)->bytes &&
              piece.iov_len == DATAGRAM_BYTES_MAX);
    cr_expect_eq(message.msg_controllen, local ? 0u : (size_t)ARRIVAL_CONTROL_BYTES);
    for (int i = 0; i < 1000; i++)
        arrival_of(buffer)->bytes[i] = (uint8_t)i;
    message.msg_controllen = 0;
    if (!local)
        memset(arrival_of(buffer)->control, 0xA5, ARRIVAL_CONTROL_BYTES);
}

static void come_from(uint16_t port)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(arrival_of(buffer)->name, &from, sizeof(from));
    message.msg_namelen = sizeof(from);
}

/* As the kernel says something beside it. */
static void say(int level, int type, const void *value, size_t size)
{
    struct cmsghdr *control =
        (struct cmsghdr *)(arrival_of(buffer)->control + message.msg_controllen);
    *control = (struct cmsghdr){CMSG_LEN(size), level, type};
    memcpy(CMSG_DATA(control), value, size);
    message.msg_controllen += CMSG_SPACE(size);
}

static const struct {
    const char *name;
    size_t size;
    int run_of; /* 0: the kernel says nothing of it */
    size_t most;
    bool cut;
    uint32_t count;
    size_t sizes[PIECES_MOST];
    bool truncated[PIECES_MOST];
} comings[] = {
    {"one", 100, 0, 1000, false, 1, {100}, {false}},
    {"an empty one", 0, 0, 1000, false, 1, {0}, {false}},
    {"just as large as is wanted", 100, 0, 100, false, 1, {100}, {false}},
    {"one that is too large", 101, 0, 100, false, 1, {100}, {true}},
    {"one that the kernel has cut", 100, 0, 1000, true, 1, {100}, {true}},
    {"a run of one", 100, 100, 1000, false, 1, {100}, {false}},
    {"a run", 250, 100, 1000, false, 3, {100, 100, 50}, {false, false, false}},
    {"a run of equal ones", 200, 100, 1000, false, 2, {100, 100}, {false, false}},
    {"a run that is cut", 250, 100, 60, false, 3, {60, 60, 50}, {true, true, false}},
    {"all of it", 250, 100, 40, false, 3, {40, 40, 40}, {true, true, true}},
    {"equal ones", 200, 100, 60, false, 2, {60, 60}, {true, true}},
    {"at 50", 250, 100, 50, false, 3, {50, 50, 50}, {true, true, false}},
    {"at 100", 250, 100, 100, false, 3, {100, 100, 50}, {false, false, false}},
    {"by the kernel", 250, 100, 1000, true, 3, {100, 100, 50}, {false, false, true}},
    {"of equal ones", 200, 100, 1000, true, 2, {100, 100}, {false, true}},
    {"of no size", 250, -1, 1000, false, 1, {250}, {false}},
};

static void expect_coming(size_t row)
{
    size_t at = 0;
    cr_expect_eq(buffer->filled, sizeof(struct arrival) + comings[row].size);
    for (uint32_t i = 0; i < comings[row].count; i++) {
        struct arrived next = arrival_next(buffer);
        cr_expect_eq(next.size, comings[row].sizes[i], "%s, %u: %zu", comings[row].name, i,
                     next.size);
        cr_expect_eq((bool)next.datagram->truncated, comings[row].truncated[i], "%s, %u",
                     comings[row].name, i);
        cr_expect_eq(next.bytes, arrival_of(buffer)->bytes + at);
        cr_expect_eq(next.datagram->source.port, 77);
        cr_expect_eq(arrival_take(buffer), i + 1 < comings[row].count, "%s, %u", comings[row].name,
                     i);
        at += (size_t)(comings[row].run_of > 0 ? comings[row].run_of : 0);
    }
}

Test(arrival, is_one_or_a_run)
{
    for (size_t i = 0; i < sizeof(comings) / sizeof(comings[0]); i++) {
        begin(false);
        come_from(77);
        if (comings[i].run_of)
            say(IPPROTO_UDP, UDP_GRO, &comings[i].run_of, sizeof(int));
        message.msg_flags = comings[i].cut ? MSG_TRUNC : 0;
        cr_assert(arrival_read(buffer, &message, comings[i].size, comings[i].most));
        expect_coming(i);
        buffer_release(buffer);
    }
}

/* Which would be one without an end. */
Test(arrival, is_no_run_of_empty_ones)
{
    const int none = 0;
    begin(false);
    come_from(77);
    say(IPPROTO_UDP, UDP_GRO, &none, sizeof(none));
    cr_assert(arrival_read(buffer, &message, 250, 1000));
    cr_expect_eq(arrival_next(buffer).size, 250);
    cr_expect(!arrival_take(buffer));
    buffer_release(buffer);
}

Test(arrival, is_nothing_without_a_source)
{
    begin(false);
    message.msg_namelen = 0;
    cr_expect(!arrival_read(buffer, &message, 10, 10));
    come_from(77);
    cr_expect(arrival_read(buffer, &message, 10, 10));
    buffer_release(buffer);
}

/* What the kernel says beside it, and the same numbers of another level or type, which say nothing.
 */
Test(arrival, has_what_is_said_beside_it)
{
    const int tos = 16;
    const int ttl = 61;
    const uint8_t narrow = 9;
    const struct timespec time = {3, 4};
    begin(false);
    come_from(77);
    say(IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
    say(IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
    say(SOL_SOCKET, SCM_TIMESTAMPNS, &time, sizeof(time));
    cr_assert(arrival_read(buffer, &message, 10, 100));
    const weir_datagram *datagram = arrival_next(buffer).datagram;
    cr_expect(datagram->tos == 16 && datagram->ttl == 61 && datagram->tclass == -1);
    cr_expect_eq(datagram->received_ns, 3000000004u);
    buffer_release(buffer);
    begin(false);
    come_from(77);
    say(IPPROTO_IP, IP_TOS, &narrow, sizeof(narrow));
    say(IPPROTO_IPV6, IPV6_TCLASS, &ttl, sizeof(ttl));
    say(IPPROTO_TCP, IP_TTL, &tos, sizeof(tos));
    cr_assert(arrival_read(buffer, &message, 10, 100));
    datagram = arrival_next(buffer).datagram;
    cr_expect(datagram->tos == 9 && datagram->ttl == -1 && datagram->tclass == 61);
    cr_expect_eq(datagram->received_ns, 0);
    cr_expect(datagram->destination.family == 0);
    buffer_release(buffer);
}

Test(arrival, says_where_it_was_sent_to)
{
    const struct in_pktinfo info = {.ipi_ifindex = 3, .ipi_addr.s_addr = htonl(0x7F000002)};
    const struct in6_pktinfo info6 = {.ipi6_ifindex = 4, .ipi6_addr.s6_addr = {0xFE, [15] = 7}};
    begin(false);
    come_from(77);
    say(IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    cr_assert(arrival_read(buffer, &message, 10, 100));
    const weir_datagram *datagram = arrival_next(buffer).datagram;
    cr_expect(datagram->destination.family == WEIR_INET && datagram->destination.bytes[0] == 127 &&
              datagram->destination.bytes[3] == 2 && datagram->interface == 3);
    message.msg_controllen = 0;
    say(IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
    cr_assert(arrival_read(buffer, &message, 10, 100));
    datagram = arrival_next(buffer).datagram;
    cr_expect(datagram->destination.family == WEIR_INET6 &&
              datagram->destination.bytes[0] == 0xFE && datagram->destination.bytes[15] == 7 &&
              datagram->interface == 4);
    buffer_release(buffer);
}

Test(arrival, of_a_local_socket_may_be_empty_and_nobodys)
{
    static const struct {
        size_t size;
        socklen_t name;
    } rows[] = {{0, 0}, {1, 0}, {0, sizeof(sa_family_t) + 5}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(true);
        struct sockaddr from = {.sa_family = AF_UNIX, .sa_data = "/tmp"};
        memcpy(arrival_of(buffer)->name, &from, sizeof(from));
        message.msg_namelen = rows[i].name;
        cr_assert(arrival_read_local(buffer, &message, rows[i].size, 100));
        const struct arrived arrived = arrival_next(buffer);
        cr_expect(!arrived.datagram->truncated);
        cr_expect_eq(arrived.size, rows[i].size, "row %zu", i);
        cr_expect_eq(arrived.datagram->local->size, rows[i].name ? strlen("/tmp") : 0, "row %zu",
                     i);
        struct weir_buffer *copy = arrival_copy(buffer);
        cr_assert(copy && copy->filled == buffer->filled);
        cr_expect_eq((const void *)arrival_of(copy)->datagram.local,
                     (const void *)arrival_of(copy)->name, "it points to its own");
        buffer_release(copy);
        buffer_release(buffer);
    }
}

Test(arrival, of_a_local_socket_may_be_cut)
{
    static const struct {
        size_t size;
        int flags;
        bool truncated;
    } rows[] = {{100, 0, false}, {100, MSG_TRUNC, true}, {101, 0, true}, {100, MSG_CTRUNC, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(true);
        message.msg_namelen = 0;
        message.msg_flags = rows[i].flags;
        cr_assert(arrival_read_local(buffer, &message, rows[i].size, 100));
        const struct arrived arrived = arrival_next(buffer);
        cr_expect_eq(arrived.size, 100, "row %zu", i);
        cr_expect_eq((bool)arrived.datagram->truncated, rows[i].truncated, "row %zu", i);
        buffer_release(buffer);
    }
}
