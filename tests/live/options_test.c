/* SPDX-License-Identifier: MIT */
/* Every row of the option table on live sockets: what it starts as, setting, reading, what accepted
 * sockets have of it, and what is refused. The samples are the only list that is kept here. */
#include "live.h"

#include "options/row.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct sample {
    const char *set;     /* a value unlike the first */
    const char *reading; /* NULL: as it was set */
    const char *request; /* NULL: the option's name */
};

static const struct sample samples[WEIR_OPTION_COUNT] = {
    [WEIR_OPTION_ACTIVE] = {"{active,7}", NULL, NULL},
    [WEIR_OPTION_BIND_TO_DEVICE] = {"{bind_to_device,<<\"lo\">>}", NULL, NULL},
    [WEIR_OPTION_BIT8] = {"{bit8,set}", NULL, NULL},
    [WEIR_OPTION_BROADCAST] = {"{broadcast,true}", NULL, NULL},
    [WEIR_OPTION_BUFFER] = {"{buffer,5000}", NULL, NULL},
    [WEIR_OPTION_BUSY_POLL] = {"{busy_poll,0}", NULL, NULL},
    [WEIR_OPTION_CONGESTION] = {"{congestion,<<\"reno\">>}", NULL, NULL},
    [WEIR_OPTION_DELAY_SEND] = {"{delay_send,true}", NULL, NULL},
    [WEIR_OPTION_DELIVER] = {"{deliver,port}", NULL, NULL},
    [WEIR_OPTION_DESCRIPTORS] = {"{descriptors,5}", NULL, NULL},
    [WEIR_OPTION_DONTROUTE] = {"{dontroute,true}", NULL, NULL},
    [WEIR_OPTION_EXIT_ON_CLOSE] = {"{exit_on_close,false}", NULL, NULL},
    [WEIR_OPTION_FASTOPEN] = {"{fastopen,7}", NULL, NULL},
    [WEIR_OPTION_HEADER] = {"{header,3}", NULL, NULL},
    [WEIR_OPTION_HIGH_MSGQ_WATERMARK] = {"{high_msgq_watermark,9000}", NULL, NULL},
    [WEIR_OPTION_HIGH_WATERMARK] = {"{high_watermark,9000000}", NULL, NULL},
    [WEIR_OPTION_IDLE_TIMEOUT] = {"{idle_timeout,60000}", NULL, NULL},
    [WEIR_OPTION_KEEPALIVE] = {"{keepalive,true}", NULL, NULL},
    [WEIR_OPTION_LINE_DELIMITER] = {"{line_delimiter,124}", NULL, NULL},
    [WEIR_OPTION_LINGER] = {"{linger,{true,3}}", NULL, NULL},
    [WEIR_OPTION_LOW_MSGQ_WATERMARK] = {"{low_msgq_watermark,100}", NULL, NULL},
    [WEIR_OPTION_LOW_WATERMARK] = {"{low_watermark,100}", NULL, NULL},
    [WEIR_OPTION_MODE] = {"{mode,binary}", NULL, NULL},
    [WEIR_OPTION_NODELAY] = {"{nodelay,true}", NULL, NULL},
    [WEIR_OPTION_NOPUSH] = {"{nopush,true}", NULL, NULL},
    [WEIR_OPTION_PACKET] = {"{packet,line}", NULL, NULL},
    [WEIR_OPTION_PACKET_SIZE] = {"{packet_size,99}", NULL, NULL},
    [WEIR_OPTION_PRIORITY] = {"{priority,3}", NULL, NULL},
    [WEIR_OPTION_RAW] = {"{raw,6,8,<<30:32/native>>}", "{raw,6,8,<<30,0,0,0>>}", "{raw,6,8,4}"},
    [WEIR_OPTION_RECBUF] = {"{recbuf,50000}", "{recbuf,100000}", NULL},
    [WEIR_OPTION_RECVTCLASS] = {"{recvtclass,true}", NULL, NULL},
    [WEIR_OPTION_RECVTOS] = {"{recvtos,true}", NULL, NULL},
    [WEIR_OPTION_RECVTTL] = {"{recvttl,true}", NULL, NULL},
    [WEIR_OPTION_REUSEADDR] = {"{reuseaddr,true}", NULL, NULL},
    [WEIR_OPTION_SEND_TIMEOUT] = {"{send_timeout,77}", NULL, NULL},
    [WEIR_OPTION_SEND_TIMEOUT_CLOSE] = {"{send_timeout_close,true}", NULL, NULL},
    [WEIR_OPTION_SHOW_ECONNRESET] = {"{show_econnreset,true}", NULL, NULL},
    [WEIR_OPTION_SNDBUF] = {"{sndbuf,50000}", "{sndbuf,100000}", NULL},
    [WEIR_OPTION_TCLASS] = {"{tclass,8}", NULL, NULL},
    [WEIR_OPTION_TCP_KEEPCNT] = {"{tcp_keepcnt,3}", NULL, NULL},
    [WEIR_OPTION_TCP_KEEPIDLE] = {"{tcp_keepidle,30}", NULL, NULL},
    [WEIR_OPTION_TCP_KEEPINTVL] = {"{tcp_keepintvl,5}", NULL, NULL},
    [WEIR_OPTION_TOS] = {"{tos,16}", NULL, NULL},
    [WEIR_OPTION_TTL] = {"{ttl,9}", NULL, NULL},
    [WEIR_OPTION_USER_TIMEOUT] = {"{user_timeout,1500}", NULL, NULL},
};

