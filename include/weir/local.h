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
 * socket is closed. {timestamp,true} tells nothing.
 *
 * There is no reset. Where the peer of a TCP connection is reset (as by {linger,{true,0}}, after
 * close_timeout_ms, or as a file was cut short), a local one reads what was sent and then an end,
 * as if that were all; only if something that it has said was not read does it see ECONNRESET.
 *
 * Descriptors go along by weir_local_send, and are taken by weir_local_take from sockets that have
 * {descriptors,N}; without it those that a peer sends are closed by the kernel, unseen. Credentials
 * are told by weir_local_credentials of a connection, and by each datagram with {credentials,true}.
 *
 * Options of TCP do nothing on such sockets and are left out by getopts, those of IP (tos, ttl,
 * recvtos, recvttl, tclass, recvtclass, ipv6_v6only) are refused with -EINVAL.
 */
#ifndef WEIR_LOCAL_H
#define WEIR_LOCAL_H

#include <stddef.h>
#include <stdint.h>
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
 * The names of a local socket and of its peer, inet:sockname/1 and peername/1. Errors as
 * weir_sockname and weir_peername, and -EAFNOSUPPORT for a socket that is none. Thread; scheduler:
 * its own sockets.
 */
WEIR_API int weir_local_sockname(weir_socket socket, weir_local_address *address) WEIR_CHECK_RESULT;
WEIR_API int weir_local_peername(weir_socket socket, weir_local_address *address) WEIR_CHECK_RESULT;

/* A process and whose it is, as the kernel knows them. */
typedef struct weir_credentials {
    int32_t pid; /* 0: not of the caller's namespace */
    uint32_t uid;
    uint32_t gid;
} weir_credentials;

/* Of whom nothing is known. */
#define WEIR_NO_CREDENTIALS        \
    {                              \
        -1, UINT32_MAX, UINT32_MAX \
    }

/*
 * Who is at the other end of a connection: who has called connect, or listen, when they did
 * (SO_PEERCRED). They may have handed the socket on since. -ENOTCONN (a listener, a UDP socket, or
 * the descriptor is gone), -EAFNOSUPPORT (no local socket), -EINVAL (closed). Thread; scheduler:
 * its own sockets.
 */
WEIR_API int weir_local_credentials(weir_socket socket,
                                    weir_credentials *credentials) WEIR_CHECK_RESULT;

/* What weir_local_send sends. */
typedef struct weir_local_message {
    const void *bytes;
    size_t size;
    const int *descriptors;
    size_t descriptor_count;      /* at most 253 */
    const weir_local_address *to; /* of a datagram; NULL: to whom the socket is connected */
} weir_local_message;

/*
 * Sends bytes with descriptors (SCM_RIGHTS), by a connection or as a datagram. They are sent as by
 * weir_send and weir_udp_send, with the errors of these. The descriptors stay the caller's and may
 * be closed at once: what is sent are duplicates, which weir closes when they have left, or when
 * the socket is closed before that; each counts against the process's limit until then. On a
 * connection they arrive with the first byte: of the header, if {packet,_} has one.
 *
 * -EBADF (one is not open), -EMFILE, -ENOMEM, -EINVAL (more than 253; NULL bytes, or more than
 * memory has; a connection and no byte to go with), -EISCONN (a connection and `to`), -EAFNOSUPPORT
 * (no local socket), -ENOTCONN (a listener), WEIR_CLOSED: nothing is sent. While more are under way
 * than the user may have open, a connection waits, and a datagram gives -ETOOMANYREFS. One that the
 * kernel does not pass, as that of a ring, ends the connection as a file that cannot be read does
 * (weir_send_file), and is an error of a datagram. Thread; scheduler: its own sockets, others by
 * the _async form.
 */
WEIR_API int weir_local_send(weir_socket socket,
                             const weir_local_message *message) WEIR_CHECK_RESULT;
/* Sends bytes with descriptors, without waiting, as weir_send_async and weir_udp_send_async do:
 * what waits is bounded, -ENOBUFS. The bytes are copied, the descriptors duplicated. `sent` (may be
 * NULL) is not called if this does not return 0: -EBADF, -EMFILE, -EINVAL, -ENOMEM, WEIR_CLOSED. */
WEIR_API int weir_local_send_async(weir_socket socket, const weir_local_message *message,
                                   weir_sent *sent, void *data) WEIR_CHECK_RESULT;

/*
 * Takes descriptors that the peer has sent, of a socket with {descriptors,N}: up to `room` of those
 * that wait, in the order in which they came. Returns how many: 0 when none waits. They are
 * close-on-exec, and the caller's to close.
 *
 * Of a connection, those that were sent with the bytes of a packet, or before them, are there when
 * it is delivered; bytes do not say which are theirs, so the peers agree on it. A datagram says by
 * `descriptors` how many have come with it, and it is for who gets it to take them: they are the
 * next.
 *
 * Until they are taken they are the socket's, also when the connection has been lost, and are
 * closed with it: by weir_close, by the end that a handler is told, by weir_stop. So are at once
 * those for which there is no room, all of one message: more than N wait then, or the process has
 * too many open. A datagram tells that by -1. A connection tells it here, by -ENOBUFS once, when
 * those before them have been taken; what comes until then is lost as well. Closing what a peer has
 * sent takes as long as its kind does, which for a socket that lingers may be long. -EAFNOSUPPORT
 * (no local socket), -EINVAL (closed, or a listener). Thread; scheduler: its own sockets.
 */
WEIR_API int weir_local_take(weir_socket socket, int *descriptors, size_t room) WEIR_CHECK_RESULT;

WEIR_END

#endif
