/* SPDX-License-Identifier: MIT */
/*
 * Local sockets: the document's later {local, Path}, of which Linux says Unix-domain sockets.
 *
 * They are made by the calls of socket.h and udp.h, which take "unix:PATH" where they take the text
 * of an address or a host, and the option {ifaddr,{local,Path}} (or {ip,_}) where they bind; the
 * word local chooses the family where nothing else does. The port is 0. PATH is a file's, at most
 * 107 bytes; "unix:@NAME" is a name without a file, an abstract one, which as a term is a binary
 * that begins with a zero byte. A local address has no room in a weir_address: there it is a family
 * without bytes, and the name is told by the calls here.
 *
 * Binding makes the file, with the permissions of {file_mode,_} or what the process's umask leaves,
 * and closing leaves it, as in Erlang/OTP: remove it when its listener has been closed. What is
 * there already is -EADDRINUSE; with {reuseaddr,true} a file that a socket has left which nobody
 * has open any more is removed first. Of two who do that at the same time one may lose.
 *
 * A datagram says by `local` who it is from, who may be nobody: of no size. weir_udp_send_to sends
 * to "unix:PATH", weir_udp_connect_to connects, weir_send_packet answers; weir_udp_serve opens one
 * socket, on the first scheduler. A peer that does not read lets some ten wait
 * (net.unix.max_dgram_qlen), and what follows is tried again each millisecond; it is lost when its
 * socket is closed. Descriptors that a peer sends along are never taken, and {timestamp,true} tells
 * nothing.
 *
 * Options of TCP do nothing on such sockets and are left out by getopts, those of IP (tos, ttl,
 * recvtos, recvttl, tclass, recvtclass, ipv6_v6only) are refused with -EINVAL.
 */
#ifndef WEIR_LOCAL_H
#define WEIR_LOCAL_H

#include <weir/socket.h>

WEIR_BEGIN

enum { WEIR_LOCAL_NAME_SIZE = 108, WEIR_LOCAL_TEXT_SIZE = 120 };

/* The name of a local socket. */
typedef struct weir_local_address {
    uint8_t size;                    /* in bytes; 0: it has none, {local,<<>>} */
    char name[WEIR_LOCAL_NAME_SIZE]; /* a path, or a zero byte and an abstract name; no final NUL */
} weir_local_address;

/* Reads "unix:PATH" or "unix:@NAME". 0, or -EINVAL with the reason in weir_last_error_text (it
 * does not begin so, nothing follows, or it is too long). Any thread. */
WEIR_API int weir_local_address_parse(const char *text,
                                      weir_local_address *address) WEIR_CHECK_RESULT;

/* Writes what weir_local_address_parse reads into `text` of WEIR_LOCAL_TEXT_SIZE bytes; "unix:"
 * without a name. Zero bytes become @. Returns `text`. Any thread. */
WEIR_API const char *weir_local_address_format(const weir_local_address *address, char *text);

/*
 * inet:sockname/1 and peername/1 of local sockets. Errors as weir_sockname and weir_peername, and
 * -EAFNOSUPPORT for a socket that is none. Thread; scheduler: its own sockets.
 */
WEIR_API int weir_local_sockname(weir_socket socket, weir_local_address *address) WEIR_CHECK_RESULT;
WEIR_API int weir_local_peername(weir_socket socket, weir_local_address *address) WEIR_CHECK_RESULT;

WEIR_END

#endif