static bool is_inet6_only(enum weir_option_id id)
{
    return id == WEIR_OPTION_TCLASS || id == WEIR_OPTION_RECVTCLASS ||
           id == WEIR_OPTION_IPV6_V6ONLY;
}

static const char *address_for(enum weir_option_id id)
{
    return is_inet6_only(id) ? "::1" : "127.0.0.1";
}

static bool is_readable(const struct option_row *row)
{
    return !(row->traits & OPTION_WRITE_ONLY);
}

static const char *in_list(const char *one)
{
    static char text[2][256];
    static int next;
    char *to = text[next++ % 2];
    snprintf(to, sizeof(text[0]), "[%s]", one);
    return to;
}

static const char *request_of(enum weir_option_id id)
{
    return in_list(samples[id].request ? samples[id].request : option_rows[id].atom);
}

static const char *sample_reading(enum weir_option_id id)
{
    return in_list(samples[id].reading ? samples[id].reading : samples[id].set);
}

/* What a new socket has, as text; NULL when the kernel chooses it. */
static const char *initial_reading(enum weir_option_id id)
{
    static char text[256];
    weir_option list[2] = {{.id = id}, {.id = WEIR_OPTION_END}};
    const struct option_row *row = &option_rows[id];
    if (row->initial[0] == OPTION_SYSTEM || row->initial[0] == OPTION_NONE)
        return NULL;
    list[0].value.number = row->initial[0];
    cr_assert(weir_options_format(list, text, sizeof(text)) > 0);
    return text;
}

static void expect_initial(weir_socket socket, enum weir_option_id id, const char *which)
{
    const char *expected = initial_reading(id);
    const char *actual = reading(socket, request_of(id));
    if (!is_readable(&option_rows[id]))
        expected = "einval";
    if (expected)
        cr_expect(strcmp(actual, expected) == 0, "%s starts with %s, not %s", which, actual,
                  expected);
    else
        cr_expect(strcmp(actual, sample_reading(id)) != 0, "%s has %s at first", which, actual);
}

static void expect_sample(weir_socket socket, enum weir_option_id id, const char *which)
{
    const char *actual = reading(socket, request_of(id));
    const char *expected = is_readable(&option_rows[id]) ? sample_reading(id) : "einval";
    cr_expect(strcmp(actual, expected) == 0, "%s has %s, not %s", which, actual, expected);
}

