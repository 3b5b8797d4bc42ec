/* SPDX-License-Identifier: MIT */
/*
 * UDP: gen_udp. What socket.h says of calls, owners and how long things live holds here too.
 *
 * A UDP socket has an owner as a connection has: it is told of each datagram by `packet` (or
 * WEIR_MESSAGE_DATA), `passive` (udp_passive), `error` (udp_error, which ends nothing), `unbusy`
 * and `gone`; of the document's messages {udp,S,IP,Port,Data} is a packet whose `datagram` says
 * where from. A runtime that stops tells active ones `closed`.
 *
 * setopts, getopts, getstat, sockname, port, peername (of a connected one), controlling_process,
 * set_data and close are those of socket.h. Of a connection's calls send, recv and shutdown answer
 * -ENOTCONN.
 */
#ifndef WEIR_UDP_H
#define WEIR_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/local.h>
#include <weir/socket.h>

WEIR_BEGIN

/* What is known of a received datagram beside its bytes: `datagram` of its packet, which lives as
 * long as that does. */
typedef struct weir_datagram {
    weir_address source;
    weir_address destination; /* {pktinfo,true}; else its family is WEIR_ANY_FAMILY. Port 0 */
    uint64_t received_ns;     /* {timestamp,true}: since 1970, by the kernel's clock; else 0 */
    uint32_t interface;       /* {pktinfo,true}: index of where it came in; else 0 */
    int16_t tos;              /* {recvtos,true}; else -1 */
    int16_t ttl;              /* {recvttl,true}; else -1 */
    int16_t tclass;           /* {recvtclass,true}; else -1 */
    bool truncated;           /* it was longer than {buffer,_}: the rest is lost */
    const weir_local_address *local; /* where from, of a local socket; else NULL */
    int16_t descriptors;             /* {descriptors,N}: how many came with it, for weir_local_take;
                                        -1: some did, which were lost */
    weir_credentials credentials;    /* {credentials,true}: who sent it; else WEIR_NO_CREDENTIALS */
} weir_datagram;

/*
 * Opens a UDP socket, gen_udp:open/1,2, or one of local datagrams (local.h). `port` 0: the kernel's
 * choice, unless {port,_} says which. {ip,_} says which address; {fd,_} takes a UDP socket that is
 * there, bound already unless open is told where. The owner may be nobody only if the socket is
 * {active,false}. -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, WEIR_BADARG (an option that open does not
 * take, an owner that is gone, an active socket without one), -EBADF and -ENOTSOCK ({fd,_}, left as
 * it was), -EMFILE, -ENOMEM. Thread; or scheduler: the socket is then the caller's.
 */
WEIR_API int weir_udp_open(weir_runtime *runtime, uint16_t port, const weir_option *options,
                           weir_owner owner, weir_socket *socket) WEIR_CHECK_RESULT;

/*
 * Opens a socket on every scheduler, all on one port (SO_REUSEPORT): the kernel gives each peer to
 * one of them, whose owner is told of it there, and answers in place by weir_send_packet. `address`
 * NULL or "": every address, unless {ip,_} says which; an address and a port that is not 0 beat
 * {ip,_} and {port,_}; "unix:PATH" is one socket, on the first scheduler. `socket` (may be NULL)
 * stands for all of them: closing it closes all, options and data set on it are set on all; what is
 * read of it is the first's. Errors as weir_udp_open, WEIR_BADARG also for an address that is none,
 * and for {fd,_}. Thread; scheduler if it is the only one of its runtime.
 */
WEIR_API int weir_udp_serve(weir_runtime *runtime, const char *address, uint16_t port,
                            const weir_option *options, weir_owner owner,
                            weir_socket *socket) WEIR_CHECK_RESULT;

/*
 * Connects a UDP socket, gen_udp:connect/3: from now on it sends to this peer unless told
 * otherwise, receives from it alone, and hears when nobody is there (-ECONNREFUSED). What was sent
 * before goes to the peer of then. -EAFNOSUPPORT, -EINVAL (the address of no family), -ENETUNREACH
 * and what else the kernel says, WEIR_CLOSED, -ENOTCONN (no UDP socket).
 */
WEIR_API int weir_udp_connect(weir_socket socket, const weir_address *peer) WEIR_CHECK_RESULT;

