/* SPDX-License-Identifier: MIT */
/* The rules of setopts and getopts, and whose error the text is of. */
#include "live.h"

#include <errno.h>
#include <string.h>

struct row {
    const char *set;
    int result;
    const char *request;
    const char *reading;
    const char *said; /* a part of the text when it fails */
};

/* On a connected socket that starts with {active,false}. */
static const struct row rows[] = {
    /* The whole list is checked before anything is applied. */
    {"[{header,1},{port,7}]", -EINVAL, "[header]", "[{header,0}]", "option port"},
    {"[{header,1},{backlog,7},{header,2}]", -EINVAL, "[header]", "[{header,0}]", "backlog"},
    {"[{header,1},inet6]", -EINVAL, "[header]", "[{header,0}]", "option inet6"},
    {"[{nodelay,true},{reuseport,true}]", -EINVAL, "[nodelay]", "[{nodelay,false}]", "reuseport"},
    /* Front to back, up to the first that fails; active is one of them. */
    {"[{header,1},{ttl,0},{header,2}]", -EINVAL, "[header]", "[{header,1}]", "option ttl"},
    {"[{ttl,0},{active,once}]", -EINVAL, "[active]", "[{active,false}]", "option ttl"},
    {"[{active,once},{ttl,0}]", -EINVAL, "[active]", "[{active,once}]", "option ttl"},
    {"[{active,32767},{header,3},{active,1},{header,4}]", -EINVAL, "[active,header]",
     "[{active,32767},{header,3}]", "option active"},
    {"[{high_msgq_watermark,0},{header,5}]", -EINVAL, "[header]", "[{header,0}]",
     "high_msgq_watermark"},
    {"[{tclass,1},{header,5}]", -EINVAL, "[header]", "[{header,0}]", "tclass"},
    {"[{bind_to_device,<<\"nosuch\">>},{header,5}]", -EINVAL, "[header]", "[{header,0}]",
     "bind_to_device"},
    /* What the kernel refuses of others is passed over. */
    {"[{raw,6,9999,<<1,2,3,4>>},{header,5}]", 0, "[header]", "[{header,5}]", NULL},
    {"[{raw,6,1,<<1>>},{header,5}]", 0, "[header,nodelay]", "[{header,5},{nodelay,false}]", NULL},
    /* The last of duplicates wins. */
    {"[{high_watermark,5},{high_watermark,6}]", 0, "[high_watermark]", "[{high_watermark,6}]",
     NULL},
    {"[{nodelay,true},{nodelay,false}]", 0, "[nodelay]", "[{nodelay,false}]", NULL},
    {"[{active,once},{active,true}]", 0, "[active]", "[{active,true}]", NULL},
    {"[{active,5},{active,6}]", 0, "[active]", "[{active,11}]", NULL},
    {"[list,binary]", 0, "[mode]", "[{mode,binary}]", NULL},
    {"[]", 0, "[]", "[]", NULL},
    /* Watermarks follow each other. */
    {"[{high_watermark,100}]", 0, "[high_watermark,low_watermark]",
     "[{high_watermark,100},{low_watermark,100}]", NULL},
    {"[{low_watermark,10000000}]", 0, "[high_watermark,low_watermark]",
     "[{high_watermark,10000000},{low_watermark,10000000}]", NULL},
    {"[{high_watermark,-1}]", 0, "[high_watermark,low_watermark]",
     "[{high_watermark,0},{low_watermark,0}]", NULL},
    /* Values that are stored as others. */
    {"[{buffer,0}]", 0, "[buffer]", "[{buffer,1}]", NULL},
    {"[{packet,raw}]", 0, "[packet]", "[{packet,0}]", NULL},
    {"[{send_timeout,4294967295}]", 0, "[send_timeout]", "[{send_timeout,infinity}]", NULL},
    {"[{tos,255}]", 0, "[tos]", "[{tos,252}]", NULL},
    {"[{tos,256}]", 0, "[tos]", "[{tos,0}]", NULL},
    {"[{priority,5},{tos,16}]", 0, "[tos,priority]", "[{tos,16},{priority,5}]", NULL},
    {"[{recbuf,1}]", 0, "[recbuf]", "[{recbuf,2304}]", NULL},
    {"[{sndbuf,1}]", 0, "[sndbuf]", "[{sndbuf,4608}]", NULL},
    {"[{linger,{true,5}},{linger,{false,9}}]", 0, "[linger]", "[{linger,{false,5}}]", NULL},
    /* Either kernel buffer raises buffer, unless it was set. */
    {"[{recbuf,5000}]", 0, "[buffer]", "[{buffer,5000}]", NULL},
    {"[{sndbuf,6000},{recbuf,5000}]", 0, "[buffer]", "[{buffer,6000}]", NULL},
    {"[{recbuf,1000}]", 0, "[buffer]", "[{buffer,1460}]", NULL},
    {"[{recbuf,5000},{buffer,9}]", 0, "[buffer]", "[{buffer,9}]", NULL},
    {"[{buffer,9},{recbuf,5000}]", 0, "[buffer]", "[{buffer,9}]", NULL},
    /* Reading: in order, as often as asked for, without what the system lacks. */
    {"[]", 0, "[header,tclass,mode,read_packets,header]", "[{header,0},{mode,list},{header,0}]",
     NULL},
    {"[]", 0, "[header,line_delimiter]", "einval", NULL},
    {"[]", 0, "[header,add_membership]", "einval", NULL},
    {"[]", 0, "[port]", "einval", NULL},
    {"[]", 0, "[{raw,6,9999,4},mode]", "[{mode,list}]", NULL},
    {"[]", 0, "[{raw,6,1,4}]", "[{raw,6,1,<<0,0,0,0>>}]", NULL},
    {"[]", 0, "[{raw,6,1,1}]", "[{raw,6,1,<<0>>}]", NULL},
    {"[]", 0, "[{raw,6,1,0}]", "[{raw,6,1,<<>>}]", NULL},
};