static void each(unsigned scopes, void (*check)(struct loopback *, enum weir_option_id))
{
    struct loopback loopback = loopback_start(NULL);
    for (int id = WEIR_OPTION_END + 1; id < WEIR_OPTION_COUNT; id++)
        if (option_rows[id].scopes & scopes)
            check(&loopback, (enum weir_option_id)id);
    loopback_close(&loopback);
}

/* ipv6_v6only is for unbound sockets; its test is with the addresses. */
static bool is_settable(enum weir_option_id id)
{
    bool settable = id != WEIR_OPTION_IPV6_V6ONLY;
    cr_assert(!settable || samples[id].set, "%s has no sample", option_rows[id].atom);
    return settable && id != WEIR_OPTION_BUSY_POLL;
}

static void check_setting(struct loopback *loopback, enum weir_option_id id)
{
    if (!is_settable(id))
        return;
    struct trio trio = trio_open(loopback, address_for(id), "[]", "[]");
    const weir_socket sockets[] = {trio.listener, trio.connected, trio.accepted};
    static const char *const which[] = {"a listener", "what connected", "what was accepted"};
    for (int i = 0; i < 3; i++) {
        expect_initial(sockets[i], id, which[i]);
        int result = set(sockets[i], samples[id].set);
        if (id == WEIR_OPTION_FASTOPEN && i > 0) { /* the kernel wants a listener */
            cr_expect(result == -EINVAL);
            continue;
        }
        cr_expect(result == 0, "%s on %s: %s", samples[id].set, which[i], weir_last_error_text());
        expect_sample(sockets[i], id, which[i]);
    }
    trio_close(&trio);
}

Test(options, start_and_can_be_set)
{
    each(OPTION_SET_TCP, check_setting);
}

static void check_creating(struct loopback *loopback, enum weir_option_id id)
{
    const struct option_row *row = &option_rows[id];
    const char *options = in_list(samples[id].set);
    if (!is_settable(id))
        return;
    bool listens = row->scopes & OPTION_LISTEN;
    bool connects = row->scopes & OPTION_CONNECT;
    struct trio trio =
        trio_open(loopback, address_for(id), listens ? options : "[]", connects ? options : "[]");
    if (listens)
        expect_sample(trio.listener, id, "the listener");
    if (connects)
        expect_sample(trio.connected, id, "what connected");
    if (listens && row->accept != OPTION_ACCEPT_NONE)
        expect_sample(trio.accepted, id, "what was accepted");
    if (!listens) {
        GIVES(try_listen(loopback, options), WEIR_BADARG);
        expect_said(row->atom);
    }
    if (!connects) {
        GIVES(try_connect(loopback, options), WEIR_BADARG);
        expect_said(row->atom);
    }
    trio_close(&trio);
}

Test(options, can_be_given_where_a_socket_is_created)
{
    each(OPTION_SET_TCP, check_creating);
}

/* The listener is set before the connection comes, or while it waits in the backlog. */
static void check_inheriting(struct loopback *loopback, enum weir_option_id id, bool waiting)
{
    unsigned accept = option_rows[id].accept;
    if (!is_settable(id) || id == WEIR_OPTION_FASTOPEN)
        return;
    struct trio trio = {.listener = listen_on(loopback, address_for(id), "[]")};
    if (waiting)
        trio.connected = connect_to(loopback, trio.listener, "[]");
    GIVES(set(trio.listener, samples[id].set), 0);
    if (!waiting)
        trio.connected = connect_to(loopback, trio.listener, "[]");
    trio.accepted = accept_from(loopback, trio.listener);
    if (accept == OPTION_SHARED || accept == OPTION_COPIED || (accept && !waiting))
        expect_sample(trio.accepted, id, "what was accepted");
    else
        expect_initial(trio.accepted, id, "what was accepted");
    trio_close(&trio);
}

static void check_inheriting_before(struct loopback *loopback, enum weir_option_id id)
{
    check_inheriting(loopback, id, false);
}

Test(options, are_inherited_when_the_listener_was_set_before)
{
    each(OPTION_SET_TCP, check_inheriting_before);
}

static void check_inheriting_waiting(struct loopback *loopback, enum weir_option_id id)
{
    check_inheriting(loopback, id, true);
}

