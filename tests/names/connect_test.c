/* SPDX-License-Identifier: MIT */
/* Connecting by name. */
#include "asked.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static int connect_to(struct asked *asked, const char *host, int port, int64_t timeout_ms)
{
    weir_socket socket;
    int result = weir_tcp_connect(asked->runtime, host, (uint16_t)port,
                                  WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                                  weir_owned_by_nobody(), timeout_ms, &socket);
    if (result == 0)
        weir_close(socket);
    return result;
}

Test(connect, by_name)
{
    int port;
    struct asked asked = asked_start(2, "");
    int listener = peer_listen(5, &port);
    cr_expect_eq(connect_to(&asked, "loopback.test", port, WAIT_MS), 0);
    cr_expect_eq(connect_to(&asked, "nx.test", port, WAIT_MS), WEIR_NXDOMAIN);
    cr_expect_eq(connect_to(&asked, "a b", port, WAIT_MS), -EINVAL);
    close(listener);
    asked_stop(&asked);
}
