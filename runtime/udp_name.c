/* SPDX-License-Identifier: MIT */
/*
 * gen_udp:send and gen_udp:connect to a host by its name. The call goes to the socket's scheduler,
 * which knows the family to ask for. The datagrams are calls of that scheduler's own and lie in the
 * caller's, which waits for them. The look-up has memory of its own: the caller's may leave it.
 */
#include <errno.h>
#include <string.h>

#include "address/address.h"
#include "address/name.h"
#include "base/canary.h"
#include "base/error.h"
#include "base/memory.h"
#include "runtime/buffer/buffer.h"
#include "runtime/datagram/connect.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/outbox.h"
#include "runtime/datagram/send.h"
#include "runtime/given.h"
#include "runtime/resolver/resolver.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/waiting.h"
#include <weir/udp.h>

/* What a call waits for, on the list of its socket's outbox. */
struct name_question {
    struct look_up look_up;
    struct named_call *named; /* NULL: it waits no more */
    char name[];
};

struct named_call {
    struct call call;
    const char *host;
    uint16_t port;
    bool sends;  /* else it connects */
    bool killed; /* its process is to end: what is under way is the last */
    struct iovec bytes;
    struct weir_buffer *held; /* CALL_ASYNC: what they lie in; NULL: there are none */
    struct name_question *question;
    weir_hostent *hostent; /* what it came to */
    struct letter_call letter;
    weir_address literal; /* of a host that is an address */
    const weir_address *addresses;
    size_t address_count;
    size_t next;
    weir_address address;     /* that is being tried */
    weir_local_address local; /* of "unix:PATH"; else of no size */
};

static struct named_call *named_call_of(struct call *call)
{
    return list_entry(call, struct named_call, call);
}

static void say_what_failed(const struct named_call *named, int result)
{
    if (result < 0)
        (void)error_say(result, "cannot %s %s:%u: %s", named->sends ? "send to" : "connect to",
                        named->host, named->port, weir_error_text(result));
}

static void answer(struct named_call *named, int result)
{
    weir_hostent_free(named->hostent);
    say_what_failed(named, result);
    call_complete(scheduler_current(), &named->call, result);
}

/* What is wrong with this address need not be with the next. */
static bool tries_next(const struct named_call *named, int result)
{
    static const int unreachable[] = {-ENETUNREACH, -EHOSTUNREACH, -ENETDOWN,      -EHOSTDOWN,
                                      -EACCES,      -EPERM,        -EADDRNOTAVAIL, -EINVAL};
    for (size_t i = 0; i < sizeof(unreachable) / sizeof(unreachable[0]); i++)
        if (result == unreachable[i])
            return named->next < named->address_count;
    return CANARY(SENT_AGAIN) && result == 0 && named->next < named->address_count;
}

static const weir_address *next_address(struct named_call *named)
{
    named->address = named->addresses[named->next++];
    named->address.port = named->port;
    return &named->address;
}

static void send_next(struct named_call *named);

static void sent(struct call *letter)
{
    struct named_call *named = list_entry(letter, struct named_call, letter.call);
    if (tries_next(named, letter->result))
        send_next(named);
    else
        answer(named, letter->result);
}

static void stop_letter(struct named_call *named)
{
    if (named->killed && named->letter.call.may_leave)
        call_end(scheduler_current(), &named->letter.call, WEIR_KILLED);
}

static void send_next(struct named_call *named)
{
    named->letter = (struct letter_call){.letter = {.bytes = named->bytes}};
    if (named->local.size > 0)
        named->letter.letter.local = &named->local;
    else
        named->letter.letter.to = next_address(named);
    named->letter.call.socket = named->call.socket;
    named->letter.call.finish = sent;
    named->letter.is_waited_for = call_is_waited_for(&named->call);
    call_let_leave(scheduler_current(), &named->call);
    (void)call_make_async_on(&operation_send_letter, scheduler_current()->index,
                             &named->letter.call);
    stop_letter(named);
}

static void connect_next(struct named_call *named)
{
    int result;
    do
        result = weir_udp_connect(named->call.socket, next_address(named));
    while (tries_next(named, result));
    answer(named, result);
}

static void go_on(struct named_call *named, const weir_address *addresses, size_t count)
{
    named->addresses = addresses;
    named->address_count = count;
    if (named->sends)
        send_next(named);
    else
        connect_next(named);
}

static void stop_asking(struct scheduler *scheduler, struct named_call *named)
{
    list_remove(&named->call.link);
    waiting_end(scheduler, named->bytes.iov_len);
}

