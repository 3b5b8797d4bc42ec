/* SPDX-License-Identifier: MIT */
#include "sim/pieces.h"

#include "runtime/ring/vectors.h"
#include "sim/kernel.h"
#include "sim/trace.h"

enum { MESSAGE_COUNT = 4096 };

struct message {
    uint32_t next_free; /* index + 1 */
    uint32_t count;
    struct piece pieces[VECTORS_PER_MESSAGE];
};

static struct message messages[MESSAGE_COUNT];
static uint32_t free_message;
static uint32_t message_count;

void pieces_reset(void)
{
    free_message = 0;
    message_count = 0;
}

uint32_t pieces_copy(const struct msghdr *header)
{
    uint32_t index = free_message;
    if (index)
        free_message = messages[index - 1].next_free;
    else
        index = ++message_count;
    SIM_CHECK(index <= MESSAGE_COUNT && header->msg_iovlen <= VECTORS_PER_MESSAGE,
              "too many messages");
    struct message *message = &messages[index - 1];
    message->count = (uint32_t)header->msg_iovlen;
    for (uint32_t i = 0; i < message->count; i++)
        message->pieces[i] =
            (struct piece){header->msg_iov[i].iov_base, header->msg_iov[i].iov_len};
    return index;
}

void pieces_free(uint32_t number)
{
    messages[number - 1].next_free = free_message;
    free_message = number;
}

const struct piece *pieces_of_message(uint32_t number, uint32_t *count)
{
    *count = messages[number - 1].count;
    return messages[number - 1].pieces;
}
