/* SPDX-License-Identifier: MIT */
#include "noted_ring.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>

#include "runtime/ring/operation.h"
#include "runtime/ring/ring.h"
#include "runtime/stream/stream.h"

enum { TEXT_SIZE = 4096 };

static char noted[TEXT_SIZE];
static char asked[TEXT_SIZE];
static uint64_t last_operation;
static void *last_memory;
static uint32_t queued_entries;
static bool takes_entries;

__attribute__((format(printf, 3, 4))) static void note(uint64_t operation, const void *memory,
                                                       const char *format, ...)
{
    size_t length = strlen(noted);
    va_list arguments;
    last_operation = operation;
    memcpy(&last_memory, &memory, sizeof(last_memory));
    va_start(arguments, format);
    vsnprintf(noted + length, sizeof(noted) - length, format, arguments);
    va_end(arguments);
}

const char *noted_asked(void)
{
    memcpy(asked, noted, sizeof(asked));
    noted[0] = '\0';
    return asked;
}

uint64_t noted_operation(void)
{
    return last_operation;
}

void *noted_memory(void)
{
    return last_memory;
}

void noted_queue(uint32_t entries, bool taken)
{
    queued_entries = entries;
    takes_entries = taken;
}

void ring_connect(struct ring *ring, uint64_t user_data, int fd, const struct sockaddr *address,
                  socklen_t size)
{
    (void)ring, (void)fd, (void)size;
    note(user_data, address, "connect ");
}

void ring_receive(struct ring *ring, uint64_t user_data, int fd, bool multishot)
{
    (void)ring, (void)fd;
    note(user_data, NULL, multishot ? "receives " : "receive ");
}

void ring_receive_into(struct ring *ring, uint64_t user_data, int fd, struct ring_memory memory)
{
    (void)ring, (void)fd;
    note(user_data, memory.bytes, "into%c%zu ", memory.waits ? ':' : '!', memory.size);
}

void ring_wait_readable(struct ring *ring, uint64_t user_data, int fd)
{
    (void)ring, (void)fd;
    note(user_data, NULL, "readable ");
}

void ring_send(struct ring *ring, uint64_t user_data, int fd, const void *bytes, size_t size)
{
    (void)ring, (void)fd;
    note(user_data, bytes, "send:%zu ", size);
}

void ring_send_message(struct ring *ring, uint64_t user_data, int fd, const struct msghdr *message,
                       bool zero_copy)
{
    size_t size = 0;
    (void)ring, (void)fd;
    for (size_t i = 0; i < message->msg_iovlen; i++)
        size += message->msg_iov[i].iov_len;
    note(user_data, message->msg_iov[0].iov_base, "%s:%zu/%zu%s ", zero_copy ? "lend" : "message",
         size, message->msg_iovlen, message->msg_control ? "+" : "");
}

void ring_read(struct ring *ring, uint64_t user_data, void *memory, struct file_range range)
{
    (void)ring;
    note(user_data, memory, "read%c%zu ", range.patient ? '!' : ':', range.size);
}

void ring_watch_writable(struct ring *ring, uint64_t user_data, int fd)
{
    (void)ring, (void)fd;
    note(user_data, NULL, "writable ");
}

void ring_cancel(struct ring *ring, uint64_t user_data, uint64_t target)
{
    (void)ring;
    cr_assert_eq(user_data, operation_cancel_of(target));
    note(last_operation, last_memory, "cancel:%u ", OPERATION_IN_KIND(operation_of(target)));
}

uint32_t ring_pending(const struct ring *ring)
{
    (void)ring;
    return queued_entries;
}

void ring_submit(struct ring *ring)
{
    (void)ring;
    if (takes_entries)
        queued_entries = 0;
}

int ring_register_buffers(struct ring *ring)
{
    (void)ring;
    return 0;
}

void ring_offer_buffer(struct ring *ring, uint16_t buffer, uint8_t *bytes)
{
    (void)ring, (void)buffer, (void)bytes;
}

void ring_publish_buffers(struct ring *ring)
{
    (void)ring;
}

/* What no connection asks for is asked for by nobody here. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define NEVER_ASKED(result, function, ...) \
    result function(__VA_ARGS__)           \
    {                                      \
        cr_assert_fail(#function);         \
        abort();                           \
    }

NEVER_ASKED(int, ring_open, struct ring **ring, const struct ring_config *config,
            struct ring_profile *profile)
NEVER_ASKED(void, ring_close, struct ring *ring)
NEVER_ASKED(void, ring_accept, struct ring *ring, uint64_t user_data, int fd, bool multishot)
NEVER_ASKED(void, ring_poll, struct ring *ring, uint64_t user_data, int fd, unsigned events)
NEVER_ASKED(void, ring_wait_wake, struct ring *ring, uint64_t user_data, int fd)
NEVER_ASKED(void, ring_turn, struct ring *ring, uint64_t timeout_ns)
NEVER_ASKED(bool, ring_has_work, struct ring *ring)
NEVER_ASKED(uint32_t, ring_ready, const struct ring *ring)
NEVER_ASKED(uint32_t, ring_take, struct ring *ring, struct ring_completion *completions,
            uint32_t room)
NEVER_ASKED(struct ring_counters, ring_get_counters, const struct ring *ring)
