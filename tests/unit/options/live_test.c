/* SPDX-License-Identifier: MIT */
/* setopts and getopts on sockets of the kernel, one row per thing that may be set. */
#include "base/error.h"
#include "base/system.h"
#include "error_text.h"
#include "subject.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

enum kind { TCP, UDP, TCP6, UDP6, LOCAL };

static struct subject subject_of(enum kind kind)
{
    bool udp = kind == UDP || kind == UDP6;
    return subject_open(udp ? OPTION_UDP : OPTION_CONNECT, kind == LOCAL                  ? "local"
                                                           : kind == TCP6 || kind == UDP6 ? "inet6"
                                                                                          : "inet");
}

struct row {
    enum kind kind;
    const char *set;     /* NULL: only read */
    const char *request; /* what is read afterwards */
    const char *reading;
    const char *error; /* what setting says, NULL when it succeeds */
};

static void run(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct subject subject = subject_of(rows[i].kind);
        if (rows[i].set) {
            error_clear_text();
            int result = subject_set(&subject, rows[i].set);
            cr_expect(result == (rows[i].error ? -EINVAL : 0), "%s gives %d: %s", rows[i].set,
                      result, weir_last_error_text());
            expect_error_text(rows[i].error ? rows[i].error : "");
        }
        subject_expect(&subject, rows[i].request, rows[i].reading);
        subject_close(&subject);
    }
}
#define RUN(rows) run(rows, sizeof(rows) / sizeof((rows)[0]))

static const struct row defaults[] = {
    {TCP, NULL,
     "[active,bit8,buffer,delay_send,deliver,exit_on_close,header,high_msgq_watermark,"
     "high_watermark,low_msgq_watermark,low_watermark,mode,packet,packet_size,send_timeout,"
     "send_timeout_close,show_econnreset]",
     "[{active,true},{bit8,off},{buffer,1460},{delay_send,false},{deliver,term},"
     "{exit_on_close,true},{header,0},{high_msgq_watermark,8192},{high_watermark,8388608},"
     "{low_msgq_watermark,4096},{low_watermark,4194304},{mode,list},{packet,0},{packet_size,0},"
     "{send_timeout,infinity},{send_timeout_close,false},{show_econnreset,false}]",
     NULL},
    {TCP, NULL,
     "[bind_to_device,broadcast,dontroute,fastopen,keepalive,linger,nodelay,nopush,priority,"
     "recvtos,recvttl,reuseaddr,tos,ttl,user_timeout]",
     "[{bind_to_device,<<>>},{broadcast,false},{dontroute,false},{fastopen,0},{keepalive,false},"
     "{linger,{false,0}},{nodelay,false},{nopush,false},{priority,0},{recvtos,false},"
     "{recvttl,false},{reuseaddr,false},{tos,0},{ttl,64},{user_timeout,0}]",
     NULL},
    {TCP6, NULL, "[ipv6_v6only,recvtclass,tclass,ttl]",
     "[{ipv6_v6only,false},{recvtclass,false},{tclass,0},{ttl,64}]", NULL},
    {UDP, NULL,
     "[active,buffer,broadcast,header,linger,mode,multicast_if,multicast_loop,multicast_ttl,"
     "read_packets,recbuf]",
     "[{active,true},{buffer,8192},{broadcast,false},{header,0},{linger,{false,0}},{mode,list},"
     "{multicast_if,{0,0,0,0}},{multicast_loop,true},{multicast_ttl,1},{read_packets,5},"
     "{recbuf,16384}]",
     NULL},
    {UDP6, NULL, "[multicast_if,multicast_loop,multicast_ttl]",
     "[{multicast_if,0},{multicast_loop,true},{multicast_ttl,1}]", NULL},
};

Test(live, defaults)
{
    RUN(defaults);
}