Test(options, are_inherited_when_the_listener_was_set_while_it_waited)
{
    each(OPTION_SET_TCP, check_inheriting_waiting);
}

static weir_option option_of(enum weir_option_id id, int64_t number)
{
    return weir_option_number(id, number);
}

static void expect_refused(struct loopback *loopback, weir_socket socket, weir_option bad)
{
    const struct option_row *row = &option_rows[bad.id];
    const weir_option list[] = {WEIR_HEADER(1), bad, {.id = WEIR_OPTION_END}};
    weir_socket opened;
    int result = weir_setopts(socket, list);
    cr_expect(result == -EINVAL, "%s gives %d", row->atom, result);
    expect_said(row->atom);
    expect_reading(socket, "[header]", "[{header,0}]");
    result = weir_tcp_listen(loopback->runtime, "127.0.0.1", 0, list, &opened);
    cr_expect(result == WEIR_BADARG, "listen with a bad %s gives %d", row->atom, result);
    expect_said(row->atom);
    result = weir_tcp_connect(loopback->runtime, "127.0.0.1", 1, list, weir_owned_by_nobody(), 0,
                              &opened);
    cr_expect(result == WEIR_BADARG, "connect with a bad %s gives %d", row->atom, result);
    expect_said(row->atom);
}

static void refuse_number(struct loopback *loopback, weir_socket socket, enum weir_option_id id)
{
    const struct option_row *row = &option_rows[id];
    expect_refused(loopback, socket, option_of(id, row->most + 1));
    if (row->type == OPTION_TIMEOUT)
        expect_refused(loopback, socket, option_of(id, -2));
    else
        expect_refused(loopback, socket, option_of(id, row->least - 1));
}

static weir_option without_end(enum weir_option_id id)
{
    weir_option option = {.id = id};
    memset(option.value.name, 'x', sizeof(option.value.name));
    return option;
}

/* For each type what is outside of it. */
static void check_refusing(struct loopback *loopback, enum weir_option_id id)
{
    weir_socket socket = listen_on(loopback, "127.0.0.1", "[]");
    switch ((enum option_type)option_rows[id].type) {
    case OPTION_INTEGER:
    case OPTION_ACTIVE:
    case OPTION_TIMEOUT:
        refuse_number(loopback, socket, id);
        break;
    case OPTION_LINGER:
        expect_refused(loopback, socket, WEIR_LINGER(true, -1));
        break;
    case OPTION_NAME:
        expect_refused(loopback, socket, without_end(id));
        break;
    case OPTION_RAW:
        expect_refused(loopback, socket, WEIR_RAW(6, 8, "", WEIR_RAW_SIZE_MAX + 1));
        expect_refused(loopback, socket, WEIR_RAW(6, 8, NULL, 4));
        break;
    default: /* words */
        expect_refused(loopback, socket, option_of(id, -1));
        expect_refused(loopback, socket, option_of(id, 99));
    }
    weir_close(socket);
}

Test(options, refuse_values_of_the_wrong_type_or_range)
{
    each(OPTION_SET_TCP, check_refusing);
}

/* What only a creating call takes. */
static void check_creation_only(struct loopback *loopback, enum weir_option_id id)
{
    const struct option_row *row = &option_rows[id];
    if (row->scopes & (OPTION_SET_TCP | OPTION_SET_UDP))
        return;
    weir_socket socket = listen_on(loopback, "127.0.0.1", "[]");
    const weir_option list[] = {WEIR_HEADER(1), option_of(id, 1), {.id = WEIR_OPTION_END}};
    GIVES(weir_setopts(socket, list), -EINVAL);
    expect_said(row->atom);
    expect_reading(socket, "[header]", "[{header,0}]");
    weir_option wanted = option_of(id, 0);
    GIVES(weir_getopts(socket, &wanted, 1), -EINVAL);
    expect_said(row->atom);
    weir_close(socket);
}

Test(options, of_creating_calls_are_not_for_setopts)
{
    each(OPTION_LISTEN | OPTION_CONNECT, check_creation_only);
}

