/* SPDX-License-Identifier: MIT */
/* peername, sockname and port, and the two ways to be closed: a dead handle, and a live one whose
 * descriptor is gone. */
#include "live.h"

#include <errno.h>
#include <string.h>

static void expect_address(weir_address *address, const char *host, int port)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    weir_address_format(address, text);
    cr_expect(strcmp(text, host) == 0 && address->port == port, "%s %d, not %s %d", text,
              address->port, host, port);
}

static void check_names(const char *address)
{
    struct loopback loopback = loopback_start(NULL);
    struct trio trio = trio_open(&loopback, address, "[]", "[]");
    weir_address name;
    int port = weir_port(trio.listener);
    int other = weir_port(trio.connected);
    cr_expect(port > 0 && other > 0 && port != other && weir_port(trio.accepted) == port);
    GIVES(weir_sockname(trio.listener, &name), 0);
    expect_address(&name, address, port);
    GIVES(weir_peername(trio.listener, &name), -ENOTCONN);
    GIVES(weir_sockname(trio.connected, &name), 0);
    expect_address(&name, address, other);
    GIVES(weir_peername(trio.connected, &name), 0);
    expect_address(&name, address, port);
    GIVES(weir_sockname(trio.accepted, &name), 0);
    expect_address(&name, address, port);
    GIVES(weir_peername(trio.accepted, &name), 0);
    expect_address(&name, address, other);
    loopback_close(&loopback);
}

Test(names, of_inet)
{
    check_names("127.0.0.1");
}

Test(names, of_inet6)
{
    check_names("::1");
}

Test(names, of_an_unbound_listener)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket listener = listen_on(&loopback, NULL, "[]");
    weir_socket listener6 = listen_on(&loopback, NULL, "[inet6]");
    weir_address name;
    GIVES(weir_sockname(listener, &name), 0);
    expect_address(&name, "0.0.0.0", weir_port(listener));
    GIVES(weir_sockname(listener6, &name), 0);
    expect_address(&name, "::", weir_port(listener6));
    loopback_close(&loopback);
}

static void expect_dead(weir_socket socket)
{
    weir_address name;
    weir_statistics statistics;
    weir_packet packet;
    GIVES(weir_peername(socket, &name), -EINVAL);
    GIVES(weir_sockname(socket, &name), -EINVAL);
    GIVES(weir_port(socket), -EINVAL);
    GIVES(weir_getstat(socket, &statistics), -EINVAL);
    GIVES(set(socket, "[]"), -EINVAL);
    GIVES(weir_getopts(socket, NULL, 0), -EINVAL);
    GIVES(weir_send(socket, "x", 1), WEIR_CLOSED);
    GIVES(weir_recv(socket, 0, 0, &packet), WEIR_CLOSED);
    GIVES(weir_shutdown(socket, WEIR_WRITE), WEIR_CLOSED);
    GIVES(weir_controlling_process(socket, weir_owned_by_nobody(), weir_owned_by_nobody()),
          WEIR_CLOSED);
    GIVES(weir_tcp_accept(socket, weir_owned_by_nobody(), 0, &socket), WEIR_CLOSED);
    GIVES(weir_close(socket), 0);
}

Test(names, of_a_dead_handle)
{
    struct loopback loopback = loopback_open("[]");
    weir_socket ended = loopback.socket;
    peer_leave(&loopback.peer);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    expect_dead(ended);
    weir_close(loopback.listener);
    expect_dead(loopback.listener);
    expect_dead((weir_socket){0});
    loopback_close(&loopback);
}

/* What answers the same however the descriptor went. */
static void expect_gone(weir_socket socket)
{
    weir_address name;
    GIVES(weir_peername(socket, &name), -ENOTCONN);
    GIVES(weir_sockname(socket, &name), -EBADF);
    GIVES(weir_port(socket), -EBADF);
    GIVES(weir_shutdown(socket, WEIR_READ_WRITE), -ENOTCONN);
    (void)statistics_of(socket);
    GIVES(set(socket, "[{packet,4},{nodelay,true}]"), 0);
    expect_reading(socket, "[packet,nodelay,header]", "[{packet,4},{header,0}]");
    GIVES(set(socket, "[{packet,raw}]"), 0);
}

static int receive(weir_socket socket)
{
    weir_packet packet;
    return weir_recv(socket, 0, WAIT_MS, &packet);
}

/* The end seen by recv: the report is used up, and the next send gets one. */
Test(names, recv_sees_the_end)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    peer_leave(&loopback.peer);
    GIVES(receive(loopback.socket), WEIR_CLOSED);
    expect_gone(loopback.socket);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_CLOSED);
    GIVES(weir_send(loopback.socket, "x", 1), -ENOTCONN);
    GIVES(receive(loopback.socket), -ENOTCONN);
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    expect_dead(loopback.socket);
    loopback_close(&loopback);
}

/* A recv that is told nothing leaves the send its report. */
Test(names, recv_leaves_what_it_does_not_use)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    peer_leave(&loopback.peer);
    GIVES(receive(loopback.socket), WEIR_CLOSED);
    GIVES(receive(loopback.socket), -ENOTCONN);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_CLOSED);
    GIVES(weir_send(loopback.socket, "x", 1), -ENOTCONN);
    loopback_close(&loopback);
}

Test(names, recv_sees_a_reset)
{
    struct loopback loopback = loopback_open("[{active,false},{show_econnreset,true}]");
    peer_reset(&loopback.peer);
    GIVES(receive(loopback.socket), -ECONNRESET);
    expect_gone(loopback.socket);
    GIVES(weir_send(loopback.socket, "x", 1), -ENOTCONN);
    GIVES(receive(loopback.socket), -ENOTCONN);
    loopback_close(&loopback);
}

/* A send that fails is told, and the next recv gets one report. */
Test(names, send_sees_the_end)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    peer_reset(&loopback.peer);
    GIVES(send_until_it_fails(loopback.socket), WEIR_CLOSED);
    expect_gone(loopback.socket);
    GIVES(receive(loopback.socket), WEIR_CLOSED);
    GIVES(receive(loopback.socket), -ENOTCONN);
    GIVES(weir_send(loopback.socket, "x", 1), -ENOTCONN);
    loopback_close(&loopback);
}

Test(names, send_after_shutdown_loses_the_socket)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    GIVES(weir_shutdown(loopback.socket, WEIR_WRITE), 0);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_CLOSED);
    expect_gone(loopback.socket);
    GIVES(weir_send(loopback.socket, "x", 1), -ENOTCONN);
    GIVES(receive(loopback.socket), WEIR_CLOSED);
    GIVES(receive(loopback.socket), -ENOTCONN);
    loopback_close(&loopback);
}

/* A send that timed out, with {send_timeout_close,true}. */
Test(names, send_timeout_close_connections_the_socket)
{
    struct loopback loopback =
        loopback_open("[{active,false},{send_timeout,1},{send_timeout_close,true}," SMALL_BUFFERS
                      ",{high_watermark,1000}]");
    fill_queue(&loopback);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_TIMEOUT);
    expect_gone(loopback.socket);
    GIVES(weir_send(loopback.socket, "x", 1), -ENOTCONN);
    GIVES(receive(loopback.socket), -ENOTCONN);
    loopback_close(&loopback);
}
