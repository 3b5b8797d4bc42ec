/* SPDX-License-Identifier: MIT */
/* What cannot be done with datagrams, as rows: what each call says, and that it says why. */
#include "integration/plain.h"

#include <stdlib.h>

enum { MAX_INET = 65507, MAX_INET6 = 65527 };

static struct subject {
    struct loopback *loopback;
    weir_socket passive; /* inet, loopback */
    weir_socket any;     /* inet, every address */
    weir_socket six;     /* inet6 */
    weir_socket active;
    weir_socket closed;
    weir_socket listener;
} subject;

static char bytes[MAX_INET6 + 1];

enum whom { HERE, PORT_0, INET, INET6, NO_FAMILY, BROADCAST, NOBODY };

static const weir_address *address(enum whom whom)
{
    static weir_address addresses[NOBODY];
    weir_address *it = &addresses[whom % NOBODY];
    *it = (weir_address){.family = WEIR_INET, .bytes = {127, 0, 0, 1}, .port = 9};
    if (whom == PORT_0)
        it->port = 0;
    if (whom == NO_FAMILY)
        it->family = WEIR_ANY_FAMILY;
    if (whom == INET6)
        *it = (weir_address){.family = WEIR_INET6, .bytes = {[15] = 1}, .port = 9};
    if (whom == BROADCAST)
        memset(it->bytes, 255, 4);
    return whom == NOBODY ? NULL : it;
}

struct send_row {
    const char *name;
    const weir_socket *socket;
    enum whom whom;
    size_t size;
    bool no_bytes;
    int gives;
};

static const struct send_row sends[] = {
    {"one byte too many", &subject.passive, HERE, MAX_INET + 1, false, -EMSGSIZE},
    {"one too many of inet6", &subject.six, INET6, MAX_INET6 + 1, false, -EMSGSIZE},
    {"port 0", &subject.passive, PORT_0, 1, false, -EINVAL},
    {"inet6 on inet", &subject.passive, INET6, 1, false, -EAFNOSUPPORT},
    {"inet on inet6", &subject.six, INET, 1, false, -EAFNOSUPPORT},
    {"an address of no family", &subject.passive, NO_FAMILY, 1, false, -EAFNOSUPPORT},
    {"to nobody", &subject.passive, NOBODY, 1, false, -EINVAL},
    {"no bytes", &subject.passive, HERE, 1, true, -EINVAL},
    {"more than memory has", &subject.passive, HERE, SIZE_MAX, false, -EINVAL},
    {"broadcast", &subject.any, BROADCAST, 1, false, -EACCES},
    {"what is closed", &subject.closed, HERE, 1, false, WEIR_CLOSED},
    {"no handle", &(const weir_socket){0}, HERE, 1, false, WEIR_CLOSED},
    {"a listener", &subject.listener, HERE, 1, false, -EPROTOTYPE},
};

static void open_subject(struct loopback *loopback)
{
    subject.loopback = loopback;
    subject.passive = open_passive(loopback);
    subject.any = open_with(loopback, "[{active,false}]", weir_owned_by_nobody());
    subject.six = open_with(loopback, "[inet6,{ip,{0,0,0,0,0,0,0,1}},{active,false}]",
                            weir_owned_by_nobody());
    subject.active = open_with(loopback, "[{ip,{127,0,0,1}}]", weir_mailed_to(loopback->mailbox));
    subject.closed = open_passive(loopback);
    GIVES(weir_close(subject.closed), 0);
    GIVES(weir_tcp_listen(loopback->runtime, "127.0.0.1", 0, NULL, &subject.listener), 0);
}

static void expect(const char *name, int result, int gives)
{
    cr_expect(result == gives, "%s gives %s, not %s", name, weir_error_name(result),
              weir_error_name(gives));
    cr_expect(result == 0 || result == WEIR_TIMEOUT || *weir_last_error_text(),
              "%s says nothing of why", name);
}

static int send_row(const struct send_row *row)
{
    return weir_udp_send(*row->socket, address(row->whom), row->no_bytes ? NULL : bytes, row->size);
}

static int send_row_async(const struct send_row *row)
{
    struct answer answer = {0};
    int result = weir_udp_send_async(*row->socket, address(row->whom), row->no_bytes ? NULL : bytes,
                                     row->size, answer_sent, &answer);
    return result < 0 ? result : answer_wait(&answer);
}

/* A handler hears of it at once; what only the kernel knows is told later. */
static void send_rows_there(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof(sends) / sizeof(sends[0]); i++)
        if (sends[i].whom != BROADCAST)
            expect(sends[i].name, send_row(&sends[i]), sends[i].gives);
}

Test(udp_refused, sends)
{
    struct loopback loopback = loopback_start(NULL);
    open_subject(&loopback);
    for (size_t i = 0; i < sizeof(sends) / sizeof(sends[0]); i++) {
        expect(sends[i].name, send_row(&sends[i]), sends[i].gives);
        int result = send_row_async(&sends[i]);
        cr_expect(result == sends[i].gives, "%s, async, gives %s", sends[i].name,
                  weir_error_name(result));
    }
    run_there(loopback.runtime, 0, send_rows_there, NULL);
    loopback_close(&loopback);
}

static const struct {
    const char *name;
    const weir_socket *socket;
    int gives;
} receives[] = {
    {"nothing has come", &subject.passive, WEIR_TIMEOUT},
    {"an active socket", &subject.active, -EINVAL},
    {"what is closed", &subject.closed, WEIR_CLOSED},
    {"no handle", &(const weir_socket){0}, WEIR_CLOSED},
    {"a listener", &subject.listener, -ENOTCONN},
};