static const struct row kept[] = {
    {TCP, "{bit8,on}", "[bit8]", "[{bit8,clear}]", NULL},
    {TCP, "{bit8,clear}", "[bit8]", "[{bit8,clear}]", NULL},
    {TCP, "{bit8,set}", "[bit8]", "[{bit8,set}]", NULL},
    {TCP, "[{bit8,set},{bit8,off}]", "[bit8]", "[{bit8,off}]", NULL},
    {TCP, "[{bit8,set},{bit8,clear}]", "[bit8]", "[{bit8,clear}]", NULL},
    {TCP, "{buffer,1}", "[buffer]", "[{buffer,1}]", NULL},
    {TCP, "{buffer,0}", "[buffer]", "[{buffer,1}]", NULL},
    {TCP, "{buffer,-2147483648}", "[buffer]", "[{buffer,1}]", NULL},
    {TCP, "{delay_send,true}", "[delay_send]", "[{delay_send,true}]", NULL},
    {UDP, "{deliver,port}", "[deliver]", "[{deliver,port}]", NULL},
    {TCP, "{exit_on_close,false}", "[exit_on_close]", "[{exit_on_close,false}]", NULL},
    {TCP, "{header,4294967295}", "[header]", "[{header,4294967295}]", NULL},
    {TCP, "{high_watermark,4294967295}", "[high_watermark]", "[{high_watermark,4294967295}]", NULL},
    {TCP, "{high_watermark,-7}", "[high_watermark,low_watermark]",
     "[{high_watermark,0},{low_watermark,0}]", NULL},
    {TCP, "{high_watermark,100}", "[high_watermark,low_watermark]",
     "[{high_watermark,100},{low_watermark,100}]", NULL},
    {TCP, "{high_watermark,5000000}", "[high_watermark,low_watermark]",
     "[{high_watermark,5000000},{low_watermark,4194304}]", NULL},
    {TCP, "{low_watermark,10000000}", "[high_watermark,low_watermark]",
     "[{high_watermark,10000000},{low_watermark,10000000}]", NULL},
    {TCP, "{low_watermark,7}", "[high_watermark,low_watermark]",
     "[{high_watermark,8388608},{low_watermark,7}]", NULL},
    {TCP, "[{high_watermark,5},{high_watermark,6}]", "[high_watermark]", "[{high_watermark,6}]",
     NULL},
    {TCP, "{high_msgq_watermark,100}", "[high_msgq_watermark,low_msgq_watermark]",
     "[{high_msgq_watermark,100},{low_msgq_watermark,100}]", NULL},
    {UDP, "{low_msgq_watermark,20000}", "[high_msgq_watermark,low_msgq_watermark]",
     "[{high_msgq_watermark,20000},{low_msgq_watermark,20000}]", NULL},
    {TCP, "{descriptors,4096}", "[descriptors]", "[{descriptors,4096}]", NULL},
    {TCP, "binary", "[mode]", "[{mode,binary}]", NULL},
    {TCP, "[binary,list]", "[mode]", "[{mode,list}]", NULL},
    {TCP, "{packet,raw}", "[packet]", "[{packet,0}]", NULL},
    {TCP, "{packet,line}", "[packet]", "[{packet,line}]", NULL},
    {TCP, "{packet,httph_bin}", "[packet]", "[{packet,httph_bin}]", NULL},
    {TCP, "{packet_size,4294967295}", "[packet_size]", "[{packet_size,4294967295}]", NULL},
    {UDP, "{read_packets,1}", "[read_packets]", "[{read_packets,1}]", NULL},
    {UDP, "{read_packets,2147483647}", "[read_packets]", "[{read_packets,2147483647}]", NULL},
    {TCP, "{send_timeout,0}", "[send_timeout]", "[{send_timeout,0}]", NULL},
    {TCP, "{send_timeout,4294967294}", "[send_timeout]", "[{send_timeout,4294967294}]", NULL},
    {TCP, "{send_timeout,4294967295}", "[send_timeout]", "[{send_timeout,infinity}]", NULL},
    {TCP, "[{send_timeout,1},{send_timeout,infinity}]", "[send_timeout]",
     "[{send_timeout,infinity}]", NULL},
    {TCP, "{send_timeout_close,true}", "[send_timeout_close]", "[{send_timeout_close,true}]", NULL},
    {TCP, "{show_econnreset,true}", "[show_econnreset]", "[{show_econnreset,true}]", NULL},
};

Test(live, kept_by_weir)
{
    RUN(kept);
}

