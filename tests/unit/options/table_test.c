/* SPDX-License-Identifier: MIT */
/* The rows themselves, and the constructors of the public header. */
#include "options/row.h"
#include "options/values.h"
#include "options/word.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define EACH_ROW(id) (size_t id = WEIR_OPTION_END + 1; id < WEIR_OPTION_COUNT; id++)

Test(table, names_are_in_order_and_found)
{
    for
        EACH_ROW(id)
        {
            const char *atom = option_rows[id].atom;
            cr_assert(ne(ptr, (void *)atom, NULL), "%zu is nobody's number", id);
            cr_expect(eq(int, weir_option_from_name(atom), id), "%s", atom);
            cr_expect(eq(str, (char *)weir_option_name((enum weir_option_id)id), (char *)atom));
            /* A name is compared as a whole: neither less nor more of it is one. */
            cr_expect(ne(int, option_by_name(atom, strlen(atom) - 1), id), "%s", atom);
            char longer[64];
            snprintf(longer, sizeof(longer), "%s!", atom);
            cr_expect(eq(int, option_by_name(longer, strlen(longer)), WEIR_OPTION_END), "%s", atom);
        }
    cr_expect(eq(int, weir_option_from_name(""), WEIR_OPTION_END));
    cr_expect(eq(int, weir_option_from_name("a"), WEIR_OPTION_END));
    cr_expect(eq(int, weir_option_from_name("zzz"), WEIR_OPTION_END));
    cr_expect(eq(ptr, (void *)weir_option_name(WEIR_OPTION_END), NULL));
    cr_expect(eq(ptr, (void *)weir_option_name(WEIR_OPTION_COUNT), NULL));
    cr_expect(eq(ptr, (void *)weir_option_name((enum weir_option_id) - 1), NULL));
}

static bool has_integers(const struct option_row *row)
{
    return row->type == OPTION_INTEGER || row->type == OPTION_TIMEOUT ||
           row->type == OPTION_ACTIVE || row->type == OPTION_LINGER;
}

Test(table, rows_are_whole)
{
    for
        EACH_ROW(id)
        {
            const struct option_row *row = &option_rows[id];
            bool settable = row->scopes & OPTION_SCOPES_SET;
            cr_expect(row->type != OPTION_NO_TYPE, "%s", row->atom);
            cr_expect(row->scopes != 0, "%s", row->atom);
            cr_expect(row->help && row->help[0], "%s", row->atom);
            cr_expect(has_integers(row) == (row->most > row->least), "%s", row->atom);
            cr_expect(row->size ? row->keeper == OPTION_KEEPER_WEIR
                                : row->keeper != OPTION_KEEPER_WEIR,
                      "%s", row->atom);
            cr_expect(settable != (row->keeper == OPTION_KEEPER_CREATION) ||
                          id == WEIR_OPTION_REUSEPORT,
                      "%s", row->atom);
            if (row->accept == OPTION_SHARED)
                cr_expect(row->keeper == OPTION_KEEPER_WEIR, "%s", row->atom);
            if (row->accept == OPTION_COPIED || row->accept == OPTION_INHERITED)
                cr_expect(row->keeper == OPTION_KEEPER_KERNEL, "%s", row->atom);
        }
}

/* Each field of struct option_values that a row stands for is one row's alone. */
Test(table, fields_do_not_overlap)
{
    uint8_t owners[sizeof(struct option_values)] = {0};
    for
        EACH_ROW(id)
    for (size_t i = 0; i < option_rows[id].size; i++)
        cr_expect(eq(int, owners[option_rows[id].offset + i]++, 0), "%s", option_rows[id].atom);
}

struct initial {
    enum weir_option_id id;
    int64_t tcp;
    int64_t udp;
};

/* The document's defaults, written down a second time. */
static const struct initial initials[] = {
    {WEIR_OPTION_ACTIVE, WEIR_ACTIVE_TRUE, WEIR_ACTIVE_TRUE},
    {WEIR_OPTION_BIT8, WEIR_BIT8_OFF, WEIR_BIT8_OFF},
    {WEIR_OPTION_BUFFER, 1460, 8192},
    {WEIR_OPTION_DELAY_SEND, 0, 0},
    {WEIR_OPTION_DELIVER, WEIR_TERM, WEIR_TERM},
    {WEIR_OPTION_DESCRIPTORS, 0, 0},
    {WEIR_OPTION_EXIT_ON_CLOSE, 1, 1},
    {WEIR_OPTION_HEADER, 0, 0},
    {WEIR_OPTION_HIGH_MSGQ_WATERMARK, 8192, 8192},
    {WEIR_OPTION_HIGH_WATERMARK, 8388608, 8388608},
    {WEIR_OPTION_IDLE_TIMEOUT, -1, -1},
    {WEIR_OPTION_LINE_DELIMITER, 10, 10},
    {WEIR_OPTION_LOW_MSGQ_WATERMARK, 4096, 4096},
    {WEIR_OPTION_LOW_WATERMARK, 4194304, 4194304},
    {WEIR_OPTION_MODE, WEIR_LIST, WEIR_LIST},
    {WEIR_OPTION_PACKET, WEIR_RAW, WEIR_RAW},
    {WEIR_OPTION_PACKET_SIZE, 0, 0},
    {WEIR_OPTION_READ_PACKETS, 5, 5},
    {WEIR_OPTION_SEND_TIMEOUT, -1, -1},
    {WEIR_OPTION_SEND_TIMEOUT_CLOSE, 0, 0},
    {WEIR_OPTION_SHOW_ECONNRESET, 0, 0},
};