Test(validation, rules)
{
    struct loopback loopback = loopback_start(NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct trio trio = trio_open(&loopback, "127.0.0.1", "[]", "[{active,false}]");
        int result = set(trio.connected, row->set);
        cr_expect(result == row->result, "%s gives %s: %s", row->set, result_text(result),
                  weir_last_error_text());
        if (row->said)
            expect_said(row->said);
        expect_reading(trio.connected, row->request, row->reading);
        trio_close(&trio);
    }
    loopback_close(&loopback);
}

Test(validation, raw_requests_are_bounded)
{
    static char buffer[WEIR_RAW_SIZE_MAX + 1];
    struct loopback loopback = loopback_open("[]");
    weir_option wanted = WEIR_RAW_REQUEST(6, 1, buffer, sizeof(buffer));
    GIVES(weir_getopts(loopback.socket, &wanted, 1), -EINVAL);
    expect_said("option raw");
    wanted = WEIR_RAW_REQUEST(6, 1, buffer, WEIR_RAW_SIZE_MAX);
    GIVES(weir_getopts(loopback.socket, &wanted, 1), 1);
    cr_expect(wanted.value.raw.size == sizeof(int));
    loopback_close(&loopback);
}

Test(validation, unknown_options_are_named_by_their_number)
{
    struct loopback loopback = loopback_open("[]");
    const weir_option list[] = {WEIR_HEADER(1), {.id = (enum weir_option_id)999}, {.id = 0}};
    weir_option wanted = {.id = (enum weir_option_id) - 3};
    weir_socket opened;
    GIVES(weir_setopts(loopback.socket, list), -EINVAL);
    expect_said("option 999");
    expect_reading(loopback.socket, "[header]", "[{header,0}]");
    GIVES(weir_getopts(loopback.socket, &wanted, 1), -EINVAL);
    expect_said("option -3");
    GIVES(weir_tcp_listen(loopback.runtime, NULL, 0, list, &opened), WEIR_BADARG);
    expect_said("option 999");
    loopback_close(&loopback);
}

/* listen and connect: also the last wins, and a bad list opens nothing. */
static const struct {
    const char *options;
    const char *said;
} refused_everywhere[] = {
    {"[{broadcast,true}]", "option broadcast"},    {"[{dontroute,true}]", "option dontroute"},
    {"[{read_packets,3}]", "option read_packets"}, {"[inet,{ip,{0,0,0,0,0,0,0,1}}]", "option ip"},
    {"[{ip,{127,0,0,1}},inet6]", "option ip"},
};

Test(validation, creating_calls_name_what_they_do_not_take)
{
    struct loopback loopback = loopback_start(NULL);
    size_t count = sizeof(refused_everywhere) / sizeof(refused_everywhere[0]);
    for (size_t i = 0; i < count; i++) {
        GIVES(try_listen(&loopback, refused_everywhere[i].options), WEIR_BADARG);
        expect_said(refused_everywhere[i].said);
        GIVES(try_connect(&loopback, refused_everywhere[i].options), WEIR_BADARG);
        expect_said(refused_everywhere[i].said);
    }
    GIVES(try_connect(&loopback, "[{backlog,3}]"), WEIR_BADARG);
    expect_said("option backlog");
    GIVES(try_listen(&loopback, "[{line_delimiter,3}]"), WEIR_BADARG);
    expect_said("option line_delimiter");
    GIVES(try_listen(&loopback, "[{high_msgq_watermark,0}]"), WEIR_BADARG);
    expect_said("high_msgq_watermark");
    struct trio trio = trio_open(&loopback, "127.0.0.1", "[{header,1},{header,2}]",
                                 "[{nodelay,true},{nodelay,false},{header,1},{header,3}]");
    expect_reading(trio.accepted, "[header]", "[{header,2}]");
    expect_reading(trio.connected, "[header,nodelay]", "[{header,3},{nodelay,false}]");
    loopback_close(&loopback);
}

