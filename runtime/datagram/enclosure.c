/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/enclosure.h"

#include <errno.h>
#include <string.h>

#include "runtime/datagram/arrival.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/intake.h"
#include "runtime/socket/passed.h"

bool enclosure_is_wanted(const struct datagram *socket)
{
    return socket->has_credentials || passed_is_wanted(&socket->slot);
}

static weir_credentials read_credentials(const struct msghdr *message)
{
    struct msghdr *there = (struct msghdr *)message;
    struct cmsghdr *control = message->msg_controllen > 0 ? CMSG_FIRSTHDR(there) : NULL;
    weir_credentials credentials = WEIR_NO_CREDENTIALS;
    for (; control; control = CMSG_NXTHDR(there, control))
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_CREDENTIALS)
            memcpy(&credentials, CMSG_DATA(control), sizeof(credentials));
    return credentials;
}

int enclosure_receive(struct scheduler *scheduler, const struct datagram *socket,
                      struct intake *intake, struct enclosure *enclosure)
{
    _Alignas(struct cmsghdr) uint8_t control[PASSED_CONTROL_BYTES];
    bool wanted = passed_is_wanted(&socket->slot);
    struct passed *passed = wanted ? passed_ready(scheduler, &socket->slot) : NULL;
    struct msghdr *message = &intake->headers[0].msg_hdr;
    if (wanted && !passed)
        return -ENOMEM;
    message->msg_control = control;
    message->msg_controllen = wanted ? sizeof(control) : PASSED_WITHOUT_BYTES;
    int count = intake_receive(intake, socket->slot.fd, 1);
    if (count > 0) {
        int came = passed_read(passed, message);
        enclosure->descriptors = (int16_t)(wanted ? came : 0);
        enclosure->credentials = read_credentials(message);
    }
    message->msg_control = NULL;
    message->msg_controllen = 0;
    return count;
}

void enclosure_note(const struct enclosure *enclosure, struct weir_buffer *buffer)
{
    weir_datagram *datagram = &arrival_of(buffer)->datagram;
    datagram->descriptors = enclosure->descriptors;
    datagram->credentials = enclosure->credentials;
}