static const struct row kernel[] = {
    {TCP, "{bind_to_device,<<\"lo\">>}", "[bind_to_device]", "[{bind_to_device,<<\"lo\">>}]", NULL},
    {TCP, "[{bind_to_device,<<\"lo\">>},{bind_to_device,<<>>}]", "[bind_to_device]",
     "[{bind_to_device,<<>>}]", NULL},
    {TCP, "{broadcast,true}", "[broadcast]", "[{broadcast,true}]", NULL},
    {UDP, "{broadcast,true}", "[broadcast]", "[{broadcast,true}]", NULL},
    {TCP, "{congestion,<<\"reno\">>}", "[congestion]", "[{congestion,<<\"reno\">>}]", NULL},
    {TCP, "{dontroute,true}", "[dontroute]", "[{dontroute,true}]", NULL},
    {TCP, "{fastopen,7}", "[fastopen]", "[{fastopen,7}]", NULL},
    {TCP, "{keepalive,true}", "[keepalive]", "[{keepalive,true}]", NULL},
    {TCP, "{linger,{true,5}}", "[linger]", "[{linger,{true,5}}]", NULL},
    {TCP, "[{linger,{true,5}},{linger,{false,9}}]", "[linger]", "[{linger,{false,5}}]", NULL},
    {UDP, "{multicast_loop,false}", "[multicast_loop]", "[{multicast_loop,false}]", NULL},
    {UDP6, "{multicast_loop,false}", "[multicast_loop]", "[{multicast_loop,false}]", NULL},
    {UDP, "{multicast_ttl,4}", "[multicast_ttl]", "[{multicast_ttl,4}]", NULL},
    {UDP6, "{multicast_ttl,4}", "[multicast_ttl]", "[{multicast_ttl,4}]", NULL},
    {UDP, "{multicast_if,{127,0,0,1}}", "[multicast_if]", "[{multicast_if,{127,0,0,1}}]", NULL},
    {UDP6, "{multicast_if,1}", "[multicast_if]", "[{multicast_if,1}]", NULL},
    {TCP, "{nodelay,true}", "[nodelay]", "[{nodelay,true}]", NULL},
    {TCP, "{nopush,true}", "[nopush]", "[{nopush,true}]", NULL},
    {TCP, "{priority,6}", "[priority]", "[{priority,6}]", NULL},
    {TCP, "{recbuf,1}", "[recbuf]", "[{recbuf,2304}]", NULL},
    {TCP, "{recbuf,5000}", "[recbuf]", "[{recbuf,10000}]", NULL},
    {TCP6, "{recvtclass,true}", "[recvtclass]", "[{recvtclass,true}]", NULL},
    {UDP, "{recvtos,true}", "[recvtos]", "[{recvtos,true}]", NULL},
    {UDP, "{recvttl,true}", "[recvttl]", "[{recvttl,true}]", NULL},
    {TCP, "{reuseaddr,true}", "[reuseaddr]", "[{reuseaddr,true}]", NULL},
    {TCP, "{sndbuf,1}", "[sndbuf]", "[{sndbuf,4608}]", NULL},
    {TCP, "{sndbuf,5000}", "[sndbuf]", "[{sndbuf,10000}]", NULL},
    {TCP6, "{tclass,184}", "[tclass]", "[{tclass,184}]", NULL},
    {TCP, "{tcp_keepcnt,3}", "[tcp_keepcnt]", "[{tcp_keepcnt,3}]", NULL},
    {TCP, "{tcp_keepidle,30}", "[tcp_keepidle]", "[{tcp_keepidle,30}]", NULL},
    {TCP, "{tcp_keepintvl,5}", "[tcp_keepintvl]", "[{tcp_keepintvl,5}]", NULL},
    {TCP, "{tos,16}", "[tos,priority]", "[{tos,16},{priority,0}]", NULL},
    {TCP, "[{priority,5},{tos,16}]", "[tos,priority]", "[{tos,16},{priority,5}]", NULL},
    {TCP, "{tos,255}", "[tos]", "[{tos,252}]", NULL},
    {UDP, "{tos,255}", "[tos]", "[{tos,255}]", NULL},
    {TCP, "{tos,256}", "[tos]", "[{tos,0}]", NULL},
    {TCP, "{ttl,255}", "[ttl]", "[{ttl,255}]", NULL},
    {TCP, "{user_timeout,1500}", "[user_timeout]", "[{user_timeout,1500}]", NULL},
    /* The document's own example of raw options. */
    {TCP, "{raw,6,8,<<30:32/native>>}", "[{raw,6,8,4}]", "[{raw,6,8,<<30,0,0,0>>}]", NULL},
};