Test(table, defaults_are_the_documents)
{
    struct option_values tcp;
    struct option_values udp;
    values_initialize(&tcp, false);
    values_initialize(&udp, true);
    size_t kept = 0;
    for
        EACH_ROW(id)
    kept += option_rows[id].keeper == OPTION_KEEPER_WEIR;
    cr_expect(eq(sz, kept, sizeof(initials) / sizeof(initials[0])));
    for (size_t i = 0; i < kept; i++) {
        const struct option_row *row = &option_rows[initials[i].id];
        cr_expect(eq(i64, values_load(&tcp, row), initials[i].tcp), "%s", row->atom);
        cr_expect(eq(i64, values_load(&udp, row), initials[i].udp), "%s", row->atom);
    }
    cr_expect(eq(u32, tcp.limits.line_length, 1460));
    cr_expect(eq(u32, udp.limits.line_length, 8192));
    cr_expect(eq(u32, tcp.limits.packet_size, 0));
    cr_expect(eq(int, tcp.limits.line_delimiter, '\n'));
    cr_expect(not(tcp.buffer_explicit));
}

Test(table, words_are_listed_and_other_types_have_none)
{
    char text[WORD_LIST_SIZE] = "x";
    cr_expect(eq(str, (char *)word_list(OPTION_INTEGER, text), (char *)""));
    cr_expect(eq(str, (char *)word_list(OPTION_TIMEOUT, text), (char *)"infinity"));
    cr_expect(eq(str, (char *)word_list(OPTION_ACTIVE, text), (char *)"false, true, once"));
    cr_expect(eq(str, (char *)word_list(OPTION_PACKET, text),
                 (char *)"0, raw, 1, 2, asn1, 4, cdr, sunrm, fcgi, tpkt, line, http, http_bin, "
                         "httph, httph_bin"));
}

Test(table, every_option_has_a_constructor)
{
    const weir_address any = {WEIR_INET, {0}, 0, 0};
    const weir_option *options = WEIR_OPTIONS(
        WEIR_ACTIVE(1), WEIR_ADD_MEMBERSHIP(any, any), WEIR_BACKLOG(1), WEIR_BIND_TO_DEVICE("lo"),
        WEIR_BIT8(WEIR_BIT8_ON), WEIR_BROADCAST(true), WEIR_BUFFER(1), WEIR_BUSY_POLL(1),
        WEIR_CONGESTION("reno"), WEIR_CREDENTIALS(true), WEIR_DELAY_SEND(true),
        WEIR_DELIVER(WEIR_PORT), WEIR_DESCRIPTORS(1), WEIR_DONTROUTE(true),
        WEIR_DROP_MEMBERSHIP(any, any), WEIR_EXIT_ON_CLOSE(true), WEIR_FASTOPEN(1), WEIR_FD(1),
        WEIR_FILE_MODE(1), WEIR_HAPPY_EYEBALLS(1), WEIR_HEADER(1), WEIR_HIGH_MSGQ_WATERMARK(1),
        WEIR_HIGH_WATERMARK(1), WEIR_IDLE_TIMEOUT(1), WEIR_IFADDR(any), WEIR_INET(), WEIR_INET6(),
        WEIR_IP(any), WEIR_IPV6_V6ONLY(true), WEIR_KEEPALIVE(true), WEIR_LINE_DELIMITER(1),
        WEIR_LINGER(true, 1), WEIR_LOCAL(), WEIR_LOW_MSGQ_WATERMARK(1), WEIR_LOW_WATERMARK(1),
        WEIR_MAX_CONNECTIONS(1), WEIR_MODE(WEIR_BINARY), WEIR_MULTICAST_IF(any),
        WEIR_MULTICAST_LOOP(true), WEIR_MULTICAST_TTL(1), WEIR_NETNS("/run/netns/blue"),
        WEIR_NODELAY(true), WEIR_NOPUSH(true), WEIR_PACKET(WEIR_1), WEIR_PACKET_SIZE(1),
        WEIR_PKTINFO(true), WEIR_PORT(1), WEIR_PRIORITY(1), WEIR_PROXY_PROTOCOL(true),
        WEIR_PROXY_TIMEOUT(1), WEIR_RAW(1, 2, &any, 3), WEIR_READ_PACKETS(1), WEIR_RECBUF(1),
        WEIR_RECVTCLASS(true), WEIR_RECVTOS(true), WEIR_RECVTTL(true), WEIR_REUSEADDR(true),
        WEIR_REUSEPORT(true), WEIR_SEND_TIMEOUT(1), WEIR_SEND_TIMEOUT_CLOSE(true),
        WEIR_SHOW_ECONNRESET(true), WEIR_SNDBUF(1), WEIR_TCLASS(1), WEIR_TCP_KEEPCNT(1),
        WEIR_TCP_KEEPIDLE(1), WEIR_TCP_KEEPINTVL(1), WEIR_TIMESTAMP(true), WEIR_TOS(1), WEIR_TTL(1),
        WEIR_UDP_GRO(true), WEIR_USER_TIMEOUT(1));
    for (size_t i = 0; i < OPTION_ROW_COUNT; i++)
        cr_expect(eq(int, (int)options[i].id, (int)option_in_order(i)), "%zu", i);
    cr_expect(eq(int, (int)options[OPTION_ROW_COUNT].id, WEIR_OPTION_END));
    cr_expect(eq(int, WEIR_OPTIONS()[0].id, WEIR_OPTION_END));
    cr_expect(eq(int, WEIR_REQUEST(PACKET).id, WEIR_OPTION_PACKET));
}