/* Taken, without effect, and left out of what is read. */
static void check_other_protocol(struct loopback *loopback, enum weir_option_id id)
{
    const struct option_row *row = &option_rows[id];
    if (row->scopes & OPTION_SET_TCP)
        return;
    struct trio trio = trio_open(loopback, "127.0.0.1", "[]", "[]");
    weir_option other = option_of(id, 1);
    if (row->type == OPTION_MEMBERSHIP)
        other.value.membership = (weir_membership){.family = WEIR_INET};
    if (row->type == OPTION_INTERFACE)
        other.value.address = (weir_address){.family = WEIR_INET};
    const weir_option list[] = {WEIR_HEADER(1), other, {.id = WEIR_OPTION_END}};
    uint64_t calls = option_calls();
    cr_expect(weir_setopts(trio.accepted, list) == 0, "%s: %s", row->atom, weir_last_error_text());
    cr_expect(option_calls() == calls, "%s reaches the kernel", row->atom);
    weir_option wanted[] = {option_of(id, 0), WEIR_REQUEST(HEADER)};
    if (row->traits & OPTION_WRITE_ONLY) {
        GIVES(weir_getopts(trio.accepted, wanted, 2), -EINVAL);
    } else {
        GIVES(weir_getopts(trio.accepted, wanted, 2), 1);
        cr_expect(wanted[0].id == WEIR_OPTION_HEADER && wanted[0].value.number == 1);
    }
    GIVES(try_listen(loopback, "[{read_packets,5}]"), WEIR_BADARG);
    trio_close(&trio);
}

Test(options, of_the_other_protocol_do_nothing)
{
    each(OPTION_SET_UDP, check_other_protocol);
}

/* inet6's on an inet socket: the kernel lacks them. */
Test(options, of_the_other_family_are_refused_and_left_out)
{
    static const char *const lists[] = {"[{tclass,8}]", "[{recvtclass,true}]",
                                        "[{ipv6_v6only,true}]"};
    struct loopback loopback = loopback_open("[]");
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        GIVES(set(loopback.socket, lists[i]), -EINVAL);
    expect_reading(loopback.socket, "[tclass,header,recvtclass,ipv6_v6only]", "[{header,0}]");
    loopback_close(&loopback);
}

static void check_dead(struct loopback *loopback, enum weir_option_id id)
{
    if (!is_settable(id))
        return;
    struct trio trio = trio_open(loopback, address_for(id), "[]", "[]");
    trio_close(&trio);
    const weir_socket sockets[] = {trio.listener, trio.connected, trio.accepted};
    for (int i = 0; i < 3; i++) {
        GIVES(set(sockets[i], samples[id].set), -EINVAL);
        cr_expect(strcmp(reading(sockets[i], request_of(id)), "einval") == 0);
    }
}

Test(options, of_a_closed_socket_are_gone)
{
    each(OPTION_SET_TCP, check_dead);
}

/* The descriptor is gone and the handle is not: setting succeeds, and only what weir keeps is
 * read. */
static void check_gone(struct loopback *loopback, enum weir_option_id id)
{
    const struct option_row *row = &option_rows[id];
    weir_packet packet;
    if (!is_settable(id) || id == WEIR_OPTION_ACTIVE)
        return;
    struct trio trio = trio_open(loopback, address_for(id), "[{active,false}]", "[]");
    weir_close(trio.connected);
    GIVES(weir_recv(trio.accepted, 0, WAIT_MS, &packet), WEIR_CLOSED);
    GIVES(set(trio.accepted, samples[id].set), 0);
    if (row->keeper == OPTION_KEEPER_WEIR)
        expect_sample(trio.accepted, id, "what is gone");
    else
        cr_expect(strcmp(reading(trio.accepted, request_of(id)), "[]") == 0, "%s is still there",
                  row->atom);
    trio_close(&trio);
}

Test(options, of_a_socket_whose_descriptor_is_gone_are_those_that_weir_keeps)
{
    each(OPTION_SET_TCP, check_gone);
}