Test(live, kept_by_the_kernel)
{
    RUN(kernel);
}

/* Setting recbuf or sndbuf raises buffer, unless buffer was set. */
static const struct row buffers[] = {
    {TCP, "{recbuf,5000}", "[buffer]", "[{buffer,5000}]", NULL},
    {TCP, "{sndbuf,6000}", "[buffer]", "[{buffer,6000}]", NULL},
    {TCP, "[{sndbuf,6000},{recbuf,5000}]", "[buffer]", "[{buffer,6000}]", NULL},
    {TCP, "{recbuf,1000}", "[buffer]", "[{buffer,1460}]", NULL},
    {TCP, "{recbuf,-5}", "[buffer]", "[{buffer,1460}]", NULL},
    {TCP, "[{recbuf,5000},{buffer,9}]", "[buffer]", "[{buffer,9}]", NULL},
    {TCP, "[{buffer,9},{recbuf,5000}]", "[buffer]", "[{buffer,9}]", NULL},
    {UDP, "{recbuf,5000}", "[buffer]", "[{buffer,8192}]", NULL},
    {UDP, "{recbuf,50000}", "[buffer]", "[{buffer,50000}]", NULL},
    {UDP, "{recbuf,65537}", "[buffer]", "[{buffer,65536}]", NULL},
    {UDP, "[{buffer,70000},{recbuf,99999}]", "[buffer]", "[{buffer,70000}]", NULL},
    {TCP, "{recbuf,65537}", "[buffer]", "[{buffer,65537}]", NULL},
};

Test(live, buffer_follows_the_kernels_buffers)
{
    RUN(buffers);
}

/* Lines are cut at buffer, or at packet_size where that is larger. */
static const struct {
    const char *set;
    weir_decode_options limits;
} limits[] = {
    {"[]", {0, 1460, '\n'}},
    {"{packet_size,1000}", {1000, 1460, '\n'}},
    {"{packet_size,5000}", {5000, 5000, '\n'}},
    {"[{packet_size,5000},{packet_size,0}]", {0, 1460, '\n'}},
    {"[{packet_size,5000},{buffer,6000}]", {5000, 6000, '\n'}},
    {"{buffer,9}", {0, 9, '\n'}},
    {"{recbuf,7000}", {0, 7000, '\n'}},
    {"{sndbuf,7000}", {0, 7000, '\n'}},
    {"{line_delimiter,0}", {0, 1460, 0}},
};

Test(live, limits_follow_what_they_are_derived_from)
{
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct subject subject = subject_of(TCP);
        cr_expect(eq(int, subject_set(&subject, limits[i].set), 0));
        const weir_decode_options *actual = &subject.values.limits;
        cr_expect(actual->packet_size == limits[i].limits.packet_size &&
                      actual->line_length == limits[i].limits.line_length &&
                      actual->line_delimiter == limits[i].limits.line_delimiter,
                  "%s: %u, %u, %u", limits[i].set, actual->packet_size, actual->line_length,
                  actual->line_delimiter);
        subject_close(&subject);
    }
}

