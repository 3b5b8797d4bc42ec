/* SPDX-License-Identifier: MIT */
#include "sim/pieces.h"

#include <string.h>

#include "runtime/ring/vectors.h"
#include "sim/kernel.h"
#include "sim/rights.h"
#include "sim/trace.h"

enum { MESSAGE_COUNT = 4096 };

struct message {
    uint32_t next_free; /* index + 1 */
    uint32_t count;
    uint32_t right_count;
    int rights[RIGHTS_MOST];
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

static void copy_rights(struct message *message, const struct msghdr *header)
{
    const struct cmsghdr *control = header->msg_controllen > 0 ? CMSG_FIRSTHDR(header) : NULL;
    message->right_count = 0;
    if (!control)
        return;
    size_t size = control->cmsg_len - CMSG_LEN(0);
    SIM_CHECK(control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
                  size <= sizeof(message->rights),
              "a control message of type %d", control->cmsg_type);
    memcpy(message->rights, CMSG_DATA(control), size);
    message->right_count = (uint32_t)(size / sizeof(int));
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
    copy_rights(message, header);
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

const int *pieces_rights(uint32_t number, uint32_t *count)
{
    *count = messages[number - 1].right_count;
    return messages[number - 1].rights;
}
