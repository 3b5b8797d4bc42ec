/* SPDX-License-Identifier: MIT */
#include "lone_stream.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/error.h"
#include "options/values.h"
#include "runtime/buffer/buffer.h"
#include "runtime/kinds.h"
#include "runtime/owner/owner.h"
#include "runtime/ring/features.h"
#include "runtime/scheduler/dispatch.h"

enum { TEXT_SIZE = 4096, CALLS_MAX = 'z' - 'a' + 1 };

enum { BEGAN_S = 1000 };

struct scheduler_limits lone_limits;
struct scheduler lone;
struct option_values lone_values;
int lone_peer;

static struct lease_pool lease_pool;
static uint64_t clock_ns;
static char noted[TEXT_SIZE];
static char told[TEXT_SIZE];

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    size_t length = strlen(noted);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(noted + length, sizeof(noted) - length, format, arguments);
    va_end(arguments);
}

const char *lone_told(void)
{
    memcpy(told, noted, sizeof(told));
    noted[0] = '\0';
    return told;
}

uint64_t __wrap_clock_now_ns(void);

uint64_t __wrap_clock_now_ns(void)
{
    return clock_ns;
}

static const char *text_of(int result)
{
    return result == 0 ? "0" : weir_error_name(result);
}

static void packet(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket, (void)data;
    note("%s:%.*s ", packet->http ? "http" : "data", (int)packet->size,
         (const char *)packet->bytes);
}

static void passive(weir_socket socket, void *data)
{
    (void)socket, (void)data;
    note("passive ");
}

static void unbusy(weir_socket socket, void *data)
{
    (void)socket, (void)data;
    note("unbusy ");
}

static void error(weir_socket socket, int error, void *data)
{
    (void)socket, (void)data;
    note("error:%s ", text_of(error));
}

static void closed(weir_socket socket, void *data)
{
    (void)socket, (void)data;
    note("closed ");
}

static void gone(weir_socket socket, void *data)
{
    (void)socket, (void)data;
    note("gone ");
}

static const weir_handler handler = {.packet = packet,
                                     .passive = passive,
                                     .unbusy = unbusy,
                                     .error = error,
                                     .closed = closed,
                                     .gone = gone};

static void wake(uint32_t scheduler)
{
    (void)scheduler;
}

static void release_soon(void *context)
{
    (void)context;
}

void lone_begin(uint32_t features_off)
{
    const struct buffer_pool_config config = {.wake = wake,
                                              .release_soon = release_soon,
                                              .count = LONE_BUFFERS,
                                              .size = LONE_BUFFER_BYTES,
                                              .kernel_picks =
                                                  !(features_off & FEATURE_BIT(BUFFER_RING))};
    clock_ns = BEGAN_S * UINT64_C(1000000000);
    lone_limits.eager_submit = 1000;
    lone_limits.close_timeout_ms = 1000000;
    lone = (struct scheduler){.kinds = runtime_kinds,
                              .limits = &lone_limits,
                              .profile.features = FEATURE_ALL & ~features_off,
                              .now_ns = clock_ns};
    lease_pool_init(&lease_pool, LONE_LIMIT, 1);
    lease_init(&lone, &lease_pool);
    task_queues_init(&lone.tasks);
    gone_init(&lone.gone);
    slot_table_init(&lone.slots, 1);
    timer_wheel_init(&lone.timers, lone.now_ns / 1000000u);
    scheduler_become(&lone);
    cr_assert_eq(buffer_pool_open(&lone.buffers, &config), 0);
    cr_assert_eq(streams_open(&lone, &lone.states[KIND_STREAM]), 0);
    values_initialize(&lone_values, false);
}

struct stream *lone_open(int32_t active)
{
    const weir_owner owner = {.handler = &handler};
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    lone_peer = ends[1];
    lone_values.active = active;
    struct stream *stream = stream_create_with(&lone, ends[0], WEIR_INET, &lone_values);
    cr_assert_not_null(stream);
    slot_move(&stream->slot, SOCKET_ESTABLISH);
    stream_connected(&lone, stream);
    owner_set(&stream->slot, owner);
    return stream;
}

static struct send_call sends[CALLS_MAX];
static struct iovec pieces[CALLS_MAX];
static char bytes[LONE_LIMIT];
static char letters[CALLS_MAX];

static void *letter_at(char letter)
{
    letters[letter - 'a'] = letter;
    return &letters[letter - 'a'];
}

static void sent(struct call *call)
{
    note("%c:%s ", *(char *)call->data, text_of(call->result));
}

struct send_call *lone_send(struct stream *stream, char letter, size_t size)
{
    struct send_call *send = &sends[letter - 'a'];
    struct iovec *piece = &pieces[letter - 'a'];
    *piece = (struct iovec){bytes, size};
    *send = (struct send_call){.call = {.data = letter_at(letter), .finish = sent},
                               .source = {.pieces = piece, .count = 1, .size = size}};
    cr_assert_eq(call_make_async(&operation_send, slot_handle(&lone, &stream->slot), &send->call),
                 0);
    lone_soon();
    return send;
}

int lone_send_now(struct stream *stream, size_t size)
{
    const struct iovec piece = {bytes, size};
    const struct send_source source = {.pieces = &piece, .count = 1, .size = size};
    int result = send_now(&lone, stream, &source);
    lone_soon();
    return result;
}

static void received(weir_socket socket, int result, const weir_packet *packet, void *letter)
{
    (void)socket;
    note("%c:%s ", *(char *)letter, text_of(result));
    if (packet)
        note("%.*s ", (int)packet->size, (const char *)packet->bytes);
}

void lone_receive(struct stream *stream, char letter, size_t length, int64_t timeout_ms)
{
    cr_assert_eq(weir_recv_async(slot_handle(&lone, &stream->slot), length, timeout_ms, received,
                                 letter_at(letter)),
                 0);
    lone_soon();
}

void lone_complete(int result, uint32_t flags)
{
    const struct ring_completion completion = {noted_operation(), result, flags};
    dispatch(&lone, &completion);
    lone_soon();
}

void lone_complete_operation(struct stream *stream, uint32_t operation, int result, uint32_t flags)
{
    const struct ring_completion completion = {slot_operation(&stream->slot, operation), result,
                                               flags};
    dispatch(&lone, &completion);
    lone_soon();
}

static uint32_t next_buffer;

void lone_bring(struct stream *stream, const char *text, bool goes_on)
{
    uint32_t index = next_buffer++ % LONE_BUFFERS;
    size_t size = strlen(text);
    memcpy(lone.buffers->buffers[index].bytes, text, size);
    lone_complete_operation(stream, STREAM_RECEIVE, (int)size,
                            RING_BUFFER | index << RING_BUFFER_SHIFT | (goes_on ? RING_MORE : 0));
}

void lone_soon(void)
{
    do
        scheduler_do_soon(&lone);
    while (!task_queue_is_empty(&lone.tasks, TASK_SOON));
}

void lone_turn(void)
{
    lone.totals.turns++;
    task_run(&lone, &lone.tasks, TASK_WAS_SUBMITTED);
    lone_soon();
    task_run(&lone, &lone.tasks, TASK_LAST);
    lone_soon();
    task_run(&lone, &lone.tasks, TASK_WITH_BUFFERS);
    task_submitted(&lone.tasks);
}

void lone_pass(uint64_t ms)
{
    clock_ns += ms * 1000000u;
    lone.now_ns = clock_ns;
    timer_advance(&lone.timers, lone.now_ns / 1000000u);
    lone_soon();
}