/* What the kernel or the rules of setting refuse; what stands before it stays applied. */
static const struct row failing[] = {
    {TCP, "[{header,1},{ttl,0},{header,2}]", "[header]", "[{header,1}]",
     "option ttl: the kernel refuses it: invalid argument"},
    {TCP, "{ttl,300}", "[ttl]", "[{ttl,64}]",
     "option ttl: the kernel refuses it: invalid argument"},
    {TCP, "[{header,1},{tclass,4},{header,2}]", "[header,tclass]", "[{header,1}]",
     "option tclass: the kernel refuses it: bad protocol option"},
    {TCP, "[{recvtclass,true},{header,2}]", "[header,recvtclass]", "[{header,0}]",
     "option recvtclass: the kernel refuses it: bad protocol option"},
    {TCP, "[{ipv6_v6only,true},{header,2}]", "[header,ipv6_v6only]", "[{header,0}]",
     "option ipv6_v6only: the kernel refuses it: bad protocol option"},
    {TCP, "[{bind_to_device,<<\"nosuch\">>},{header,2}]", "[header,bind_to_device]",
     "[{header,0},{bind_to_device,<<>>}]",
     "option bind_to_device: the kernel refuses it: no such device"},
    {TCP, "[{header,1},{congestion,<<\"none\">>}]", "[header]", "[{header,1}]",
     "option congestion: the kernel refuses it: no such file or directory"},
    {UDP, "[{header,1},{read_packets,0},{header,2}]", "[header,read_packets]",
     "[{header,1},{read_packets,5}]", "option read_packets: 0 is less than 1"},
    {TCP, "[{header,1},{high_msgq_watermark,0},{header,2}]", "[header,high_msgq_watermark]",
     "[{header,1},{high_msgq_watermark,8192}]", "option high_msgq_watermark: 0 is less than 1"},
    {TCP, "{low_msgq_watermark,-1}", "[low_msgq_watermark]", "[{low_msgq_watermark,4096}]",
     "option low_msgq_watermark: -1 is less than 1"},
    /* Passed over, and what follows is applied. */
    {TCP, "[{raw,6,9999,<<1,2,3,4>>},{header,2}]", "[header]", "[{header,2}]", NULL},
    {UDP, "[{multicast_if,1},{header,2}]", "[header,multicast_if]",
     "[{header,2},{multicast_if,{0,0,0,0}}]", NULL},
    {UDP6, "[{multicast_if,{127,0,0,1}},{header,2}]", "[header,multicast_if]",
     "[{header,2},{multicast_if,0}]", NULL},
    {UDP, "[{multicast_if,{127,0,0,1}},{multicast_if,1}]", "[multicast_if]",
     "[{multicast_if,{127,0,0,1}}]", NULL},
    {UDP6, "[{multicast_if,1},{multicast_if,{127,0,0,1}}]", "[multicast_if]", "[{multicast_if,1}]",
     NULL},
    {UDP, "[{drop_membership,{{224,0,0,9},{0,0,0,0}}},{header,2}]", "[header]", "[{header,2}]",
     NULL},
    {UDP, "[{add_membership,{{16#ff02,0,0,0,0,0,0,16#fb},1}},{header,2}]", "[header]",
     "[{header,2}]", NULL},
};

Test(live, failures_that_count_and_those_that_do_not)
{
    RUN(failing);
}

/* Options of the other protocol are taken, do nothing, and are left out of what is read. */
static const struct row other_protocol[] = {
    {UDP, "[{packet,4},{header,2}]", "[packet,header]", "[{header,2}]", NULL},
    {UDP, "[{high_watermark,1},{nodelay,true},{send_timeout,1},{delay_send,true}]",
     "[high_watermark,nodelay,send_timeout,delay_send,mode]", "[{mode,list}]", NULL},
    {UDP, "[{exit_on_close,false},{packet_size,1},{keepalive,true},{line_delimiter,1}]",
     "[exit_on_close,packet_size,keepalive]", "[]", NULL},
    {TCP, "[{read_packets,0},{multicast_ttl,3},{header,2}]", "[read_packets,multicast_ttl,header]",
     "[{header,2}]", NULL},
    /* Of the other family: the kernel does not have it. */
    {TCP, NULL, "[ipv6_v6only,tclass,recvtclass,tos]", "[{tos,0}]", NULL},
};

Test(live, other_protocols)
{
    RUN(other_protocol);
}

/* What is of IP is refused, raw options and those of TCP are passed over. */
static const struct row of_local_sockets[] = {
    {LOCAL, "[{header,1},{ttl,5},{header,2}]", "[header]", "[{header,1}]",
     "option ttl: a local socket has none"},
    {LOCAL, "{tclass,5}", "[header]", "[{header,0}]", "option tclass: a local socket has none"},
    {LOCAL, "[{nodelay,true},{raw,0,2,<<5,0,0,0>>},{sndbuf,5000}]", "[sndbuf]", "[{sndbuf,10000}]",
     NULL},
};