/* What the kernel refuses of an option whose failure counts. */
Test(validation, creating_calls_give_the_kernels_reason)
{
    struct loopback loopback = loopback_start(NULL);
    int descriptors = descriptor_count();
    GIVES(try_listen(&loopback, "[{ttl,0}]"), -EINVAL);
    expect_said("option ttl");
    GIVES(try_connect(&loopback, "[{active,false},{bind_to_device,<<\"nosuch\">>}]"), -ENODEV);
    expect_said("option bind_to_device");
    cr_expect(descriptor_count() == descriptors, "a descriptor is left");
    loopback_close(&loopback);
}

/* A listener adds counts too, and what is spent is passive. */
Test(validation, active_of_a_listener)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket listener = listen_on(&loopback, "127.0.0.1", "[{active,5}]");
    GIVES(set(listener, "[{active,3}]"), 0);
    expect_reading(listener, "[active]", "[{active,8}]");
    GIVES(set(listener, "[{active,32760}]"), -EINVAL);
    expect_said("option active");
    expect_reading(listener, "[active]", "[{active,8}]");
    GIVES(set(listener, "[{active,-100}]"), 0);
    expect_reading(listener, "[active]", "[{active,false}]");
    loopback_close(&loopback);
}

/* Texts are of the call that failed, wherever it was made and whatever others said there. */
static char said[4][160];

static void note(int index)
{
    strncpy(said[index], weir_last_error_text(), sizeof(said[index]) - 1);
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    const weir_option list[] = {WEIR_HEADER(1), WEIR_TTL(0), {.id = WEIR_OPTION_END}};
    const weir_option bad[] = {WEIR_PACKET(99), {.id = WEIR_OPTION_END}};
    weir_socket none = {0};
    (void)packet;
    (void)!weir_setopts(socket, list);
    note(0);
    (void)!weir_setopts(socket, bad);
    note(1);
    (void)!weir_send(none, "x", 1);
    note(2);
    (void)!weir_setopts(socket, list);
    __atomic_store_n((int *)data, 1, __ATOMIC_RELEASE);
}

Test(validation, texts_of_calls_in_handlers)
{
    static const weir_handler handler = {.packet = on_packet};
    struct loopback loopback = loopback_start(NULL);
    int done = 0;
    weir_socket listener = listen_on(&loopback, "127.0.0.1", "[]");
    int peer = peer_connect(weir_port(listener));
    weir_socket socket;
    GIVES(weir_tcp_accept(listener, weir_handled_by(&handler, &done), WAIT_MS, &socket), 0);
    peer_say(peer, "x");
    EVENTUALLY(__atomic_load_n(&done, __ATOMIC_ACQUIRE));
    cr_expect(strstr(said[0], "option ttl"), "\"%s\"", said[0]);
    cr_expect(strstr(said[1], "option packet"), "\"%s\"", said[1]);
    cr_expect_str_eq(said[2], "weir_send: closed");
    /* The handler's last text stays on its thread. */
    weir_socket accepted;
    GIVES(weir_tcp_accept(listener, weir_mailed_to(loopback.mailbox), 20, &accepted), WEIR_TIMEOUT);
    cr_expect_str_eq(weir_last_error_text(), "weir_tcp_accept: timed out");
    peer_leave(&peer);
    loopback_close(&loopback);
}

Test(validation, texts_of_calls_on_threads)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_socket none = {0};
    GIVES(set(loopback.socket, "[{ttl,0}]"), -EINVAL);
    expect_said("option ttl");
    weir_address address;
    GIVES(weir_peername(loopback.listener, &address), -ENOTCONN);
    cr_expect_str_eq(weir_last_error_text(), "weir_peername: socket is not connected");
    GIVES(set(loopback.socket, "[{ttl,0}]"), -EINVAL);
    GIVES(weir_send(none, "x", 1), WEIR_CLOSED);
    cr_expect_str_eq(weir_last_error_text(), "weir_send: closed");
    loopback_close(&loopback);
}

/* A service: all are set or, on a scheduler, none. */
static weir_socket service;

static void set_service(void *data)
{
    const weir_option list[] = {WEIR_HEADER(7), {.id = WEIR_OPTION_END}};
    *(int *)data = weir_setopts(service, list);
    note(3);
}

Test(validation, service_wide)
{
    weir_config config = {.schedulers = 2};
    struct loopback loopback = loopback_start(&config);
    const weir_option none[] = {{.id = WEIR_OPTION_END}};
    GIVES(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, none, weir_mailed_to(loopback.mailbox),
                         &service),
          0);
    GIVES(set(service, "[{header,1},{ttl,0},{header,2}]"), -EINVAL);
    expect_said("option ttl");
    for (uint32_t i = 0; i < 2; i++) {
        int result = 0;
        run_there(loopback.runtime, i, set_service, &result);
        cr_expect(result == -EDEADLK, "%d", result);
        cr_expect(strstr(said[3], "weir_setopts"), "\"%s\"", said[3]);
    }
    expect_reading(service, "[header]", "[{header,1}]");
    loopback_close(&loopback);
}