/*
 * Sends one datagram, gen_udp:send/2,4, which may be empty. `to` NULL: to the connected peer.
 *
 * A thread's call returns what the kernel said. A handler's own datagrams leave together when the
 * turn ends; those to one peer, of one size and behind each other, as one piece of work. It hears
 * of what can be seen at once; what the kernel refuses of them later is told to the owner by
 * `error`, or by the next call of a passive socket.
 *
 * While the kernel has no room, datagrams wait, in order. From high_watermark bytes on a thread's
 * call waits too; a handler's gets -EAGAIN, nothing is taken, and `unbusy` follows.
 *
 * -EMSGSIZE (more than 65,507 bytes), -EINVAL (port 0; no `to` and not connected; NULL bytes, or
 * more than memory has), -EAFNOSUPPORT (an address of the other family), -EACCES (a broadcast
 * address without {broadcast,true}), -ECONNREFUSED (nobody was there for an earlier one; this one
 * is not sent), -ENETUNREACH and what else the kernel says, -ENOMEM, WEIR_CLOSED, -EPROTOTYPE (no
 * UDP socket).
 */
WEIR_API int weir_udp_send(weir_socket socket, const weir_address *to, const void *bytes,
                           size_t size) WEIR_CHECK_RESULT;

/* Sends one datagram, for those who cannot wait: `sent` (may be NULL) is called with what the
 * kernel said. The bytes are copied. From high_watermark bytes on it waits, as a thread's call
 * would, unless as much waits as weir_send_async lets wait: then `sent` is told -ENOBUFS. -EINVAL
 * (NULL bytes, or more than memory has), -ENOMEM, WEIR_CLOSED: it is not called.
 */
WEIR_API int weir_udp_send_async(weir_socket socket, const weir_address *to, const void *bytes,
                                 size_t size, weir_sent *sent, void *data) WEIR_CHECK_RESULT;

/*
 * Sends or connects to a host by its name, gen_udp:send/4 and connect/3. It is looked up in the
 * family of the socket, as the inet configuration says (names.h); an address as text is its own
 * answer. `timeout_ms` is the look-up's, < 0: for as long as the configuration has it. Of several
 * addresses the next is tried when the kernel says of one that nothing can be sent there; that a
 * datagram has arrived nobody says.
 *
 * Datagrams that are sent to one name leave in the order in which they were sent. Those to another
 * name or to an address do not wait for its look-up.
 *
 * Errors as weir_udp_send and weir_udp_connect, and: WEIR_NXDOMAIN (nobody knows it, or it is an
 * address of the other family), WEIR_TIMEOUT, -EINVAL (no host name: printable characters, no
 * blanks), -EDEADLK on a scheduler, which must not wait. Thread.
 */
WEIR_API int weir_udp_send_to(weir_socket socket, const char *host, uint16_t port,
                              const void *bytes, size_t size, int64_t timeout_ms) WEIR_CHECK_RESULT;
WEIR_API int weir_udp_connect_to(weir_socket socket, const char *host, uint16_t port,
                                 int64_t timeout_ms) WEIR_CHECK_RESULT;

/* Sends or connects to a host by its name, for those who do not want to wait: `sent` and
 * `connected` (may be NULL) are called with the result. Host and bytes are copied; a datagram that
 * waits, for the look-up too, is bounded as by weir_udp_send_async: -ENOBUFS. -EINVAL, -ENOMEM,
 * WEIR_CLOSED: it is not called. */
WEIR_API int weir_udp_send_to_async(weir_socket socket, const char *host, uint16_t port,
                                    const void *bytes, size_t size, int64_t timeout_ms,
                                    weir_sent *sent, void *data) WEIR_CHECK_RESULT;
WEIR_API int weir_udp_connect_to_async(weir_socket socket, const char *host, uint16_t port,
                                       int64_t timeout_ms, weir_sent *connected,
                                       void *data) WEIR_CHECK_RESULT;

/*
 * Receives the next datagram, gen_udp:recv/2,3. WEIR_TIMEOUT, -EINVAL (active), -EALREADY (somebody
 * waits already), -ECONNREFUSED and its like (what became of one that was sent), WEIR_CLOSED,
 * -ENOTCONN (no UDP socket). The packet is the caller's: weir_packet_release.
 */
WEIR_API int weir_udp_recv(weir_socket socket, int64_t timeout_ms,
                           weir_packet *packet) WEIR_CHECK_RESULT;
WEIR_API int weir_udp_recv_async(weir_socket socket, int64_t timeout_ms, weir_received *received,
                                 void *data) WEIR_CHECK_RESULT;

WEIR_END

#endif
