/* SPDX-License-Identifier: MIT */
#include "notify.h"

#include "address/address.h"
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "/run/notify", or "@name". */
static int read_socket_name(const char *name, weir_local_address *address)
{
    int result = local_address_set(address, name, strlen(name));
    if (result == 0 && *name == '@')
        address->name[0] = '\0';
    return result;
}

static int send_state(const weir_local_address *address, const char *state)
{
    struct sockaddr_storage storage;
    socklen_t size = local_address_to_sockaddr(address, &storage);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    ssize_t sent =
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&storage, size);
    int result = sent < 0 ? -errno : 0;
    close(fd);
    return result;
}

int notify_say(const char *state)
{
    const char *name = getenv("NOTIFY_SOCKET");
    weir_local_address address;
    if (!name || !*name)
        return 0;
    int result = read_socket_name(name, &address);
    if (result == 0)
        result = send_state(&address, state);
    return result < 0 ? error_say(result, "NOTIFY_SOCKET %s: %s", name, weir_error_text(result))
                      : 0;
}

int notify_ready(void)
{
    char state[64];
    snprintf(state, sizeof(state), "READY=1\nMAINPID=%d\n", (int)getpid());
    return notify_say(state);
}
