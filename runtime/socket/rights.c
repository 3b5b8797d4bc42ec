/* SPDX-License-Identifier: MIT */
#include "runtime/socket/rights.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "runtime/buffer/buffer.h"

static void close_all(void *data)
{
    struct cmsghdr *control = data;
    const uint8_t *end = (const uint8_t *)control + control->cmsg_len;
    for (const uint8_t *from = CMSG_DATA(control); from < end; from += sizeof(int)) {
        int descriptor;
        memcpy(&descriptor, from, sizeof(descriptor));
        system_close(descriptor);
    }
    memory_free(control);
}

/* Those before one that fails are closed again. */
static int duplicate(const int *descriptors, size_t count, struct cmsghdr *control)
{
    for (size_t i = 0; i < count; i++) {
        int descriptor = system_duplicate(descriptors[i]);
        if (descriptor < 0)
            return error_say(descriptor, "send: descriptor %d: %s", descriptors[i],
                             weir_error_text(descriptor));
        memcpy(CMSG_DATA(control) + i * sizeof(descriptor), &descriptor, sizeof(descriptor));
        control->cmsg_len += sizeof(descriptor);
    }
    return 0;
}

static int make(const int *descriptors, size_t count, struct weir_buffer **rights)
{
    size_t size = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *control = memory_allocate_zeroed(1, size);
    if (!control)
        return error_say(-ENOMEM, "send: no memory for descriptors");
    *control = (struct cmsghdr){CMSG_LEN(0), SOL_SOCKET, SCM_RIGHTS};
    int result = duplicate(descriptors, count, control);
    *rights = result == 0 ? buffer_adopt(control, size, close_all, control) : NULL;
    if (*rights)
        return 0;
    close_all(control);
    return result < 0 ? result : error_say(-ENOMEM, "send: no memory for descriptors");
}

int rights_make(const int *descriptors, size_t count, struct weir_buffer **rights)
{
    *rights = NULL;
    if (count > RIGHTS_MOST)
        return error_say(-EINVAL, "send: %zu descriptors are more than the %d of a message", count,
                         RIGHTS_MOST);
    return count > 0 ? make(descriptors, count, rights) : 0;
}

void rights_attach(const struct weir_buffer *rights, struct msghdr *message)
{
    if (!rights)
        return;
    message->msg_control = rights->bytes;
    message->msg_controllen = rights->capacity;
}