Test(udp_refused, receives)
{
    struct loopback loopback = loopback_start(NULL);
    weir_packet packet;
    open_subject(&loopback);
    for (size_t i = 0; i < sizeof(receives) / sizeof(receives[0]); i++)
        expect(receives[i].name, weir_udp_recv(*receives[i].socket, 0, &packet), receives[i].gives);
    loopback_close(&loopback);
}

static const struct {
    const char *name;
    const weir_socket *socket;
    enum whom whom;
    int gives;
} connects[] = {
    {"inet6 of inet", &subject.passive, INET6, -EAFNOSUPPORT},
    {"inet of inet6", &subject.six, INET, -EAFNOSUPPORT},
    {"no family", &subject.passive, NO_FAMILY, -EINVAL},
    {"what is closed", &subject.closed, HERE, WEIR_CLOSED},
    {"a listener", &subject.listener, HERE, -ENOTCONN},
};

Test(udp_refused, connects)
{
    struct loopback loopback = loopback_start(NULL);
    open_subject(&loopback);
    for (size_t i = 0; i < sizeof(connects) / sizeof(connects[0]); i++)
        expect(connects[i].name, weir_udp_connect(*connects[i].socket, address(connects[i].whom)),
               connects[i].gives);
    loopback_close(&loopback);
}

/* Of a connection's options none opens a UDP socket, and each may be set on one, in vain. */
static const struct {
    const char *options;
    int opens;
    int sets;
} options[] = {
    {"[{packet,4}]", WEIR_BADARG, 0},
    {"[{nodelay,true}]", WEIR_BADARG, 0},
    {"[{keepalive,true}]", WEIR_BADARG, 0},
    {"[{high_watermark,5}]", WEIR_BADARG, 0},
    {"[{send_timeout,5}]", WEIR_BADARG, 0},
    {"[{exit_on_close,false}]", WEIR_BADARG, 0},
    {"[{linger,{true,1}}]", WEIR_BADARG, 0},
    {"[{backlog,5}]", WEIR_BADARG, -EINVAL},
    {"[{ip,{192,0,2,1}}]", -EADDRNOTAVAIL, -EINVAL},
    {"[inet,{ip,{0,0,0,0,0,0,0,1}}]", WEIR_BADARG, -EINVAL},
    {"[{read_packets,0}]", WEIR_BADARG, -EINVAL},
    {"[{active,once}]", 0, -EINVAL}, /* that which is set has no owner */
    {"[{ttl,300}]", -EINVAL, -EINVAL},
    {"[{broadcast,true},{read_packets,7}]", 0, 0},
};

Test(udp_refused, opens_and_sets)
{
    struct loopback loopback = loopback_start(NULL);
    open_subject(&loopback);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        weir_option *list;
        weir_socket socket;
        GIVES(weir_options_parse(options[i].options, &list), 0);
        expect(options[i].options,
               weir_udp_open(loopback.runtime, 0, list, weir_mailed_to(loopback.mailbox), &socket),
               options[i].opens);
        expect(options[i].options, weir_setopts(subject.passive, list), options[i].sets);
        weir_options_free(list);
    }
    expect("as many messages as there may be", set(subject.active, "[{active,32767}]"), 0);
    expect("one more", set(subject.active, "[{active,1}]"), -EINVAL);
    cr_expect(get(subject.active, WEIR_OPTION_ACTIVE) == 32767);
    loopback_close(&loopback);
}

static const struct {
    const char *address;
    const char *options;
    const char *says;
} services[] = {
    {"nowhere", "[]", "\"nowhere\" is not an address"},
    {"127.0.0.1", "[inet6]", "not of the family"},
    {"127.0.0.1", "[local]", "is not unix:PATH"},
    {NULL, "[{fd,0}]", "one descriptor"},
    {NULL, "[{packet,4}]", "packet"},
};

Test(udp_refused, services)
{
    struct loopback loopback = loopback_start(NULL);
    const weir_owner owner = weir_mailed_to(loopback.mailbox);
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        weir_option *list;
        GIVES(weir_options_parse(services[i].options, &list), 0);
        GIVES(weir_udp_serve(loopback.runtime, services[i].address, 0, list, owner, NULL),
              WEIR_BADARG);
        cr_expect(strstr(weir_last_error_text(), services[i].says), "%s says %s",
                  services[i].options, weir_last_error_text());
        weir_options_free(list);
    }
    loopback_close(&loopback);
}

/* The second scheduler's socket finds none, and the first's is closed again. */
Test(udp_refused, a_service_for_which_there_are_too_few_descriptors)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    const weir_owner owner = weir_mailed_to(loopback.mailbox);
    int open_before = descriptor_count();
    for (int room = 0; room < 2; room++) {
        rlim_t before = leave_descriptors(room);
        int result = weir_udp_serve(loopback.runtime, "127.0.0.1", 0, NULL, owner, NULL);
        restore_descriptors(before);
        expect("a service", result, -EMFILE);
        GIVES(descriptor_count(), open_before);
    }
    loopback_close(&loopback);
}

Test(udp_refused, owners)
{
    struct loopback loopback = loopback_start(NULL);
    weir_mailbox *other;
    open_subject(&loopback);
    GIVES(weir_mailbox_create(&other), 0);
    const weir_owner own = weir_mailed_to(loopback.mailbox);
    const weir_owner others = weir_mailed_to(other);
    expect("who is not the owner", weir_controlling_process(subject.active, others, others),
           WEIR_NOT_OWNER);
    expect("what is closed", weir_controlling_process(subject.closed, own, others), WEIR_CLOSED);
    expect("the owner", weir_controlling_process(subject.active, own, others), 0);
    expect("who was the owner", weir_controlling_process(subject.active, own, own), WEIR_NOT_OWNER);
    GIVES(weir_mailbox_destroy(other), 0);
    loopback_close(&loopback);
}