Test(live, local_sockets)
{
    RUN(of_local_sockets);
}

/* Whatever the request had in the place of a value. */
Test(live, what_is_read_takes_the_place_of_what_was_there)
{
    struct subject subject = subject_of(TCP);
    weir_option wanted[] = {WEIR_BIND_TO_DEVICE("eth0"), WEIR_LINGER(true, 7), WEIR_NODELAY(true)};
    struct option_source source = {
        .values = &subject.values, .fd = subject.fd, .family = subject.family};
    cr_assert(eq(int, options_read(&source, OPTION_SET_TCP, wanted, 3), 3));
    cr_expect(eq(str, wanted[0].value.name, (char *)""));
    cr_expect(not(wanted[1].value.linger.on));
    cr_expect(eq(int, wanted[1].value.linger.seconds, 0));
    cr_expect(eq(i64, wanted[2].value.number, 0));
    cr_assert(eq(int, options_read(&source, OPTION_SET_TCP, wanted, 1), 1));
    cr_expect(eq(int, wanted[1].id, WEIR_OPTION_LINGER), "what is behind them is not touched");
    subject_close(&subject);
}

Test(live, memberships_are_joined_and_left)
{
    struct subject subject = subject_of(UDP);
    struct ip_mreq twice = {{htonl(0xe00000fb)}, {htonl(INADDR_LOOPBACK)}};
    cr_expect(eq(int, subject_set(&subject, "{add_membership,{{224,0,0,251},{127,0,0,1}}}"), 0));
    cr_expect(
        eq(int, system_setsockopt(subject.fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &twice, sizeof(twice)),
           -EADDRINUSE));
    cr_expect(eq(int, subject_set(&subject, "{drop_membership,{{224,0,0,251},{127,0,0,1}}}"), 0));
    cr_expect(
        eq(int, system_setsockopt(subject.fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &twice, sizeof(twice)),
           0));
    subject_close(&subject);
}

Test(live, memberships_of_inet6)
{
    struct subject subject = subject_of(UDP6);
    struct ipv6_mreq twice = {{{{0xff, 2, [15] = 0xfb}}}, 1};
    cr_expect(
        eq(int, subject_set(&subject, "{add_membership,{{16#ff02,0,0,0,0,0,0,16#fb},1}}"), 0));
    cr_expect(
        eq(int,
           system_setsockopt(subject.fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &twice, sizeof(twice)),
           -EADDRINUSE));
    subject_close(&subject);
}

/* A list shares its block with other sockets; what each has left of active is its own. */
Test(live, active_is_not_applied)
{
    struct subject subject = subject_of(TCP);
    cr_expect(eq(int, subject_set(&subject, "[{active,once},{header,1}]"), 0));
    cr_expect(eq(int, subject.values.active, WEIR_ACTIVE_TRUE));
    cr_expect(eq(u32, subject.values.header, 1));
    subject_close(&subject);
}

/* The kernel's true need not be 1: repairing a connection makes SO_REUSEADDR 2. */
Test(live, booleans_of_the_kernel)
{
    struct subject subject = subject_of(TCP);
    int on = 1;
    if (system_setsockopt(subject.fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) < 0)
        cr_skip_test("repairing takes CAP_NET_ADMIN");
    subject_expect(&subject, "[{raw,1,2,4},reuseaddr]", "[{raw,1,2,<<2,0,0,0>>},{reuseaddr,true}]");
    subject_close(&subject);
}

Test(live, a_descriptor_that_is_gone)
{
    struct subject subject = subject_of(TCP);
    subject_close(&subject);
    cr_expect(
        eq(int, subject_set(&subject, "[{nodelay,true},{ttl,0},{recbuf,9000},{header,1}]"), 0));
    subject_expect(&subject, "[nodelay,header,{raw,6,11,92},buffer,ttl]",
                   "[{header,1},{buffer,9000}]");
}