static void take_answer(struct named_call *named, weir_hostent *hostent, int result)
{
    named->question = NULL;
    stop_asking(scheduler_current(), named);
    named->hostent = hostent;
    if (result < 0)
        answer(named, result);
    else
        go_on(named, hostent->h_addr_list, hostent->address_count);
}

static void found(struct call *look_up)
{
    struct name_question *question = list_entry(look_up, struct name_question, look_up.call);
    struct named_call *named = question->named;
    weir_hostent *hostent = question->look_up.hostent;
    int result = look_up->result;
    memory_free(question);
    if (named)
        take_answer(named, hostent, result);
    else
        weir_hostent_free(hostent);
}

/* Its socket is closed, or its process is killed; it has not been given an address yet. */
static void leave(struct scheduler *scheduler, struct call *call)
{
    struct named_call *named = named_call_of(call);
    named->question->named = NULL;
    stop_asking(scheduler, named);
}

/* 1; 0: it is a name; or an error. */
static int read_literal(struct named_call *named, enum weir_family family)
{
    if (weir_address_parse(named->host, &named->literal) < 0)
        return 0;
    bool of_interface = address_parse_host(named->host, &named->literal) == 0;
    return of_interface && named->literal.family == family ? 1 : WEIR_NXDOMAIN;
}

static int connect_local(const struct slot *slot, const weir_local_address *address)
{
    struct sockaddr_storage storage;
    socklen_t size = local_address_to_sockaddr(address, &storage);
    return datagram_connect(datagram_of(slot), &storage, size);
}

/* "unix:PATH" needs no look-up, and has no port. */
static int run_local(struct named_call *named, const struct slot *slot)
{
    int result = weir_local_address_parse(named->host, &named->local);
    if (result == 0 && named->port != 0)
        result = error_say(-EINVAL, "%s has no port, not %u", named->host, named->port);
    if (result == 0 && slot->family != WEIR_LOCAL)
        result = error_say(-EAFNOSUPPORT, "%s is no address of the socket's family", named->host);
    if (result < 0)
        return result;
    if (!named->sends)
        return connect_local(slot, &named->local);
    send_next(named);
    return CALL_WAITS;
}

static struct name_question *new_question(struct weir_runtime *runtime, struct named_call *named,
                                          enum weir_family family)
{
    size_t size = strlen(named->host) + 1;
    struct name_question *question = call_allocate(sizeof(*question) + size);
    if (!question)
        return NULL;
    question->named = named;
    question->look_up.naming = &runtime->naming;
    question->look_up.name = memcpy(question->name, named->host, size);
    question->look_up.family = family;
    question->look_up.call.timeout_ms = named->call.timeout_ms;
    question->look_up.call.finish = found;
    return question;
}

static int ask(struct scheduler *scheduler, struct named_call *named, struct slot *slot)
{
    struct weir_runtime *runtime = scheduler->runtime;
    int result = named->sends ? waiting_check(scheduler, &named->call) : 0;
    if (result < 0)
        return result;
    struct outbox *outbox = outbox_of(datagram_of(slot));
    struct name_question *question =
        outbox ? new_question(runtime, named, (enum weir_family)slot->family) : NULL;
    if (!question)
        return error_say(-ENOMEM, "no memory to look a name up");
    waiting_begin(scheduler, named->bytes.iov_len);
    named->question = question;
    named->call.timeout_ms = WEIR_INFINITY; /* it is the look-up's */
    if (!CANARY(LATE_ANSWER))
        list_append(&outbox->askers, &named->call.link);
    call_set_timeout(scheduler, &named->call);
    (void)call_make_async_on(&operation_look_up, runtime_home(runtime, &question->look_up),
                             &question->look_up.call);
    return CALL_WAITS;
}

static int run_named(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct named_call *named = named_call_of(call);
    enum weir_family family = (enum weir_family)slot->family;
    if (local_address_is_meant(named->host))
        return run_local(named, slot);
    if (family == WEIR_LOCAL)
        return error_say(-EAFNOSUPPORT, "%s is no unix:PATH, as a local socket needs", named->host);
    int literal = read_literal(named, family);
    if (literal < 0)
        return error_say(literal, "%s is no address of the socket's family", named->host);
    if (literal == 0)
        return ask(scheduler, named, slot);
    go_on(named, &named->literal, 1);
    return CALL_WAITS;
}

/* The letter's call ends this one: with WEIR_KILLED, or with what became of the last address. */
static void interrupt_named(struct scheduler *scheduler, struct call *call)
{
    struct named_call *named = named_call_of(call);
    if (named->question) {
        call_end(scheduler, call, WEIR_KILLED);
        return;
    }
    named->killed = true;
    stop_letter(named);
}