Test(live, a_socket_that_got_the_first_descriptor)
{
    system_close(0);
    struct subject subject = subject_of(TCP);
    cr_assert(eq(int, subject.fd, 0));
    cr_expect(eq(int, subject_set(&subject, "{nodelay,true}"), 0));
    subject_expect(&subject, "[nodelay]", "[{nodelay,true}]");
    subject_close(&subject);
}

/* The document's example: tcpi_sacked is a 32-bit integer 28 bytes into struct tcp_info. */
Test(live, tcp_info)
{
    struct subject subject = subject_of(TCP);
    uint8_t info[92];
    weir_option wanted[] = {WEIR_RAW_REQUEST(IPPROTO_TCP, TCP_INFO, info, sizeof(info)),
                            WEIR_RAW_REQUEST(IPPROTO_TCP, 9999, info, sizeof(info)),
                            WEIR_REQUEST(HEADER)};
    struct option_source source = {
        .values = &subject.values, .fd = subject.fd, .family = subject.family};
    cr_assert(eq(int, options_read(&source, OPTION_SET_TCP, wanted, 3), 2));
    cr_expect(eq(sz, wanted[0].value.raw.size, 92));
    cr_expect(eq(ptr, wanted[0].value.raw.buffer, info));
    cr_expect(eq(int, info[0], TCP_CLOSE));
    cr_expect(eq(int, wanted[1].id, WEIR_OPTION_HEADER));
    cr_expect(eq(int, wanted[2].id, WEIR_OPTION_END));
    subject_close(&subject);
}

Test(live, raw_requests)
{
    struct subject subject = subject_of(TCP);
    subject_expect(&subject, "[{raw,6,8,0}]", "[{raw,6,8,<<>>}]");
    subject_expect(&subject, "[{raw,6,1,<<9,9,9,9>>}]", "[{raw,6,1,<<0,0,0,0>>}]");
    subject_expect(&subject, "[{raw,1,3,92}]",
                   "[{raw,1,3,<<1,0,0,0>>}]"); /* more room than needed */
    weir_option wanted = WEIR_RAW_REQUEST(6, 11, &subject, WEIR_RAW_SIZE_MAX + 1);
    struct option_source source = {.values = &subject.values, .fd = subject.fd};
    cr_expect(eq(int, options_read(&source, OPTION_SET_TCP, &wanted, 1), -EINVAL));
    expect_error_text("option raw: size 65523 is out of range 0..65522");
    wanted = WEIR_RAW_REQUEST(6, 11, NULL, 1);
    cr_expect(eq(int, options_read(&source, OPTION_SET_TCP, &wanted, 1), -EINVAL));
    expect_error_text("option raw: there are no bytes");
    subject_close(&subject);
}

Test(live, what_cannot_be_read)
{
    static const struct {
        const char *request;
        const char *text;
    } rows[] = {
        {"[header,add_membership]", "option add_membership: it cannot be read"},
        {"[drop_membership]", "option drop_membership: it cannot be read"},
        {"[line_delimiter]", "option line_delimiter: it cannot be read"},
        {"[port]", "option port: it cannot be read"},
        {"[ip]", "option ip: it cannot be read"},
        {"[backlog]", "option backlog: it cannot be read"},
        {"[fd]", "option fd: it cannot be read"},
        {"[inet]", "option inet: it cannot be read"},
        {"[netns]", "option netns: it cannot be read"},
        {"[reuseport]", "option reuseport: it cannot be read"},
    };
    struct subject subject = subject_of(TCP);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        subject_expect(&subject, rows[i].request, "einval");
        expect_error_text(rows[i].text);
    }
    weir_option unknown = {WEIR_OPTION_COUNT, {0}};
    struct option_source source = {.values = &subject.values, .fd = -1};
    cr_expect(eq(int, options_read(&source, OPTION_SET_TCP, &unknown, 1), -EINVAL));
    unknown.id = WEIR_OPTION_END;
    cr_expect(eq(int, options_read(&source, OPTION_SET_TCP, &unknown, 1), -EINVAL));
    expect_error_text("option 0: there is no such option");
    subject_close(&subject);
}