static const struct call_operation operation_send_to_name = {
    .name = "weir_udp_send_to",
    .run = run_named,
    .leave = leave,
    .interrupt = interrupt_named,
    .kinds = 1 << KIND_DATAGRAM,
    .other_result = -EPROTOTYPE,
    .dead_result = WEIR_CLOSED,
    .may_wait = true,
};

static const struct call_operation operation_connect_to_name = {
    .name = "weir_udp_connect_to",
    .run = run_named,
    .leave = leave,
    .interrupt = interrupt_named,
    .kinds = 1 << KIND_DATAGRAM,
    .other_result = -ENOTCONN,
    .dead_result = WEIR_CLOSED,
    .may_wait = true,
};

static int check(const char *host, const struct iovec *bytes)
{
    if (!host || (!local_address_is_meant(host) && !name_is_visible(host)))
        return error_say(-EINVAL, "a host name is one or more printable characters, no blanks");
    return given_check(bytes->iov_base, bytes->iov_len);
}

static void finish_named(struct call *call)
{
    struct named_call *named = named_call_of(call);
    weir_sent *callback = (weir_sent *)call->callback;
    if (callback) { /* else what has been said of it is the caller's */
        say_what_failed(named, call->result);
        callback(call->socket, call->result, call->data);
    }
    if (named->held)
        buffer_release(named->held);
    memory_free(named);
}

static bool copy_bytes(struct named_call *named, const struct iovec *bytes)
{
    if (bytes->iov_len == 0)
        return true;
    named->held = buffer_allocate(bytes->iov_len);
    if (!named->held)
        return false;
    named->bytes =
        (struct iovec){memcpy(named->held->bytes, bytes->iov_base, bytes->iov_len), bytes->iov_len};
    return true;
}

static struct named_call *new_named(const char *host, const struct iovec *bytes)
{
    size_t size = strlen(host) + 1;
    struct named_call *named = call_allocate(sizeof(*named) + size);
    if (!named)
        return NULL;
    if (!copy_bytes(named, bytes)) {
        memory_free(named);
        return NULL;
    }
    named->host = memcpy(named + 1, host, size);
    named->call.finish = finish_named;
    return named;
}

static int make_async(const struct call_operation *operation, weir_socket socket,
                      const struct named_call *wanted)
{
    int result = check(wanted->host, &wanted->bytes);
    if (result < 0)
        return result;
    struct named_call *named = new_named(wanted->host, &wanted->bytes);
    if (!named)
        return error_say(-ENOMEM, "%s: no memory for a call", operation->name);
    named->port = wanted->port;
    named->sends = wanted->sends;
    named->call.timeout_ms = wanted->call.timeout_ms;
    named->call.callback = wanted->call.callback;
    named->call.data = wanted->call.data;
    return call_make_async(operation, socket, &named->call);
}

int weir_udp_send_to(weir_socket socket, const char *host, uint16_t port, const void *bytes,
                     size_t size, int64_t timeout_ms)
{
    struct named_call named = {.call.timeout_ms = timeout_ms,
                               .host = host,
                               .port = port,
                               .sends = true,
                               .bytes = {(void *)bytes, size}};
    call_begin();
    int result = check(host, &named.bytes);
    return result < 0 ? result : call_make(&operation_send_to_name, socket, &named.call);
}

int weir_udp_send_to_async(weir_socket socket, const char *host, uint16_t port, const void *bytes,
                           size_t size, int64_t timeout_ms, weir_sent *callback, void *data)
{
    const struct named_call named = {.call.timeout_ms = timeout_ms,
                                     .call.callback = (void (*)(void))callback,
                                     .call.data = data,
                                     .host = host,
                                     .port = port,
                                     .sends = true,
                                     .bytes = {(void *)bytes, size}};
    return make_async(&operation_send_to_name, socket, &named);
}

int weir_udp_connect_to(weir_socket socket, const char *host, uint16_t port, int64_t timeout_ms)
{
    struct named_call named = {.call.timeout_ms = timeout_ms, .host = host, .port = port};
    call_begin();
    int result = check(host, &named.bytes);
    return result < 0 ? result : call_make(&operation_connect_to_name, socket, &named.call);
}

int weir_udp_connect_to_async(weir_socket socket, const char *host, uint16_t port,
                              int64_t timeout_ms, weir_sent *connected, void *data)
{
    const struct named_call named = {.call.timeout_ms = timeout_ms,
                                     .call.callback = (void (*)(void))connected,
                                     .call.data = data,
                                     .host = host,
                                     .port = port};
    return make_async(&operation_connect_to_name, socket, &named);
}
