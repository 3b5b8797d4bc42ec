/* SPDX-License-Identifier: MIT */
/*
 * Every option, one row each, in the order of their names. Whoever includes this file defines
 * WEIR_OPTION(NAME, number, atom, columns...) first; it is undefined again at the end. The
 * enumeration of options.h, checking, setting, reading, the text form, docs/OPTIONS.md and `weir
 * options` all come from these rows.
 *
 * The number is the option's for ever, since programs that are linked already have it: a new row
 * takes the next one, WEIR_OPTION_COUNT before it was there, wherever its name puts it.
 *
 * Columns, in the order they are written; one that is left out is zero
 *   .type      what a value is
 *   RANGE      least and most; a value outside is refused
 *   .floor     FLOOR(n): a smaller value is stored as n
 *   .initial   INITIAL(tcp, udp), or BOTH(value), or SYSTEM: the kernel chooses it, or NONE
 *   .scopes    where it is taken: LISTEN, CONNECT and UDP (open) create, TCP_SET and UDP_SET are
 *              setopts and getopts
 *   KEPT       weir keeps it, in that field of the socket's option values
 *   KERNEL     the kernel keeps it, under that level and name; KERNEL_BY_FAMILY: inet, inet6;
 *              KERNEL_BY_VALUE: the value holds them
 *   CREATION   it shapes the creating call and is kept nowhere
 *   .accept    what an accepted socket has of it: SHARED with its listener, INHERITED through the
 *              kernel when the connection came to be, COPIED from the listener at accept
 *   .traits    RETURNED: setting it may fail (what the kernel refuses of others is passed over);
 *              WRITE_ONLY: it cannot be read; EXTENSION: not in the document
 *   .help      one line
 *   .text      the rest of what there is to say
 */
#include <weir/version.h>

#ifndef WEIR_OPTION
#define WEIR_OPTION(NAME, number, atom, ...)
#endif

WEIR_OPTION(ACTIVE, 1, active, .type = OPTION_ACTIVE, RANGE(-32768, 32767),
            .initial = BOTH(WEIR_ACTIVE_TRUE), .scopes = EVERYWHERE, KEPT(active), .accept = SHARED,
            .help = "whether received data goes to the owner as messages",
            .text =
                "true: everything received becomes messages. false: data waits until recv asks for "
                "it. once: one message, then false. A number N: it is added to the messages still "
                "to come, or starts such a count; at zero the socket becomes passive and its owner "
                "is told so. A sum above 32767 is refused, one of zero or less makes the socket "
                "passive at once. On a listener it is what accepted sockets start with. There is "
                "no flow control in true: a fast peer can flood its owner.")

WEIR_OPTION(ADD_MEMBERSHIP, 2, add_membership, .type = OPTION_MEMBERSHIP, .initial = NONE,
            .scopes = UDP | UDP_SET,
            KERNEL_BY_FAMILY(IPPROTO_IP, IP_ADD_MEMBERSHIP, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP),
            .traits = WRITE_ONLY | EXTENSION, .help = "join a multicast group",
            .text =
                "{Group, Interface}: for inet both are addresses, for inet6 the interface is its "
                "index. Joining twice is passed over.")

WEIR_OPTION(BACKLOG, 3, backlog, .type = OPTION_INTEGER, RANGE(-32768, 65535), .initial = BOTH(5),
            .scopes = LISTEN, CREATION, .help = "connections that may wait to be accepted",
            .text =
                "Taken as 16 bits, so -1 is 65535. weir_tcp_serve without it takes as many as the "
                "system lets wait. Linux lets one more than this wait, and never "
                "more than net.core.somaxconn.")

WEIR_OPTION(BIND_TO_DEVICE, 4, bind_to_device, .type = OPTION_NAME, .initial = BOTH(0),
            .scopes = EVERYWHERE, KERNEL(SOL_SOCKET, SO_BINDTODEVICE), .accept = INHERITED,
            .traits = RETURNED | EXTENSION, .help = "use one network interface only",
            .text = "The interface's name; an empty name means any. At most 15 bytes.")

WEIR_OPTION(
    BIT8, 5, bit8, .type = OPTION_BIT8, .initial = BOTH(WEIR_BIT8_OFF), .scopes = EVERYWHERE,
    KEPT(bit8), .accept = SHARED, .help = "watch received data for bytes above 127",
    .text = "on and clear start watching with nothing seen, set starts as if something had been "
            "seen, off stops. Reads back as off, or as set or clear: whether the top bit was "
            "set in any byte delivered since. The document calls it deprecated.")

WEIR_OPTION(BROADCAST, 6, broadcast, .type = OPTION_BOOLEAN, .initial = BOTH(false),
            .scopes = UDP | TCP_SET | UDP_SET, KERNEL(SOL_SOCKET, SO_BROADCAST),
            .accept = INHERITED, .help = "permit sending to broadcast addresses")

WEIR_OPTION(BUFFER, 7, buffer, .type = OPTION_INTEGER, RANGE(INT32_MIN, INT32_MAX), FLOOR(1),
            .initial = INITIAL(1460, 8192), .scopes = EVERYWHERE, KEPT(buffer), .accept = SHARED,
            .help = "bytes of the receive buffer in weir",
            .text =
                "The most that one raw read or one datagram gives, and the length at which lines "
                "are cut. Setting recbuf or sndbuf raises it to theirs, of datagrams to 65536 at "
                "most, unless it was set itself.")

WEIR_OPTION(BUSY_POLL, 8, busy_poll, .type = OPTION_INTEGER, RANGE(0, INT32_MAX), .initial = SYSTEM,
            .scopes = EVERYWHERE, KERNEL(SOL_SOCKET, SO_BUSY_POLL), .accept = INHERITED,
            .traits = RETURNED | EXTENSION,
            .help = "microseconds the kernel polls the network card when there is no data",
            .text = "Raising it takes CAP_NET_ADMIN.")

WEIR_OPTION(CONGESTION, 9, congestion, .type = OPTION_NAME, .initial = SYSTEM, .scopes = ALL_TCP,
            KERNEL(IPPROTO_TCP, TCP_CONGESTION), .accept = INHERITED,
            .traits = RETURNED | EXTENSION, .help = "the congestion control algorithm",
            .text = "A name out of net.ipv4.tcp_available_congestion_control, such as cubic.")

WEIR_OPTION(CREDENTIALS, 68, credentials, .type = OPTION_BOOLEAN, .initial = BOTH(false),
            .scopes = UDP | UDP_SET, KERNEL(SOL_SOCKET, SO_PASSCRED), .traits = EXTENSION,
            .help = "ask who sent a datagram of a local socket",
            .text =
                "The kernel says the process, user and group of who has sent it, as `credentials` "
                "of the datagram. A socket without a name that asks for it gets an abstract one "
                "when it connects or sends. weir_local_credentials says whose a connection is.")

WEIR_OPTION(
    DELAY_SEND, 10, delay_send, .type = OPTION_BOOLEAN, .initial = BOTH(false), .scopes = ALL_TCP,
    KEPT(delay_send), .accept = SHARED, .help = "gather what is sent in one turn",
    .text = "Every send is queued and the queue goes out at the end of the scheduler's turn: "
            "fewer and larger writes.")

WEIR_OPTION(
    DELIVER, 11, deliver, .type = OPTION_DELIVER, .initial = BOTH(WEIR_TERM), .scopes = EVERYWHERE,
    KEPT(deliver), .accept = SHARED, .help = "which form messages are tagged with",
    .text = "term: {tcp, Socket, Data}. port: {Socket, {data, Data}}, where http packets come "
            "as their raw lines.")

WEIR_OPTION(DESCRIPTORS, 69, descriptors, .type = OPTION_INTEGER, RANGE(0, 4096),
            .initial = BOTH(0), .scopes = EVERYWHERE, KEPT(descriptors), .accept = SHARED,
            .traits = EXTENSION,
            .help = "descriptors of a local socket's peer that may wait to be taken",
            .text = "0: those that it sends are closed unseen. Else they wait, in order, until "
                    "weir_local_take; so many at most, and what comes beyond that is closed. They "
                    "are received by a call for each receive, which costs more. It is heeded from "
                    "the next receive on; nothing is done on sockets that are no local ones.")

WEIR_OPTION(DONTROUTE, 12, dontroute, .type = OPTION_BOOLEAN, .initial = BOTH(false),
            .scopes = UDP | TCP_SET | UDP_SET, KERNEL(SOL_SOCKET, SO_DONTROUTE),
            .accept = INHERITED,
            .help = "send without a gateway, to hosts that are directly connected")

WEIR_OPTION(DROP_MEMBERSHIP, 13, drop_membership, .type = OPTION_MEMBERSHIP, .initial = NONE,
            .scopes = UDP | UDP_SET,
            KERNEL_BY_FAMILY(IPPROTO_IP, IP_DROP_MEMBERSHIP, IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP),
            .traits = WRITE_ONLY | EXTENSION, .help = "leave a multicast group",
            .text = "As add_membership. Leaving a group that was not joined is passed over.")

WEIR_OPTION(
    EXIT_ON_CLOSE, 14, exit_on_close, .type = OPTION_BOOLEAN, .initial = BOTH(true),
    .scopes = ALL_TCP, KEPT(exit_on_close), .accept = SHARED,
    .help = "close the socket when the peer has closed",
    .text = "false keeps it open for sending after the peer has shut down its writing side.")

WEIR_OPTION(
    FASTOPEN, 15, fastopen, .type = OPTION_INTEGER, RANGE(0, INT32_MAX), .initial = BOTH(0),
    .scopes = LISTEN | TCP_SET, KERNEL(IPPROTO_TCP, TCP_FASTOPEN), .traits = RETURNED | EXTENSION,
    .help = "connections that may wait with data in their SYN (TCP Fast Open), on a listener")

WEIR_OPTION(
    FD, 16, fd, .type = OPTION_INTEGER, RANGE(0, INT32_MAX), .initial = NONE, .scopes = CREATING,
    CREATION, .traits = EXTENSION, .help = "use a descriptor that is open already",
    .text = "listen: a TCP socket, listening or not, and bound unless listen is told where. "
            "connect: one that is connected already is taken as it is, any other is connected. "
            "open: a UDP socket, bound unless open is told where. Each may be a local one. "
            "When the call has succeeded the descriptor is the socket's, which closes it; if "
            "it fails it is still the caller's. It becomes a blocking one.")

WEIR_OPTION(FILE_MODE, 17, file_mode, .type = OPTION_INTEGER, RANGE(0, 511), .initial = NONE,
            .scopes = CREATING, CREATION, .traits = EXTENSION,
            .help = "the permissions of a local socket's file",
            .text = "Such as 8#660, whatever the umask is. Without it the file has what the umask "
                    "leaves of 8#777. Writing to it is connecting.")

WEIR_OPTION(
    HAPPY_EYEBALLS, 18, happy_eyeballs, .type = OPTION_INTEGER, RANGE(0, 60000), .initial = BOTH(0),
    .scopes = CONNECT, CREATION, .traits = EXTENSION,
    .help = "ms after which the next of several addresses is tried as well",
    .text = "0: the addresses of a name are tried one behind the other, the next when one has "
            "failed. Else as RFC 8305 has it: unless the options choose a family, IPv6 and IPv4 "
            "in turn, IPv6 first, and the next after so many milliseconds, or at once when one "
            "fails, while those before go on. The first that answers is the connection, the "
            "others are given up.")

WEIR_OPTION(
    HEADER, 19, header, .type = OPTION_INTEGER, RANGE(0, UINT32_MAX), .initial = BOTH(0),
    .scopes = EVERYWHERE, KEPT(header), .accept = SHARED,
    .help = "bytes of a packet that are delivered apart, before the rest",
    .text = "Only in mode binary, and not for http packets. A shorter packet comes as a list.")

WEIR_OPTION(HIGH_MSGQ_WATERMARK, 20, high_msgq_watermark, .type = OPTION_INTEGER,
            RANGE(INT32_MIN, INT32_MAX), .initial = BOTH(8192), .scopes = EVERYWHERE,
            KEPT(high_msgq_watermark), .accept = SHARED, .traits = RETURNED | EXTENSION,
            .help = "bytes of a socket that wait in its owner's mailbox before its peer has to",
            .text = "Every message counts as its packet and what a weir_message takes. From here "
                    "on nothing is put there or received, until threads have taken all but "
                    "low_msgq_watermark. A handler's socket has no such queue. A value below 1 is "
                    "refused. Lowers low_msgq_watermark when that is above it.")

WEIR_OPTION(HIGH_WATERMARK, 21, high_watermark, .type = OPTION_INTEGER,
            RANGE(INT32_MIN, UINT32_MAX), FLOOR(0), .initial = BOTH(8192 * 1024), .scopes = ALL_TCP,
            KEPT(high_watermark), .accept = SHARED,
            .help = "bytes in the send queue at which the socket becomes busy",
            .text = "8192 kB, as the document says; Erlang/OTP itself uses 8192 bytes. Lowers "
                    "low_watermark when that is above it.")

WEIR_OPTION(IDLE_TIMEOUT, 22, idle_timeout, .type = OPTION_TIMEOUT, RANGE(1, UINT32_MAX),
            .initial = BOTH(-1), .scopes = ALL_TCP, KEPT(idle_timeout_ms), .accept = SHARED,
            .traits = EXTENSION,
            .help = "milliseconds after which a connection without a byte either way is closed, or "
                    "infinity",
            .text = "The time counts from the connection's beginning, from when the option is set, "
                    "and from each byte that the kernel gives or takes. When it is up an active "
                    "owner is told the error timeout and closed, and who waits in recv is answered "
                    "timeout; the socket is closed, also with {exit_on_close,false}. What has "
                    "been received and not been asked for is dropped; a peer that has not taken "
                    "what is queued for it is reset.")

WEIR_OPTION(IFADDR, 23, ifaddr, .type = OPTION_ADDRESS, .initial = NONE, .scopes = CREATING,
            CREATION, .traits = EXTENSION, .help = "the local address; the same as ip")

WEIR_OPTION(INET, 24, inet, .type = OPTION_FLAG, .initial = NONE, .scopes = CREATING, CREATION,
            .help = "an IPv4 socket",
            .text =
                "The default, unless an ip says otherwise. An ip of another family beside it is "
                "refused. Of inet, inet6 and local the first counts.")

WEIR_OPTION(INET6, 25, inet6, .type = OPTION_FLAG, .initial = NONE, .scopes = CREATING, CREATION,
            .help = "an IPv6 socket", .text = "An ip of another family beside it is refused.")

WEIR_OPTION(IP, 26, ip, .type = OPTION_ADDRESS, .initial = NONE, .scopes = CREATING, CREATION,
            .help = "the local address",
            .text = "A tuple of four or eight numbers, any or loopback. Eight numbers make an IPv6 "
                    "socket. {local,Path} makes a local one, bound to that file: Path is a string "
                    "or a binary of at most 107 bytes; a binary that begins with a zero byte is an "
                    "abstract name, an empty one lets the kernel make one up. The port is 0.")

WEIR_OPTION(IPV6_V6ONLY, 27, ipv6_v6only, .type = OPTION_BOOLEAN, .initial = BOTH(false),
            .scopes = LISTEN | UDP | TCP_SET | UDP_SET, KERNEL(IPPROTO_IPV6, IPV6_V6ONLY),
            .accept = INHERITED, .traits = RETURNED | EXTENSION,
            .help = "do not take IPv4 on an IPv6 socket",
            .text = "The kernel takes it only before the socket is bound. inet6 only.")

WEIR_OPTION(KEEPALIVE, 28, keepalive, .type = OPTION_BOOLEAN, .initial = BOTH(false),
            .scopes = ALL_TCP, KERNEL(SOL_SOCKET, SO_KEEPALIVE), .accept = COPIED,
            .help = "probe a silent peer",
            .text = "When it does not answer, the owner gets an error and the socket closes.")

WEIR_OPTION(LINE_DELIMITER, 29, line_delimiter, .type = OPTION_INTEGER, RANGE(0, 255),
            .initial = BOTH('\n'), .scopes = CONNECT | TCP_SET, KEPT(line_delimiter),
            .accept = SHARED, .traits = WRITE_ONLY | EXTENSION,
            .help = "the byte that ends a line in {packet,line}")

WEIR_OPTION(LINGER, 30, linger, .type = OPTION_LINGER, RANGE(0, INT32_MAX), .initial = BOTH(0),
            .scopes = LISTEN | CONNECT | TCP_SET | UDP_SET, KERNEL(SOL_SOCKET, SO_LINGER),
            .accept = COPIED, .help = "how long close waits for unsent data",
            .text = "{true, Seconds}: close waits so long; {true, 0} drops the data and resets the "
                    "connection. {false, _}: close returns at once, and the data is still sent.")

WEIR_OPTION(LOCAL, 31, local, .type = OPTION_FLAG, .initial = NONE, .scopes = CREATING, CREATION,
            .traits = EXTENSION, .help = "a local (Unix-domain) socket",
            .text = "An ip of another family beside it is refused.")

WEIR_OPTION(LOW_MSGQ_WATERMARK, 32, low_msgq_watermark, .type = OPTION_INTEGER,
            RANGE(INT32_MIN, INT32_MAX), .initial = BOTH(4096), .scopes = EVERYWHERE,
            KEPT(low_msgq_watermark), .accept = SHARED, .traits = RETURNED | EXTENSION,
            .help = "bytes of a socket that wait in its owner's mailbox when its peer may go on",
            .text = "A value below 1 is refused. Raises high_msgq_watermark when that is below it.")

WEIR_OPTION(LOW_WATERMARK, 33, low_watermark, .type = OPTION_INTEGER, RANGE(INT32_MIN, UINT32_MAX),
            FLOOR(0), .initial = BOTH(4096 * 1024), .scopes = ALL_TCP, KEPT(low_watermark),
            .accept = SHARED,
            .help = "bytes in the send queue at which a busy socket is busy no longer",
            .text = "4096 kB, as the document says; Erlang/OTP itself uses 4096 bytes. Raises "
                    "high_watermark when that is below it.")

WEIR_OPTION(MAX_CONNECTIONS, 67, max_connections, .type = OPTION_INTEGER, RANGE(1, UINT32_MAX),
            .initial = NONE, .scopes = LISTEN, CREATION, .traits = EXTENSION,
            .help = "how many connections a listener has at a time",
            .text = "Those of a listener that weir_tcp_accept has taken; those of a service, on "
                    "all schedulers together. A connection counts until its descriptor is closed. "
                    "Who comes when there are so many waits as {backlog,_} has it, and one on each "
                    "scheduler accepted already, until one of the others ends; so an accept waits "
                    "too. When a service ends, by a drain, a stop or weir_leave, those that wait "
                    "are served as far as there is room, and the accepted ones in any case.")

WEIR_OPTION(MODE, 34, mode, .type = OPTION_MODE, .initial = BOTH(WEIR_LIST), .scopes = EVERYWHERE,
            KEPT(mode), .accept = SHARED, .help = "what a kept packet is",
            .text =
                "list: a private copy. binary: a share of the receive buffer. The bare words list "
                "and binary mean the same.")

WEIR_OPTION(MULTICAST_IF, 35, multicast_if, .type = OPTION_INTERFACE, .initial = BOTH(0),
            .scopes = UDP | UDP_SET,
            KERNEL_BY_FAMILY(IPPROTO_IP, IP_MULTICAST_IF, IPPROTO_IPV6, IPV6_MULTICAST_IF),
            .traits = EXTENSION, .help = "the interface that multicast goes out by",
            .text = "Its address for inet, its index for inet6.")

WEIR_OPTION(MULTICAST_LOOP, 36, multicast_loop, .type = OPTION_BOOLEAN, .initial = BOTH(true),
            .scopes = UDP | UDP_SET,
            KERNEL_BY_FAMILY(IPPROTO_IP, IP_MULTICAST_LOOP, IPPROTO_IPV6, IPV6_MULTICAST_LOOP),
            .traits = EXTENSION, .help = "get one's own multicasts back")

WEIR_OPTION(MULTICAST_TTL, 37, multicast_ttl, .type = OPTION_INTEGER, RANGE(INT32_MIN, INT32_MAX),
            .initial = BOTH(1), .scopes = UDP | UDP_SET,
            KERNEL_BY_FAMILY(IPPROTO_IP, IP_MULTICAST_TTL, IPPROTO_IPV6, IPV6_MULTICAST_HOPS),
            .traits = EXTENSION, .help = "how many routers a multicast may pass")

WEIR_OPTION(NETNS, 38, netns, .type = OPTION_PATH, .initial = NONE, .scopes = CREATING, CREATION,
            .traits = EXTENSION, .help = "open the socket in another network namespace",
            .text = "A path such as /run/netns/blue. Takes CAP_SYS_ADMIN.")

WEIR_OPTION(NODELAY, 39, nodelay, .type = OPTION_BOOLEAN, .initial = BOTH(false), .scopes = ALL_TCP,
            KERNEL(IPPROTO_TCP, TCP_NODELAY), .accept = COPIED,
            .help = "send small amounts of data at once")

WEIR_OPTION(NOPUSH, 40, nopush, .type = OPTION_BOOLEAN, .initial = BOTH(false), .scopes = ALL_TCP,
            KERNEL(IPPROTO_TCP, TCP_CORK), .accept = INHERITED, .traits = EXTENSION,
            .help = "send full segments only", .text = "TCP_CORK of Linux.")

WEIR_OPTION(PACKET, 41, packet, .type = OPTION_PACKET, .initial = BOTH(WEIR_RAW), .scopes = ALL_TCP,
            KEPT(packet), .accept = SHARED, .help = "how the byte stream is cut into packets",
            .text =
                "raw or 0: not at all. 1, 2, 4: a big-endian length of so many bytes stands before "
                "each packet; sending puts it there, receiving takes it away. asn1, cdr, sunrm, "
                "fcgi, tpkt, line: receiving only, the header stays. http, http_bin, httph, "
                "httph_bin: lines of HTTP, decoded. A change applies to what is not yet delivered.")

WEIR_OPTION(PACKET_SIZE, 42, packet_size, .type = OPTION_INTEGER, RANGE(0, UINT32_MAX),
            .initial = BOTH(0), .scopes = ALL_TCP, KEPT(packet_size), .accept = SHARED,
            .help = "the largest packet body that is taken; 0 is no limit",
            .text = "Without a limit there is that of 2^31 - 5 bytes. A line, its end included, "
                    "that is longer than packet_size is not taken either: emsgsize. One that is "
                    "longer than buffer comes in pieces of that size.")

WEIR_OPTION(PKTINFO, 43, pktinfo, .type = OPTION_BOOLEAN, .initial = BOTH(false),
            .scopes = UDP | UDP_SET,
            KERNEL_BY_FAMILY(IPPROTO_IP, IP_PKTINFO, IPPROTO_IPV6, IPV6_RECVPKTINFO),
            .traits = RETURNED | EXTENSION,
            .help = "ask for the address and the interface that a datagram came to")

WEIR_OPTION(PORT, 44, port, .type = OPTION_INTEGER, RANGE(0, 65535), .initial = BOTH(0),
            .scopes = CREATING, CREATION, .help = "the local port; 0 lets the kernel choose")

WEIR_OPTION(PRIORITY, 45, priority, .type = OPTION_INTEGER, RANGE(INT32_MIN, INT32_MAX),
            .initial = BOTH(0), .scopes = EVERYWHERE, KERNEL(SOL_SOCKET, SO_PRIORITY),
            .accept = COPIED, .help = "the queueing priority of what is sent",
            .text = "Above 6 takes CAP_NET_ADMIN.")

WEIR_OPTION(
    PROXY_PROTOCOL, 70, proxy_protocol, .type = OPTION_BOOLEAN, .initial = BOTH(false),
    .scopes = LISTEN, CREATION, .traits = EXTENSION,
    .help = "a proxy says first whose connection it passes on",
    .text = "The PROXY protocol of HAProxy, versions 1 and 2. A connection is accepted when its "
            "header has come, and peername, sockname and port are what that says; LOCAL, "
            "UNKNOWN and local sockets leave them as they are. What is behind the header is "
            "received as ever. One that is wrong, or not there in {proxy_timeout,_}, closes the "
            "connection, which nobody hears of (proxy_refused of weir_totals). Of what may stand "
            "behind the addresses only the checksum is looked at. weir_tcp_accept gives the "
            "connection whose header is there first, and waits for no other; those whose header "
            "has not come are accepted by the kernel as long as a call waits, and wait beside "
            "the backlog. Whoever can connect can say what he likes: only proxies should be able "
            "to.")

WEIR_OPTION(PROXY_TIMEOUT, 71, proxy_timeout, .type = OPTION_INTEGER, RANGE(1, 3600000),
            .initial = BOTH(5000), .scopes = LISTEN, CREATION, .traits = EXTENSION,
            .help = "ms in which the header of {proxy_protocol,true} has to come",
            .text = "From when the connection is accepted. Less than 3000 is too little for a "
                    "packet that is lost on the way.")

WEIR_OPTION(
    RAW, 46, raw, .type = OPTION_RAW, .initial = NONE, .scopes = EVERYWHERE, KERNEL_BY_VALUE,
    .accept = INHERITED, .help = "any option of the kernel, by level and number",
    .text = "{raw, Level, Number, Bytes} sets; {raw, Level, Number, Size} or, where the kernel "
            "wants to be told something, {raw, Level, Number, Bytes} reads. Bytes are in the "
            "machine's own order. At most 65522 of them. What the kernel refuses is passed "
            "over; read it back to be sure.")

WEIR_OPTION(READ_PACKETS, 47, read_packets, .type = OPTION_INTEGER, RANGE(0, INT32_MAX),
            .initial = BOTH(5), .scopes = UDP | UDP_SET, KEPT(read_packets), .traits = RETURNED,
            .help = "datagrams read in a row before other sockets have their turn",
            .text = "0 is refused.")

WEIR_OPTION(RECBUF, 48, recbuf, .type = OPTION_INTEGER, RANGE(INT32_MIN, INT32_MAX),
            .initial = SYSTEM, .scopes = EVERYWHERE, KERNEL(SOL_SOCKET, SO_RCVBUF),
            .accept = INHERITED, .help = "bytes of the kernel's receive buffer",
            .text =
                "Linux doubles it, and keeps at least 2304. Raises buffer, unless that was set. "
                "A UDP socket is opened with 8192.")

WEIR_OPTION(RECVTCLASS, 49, recvtclass, .type = OPTION_BOOLEAN, .initial = BOTH(false),
            .scopes = EVERYWHERE, KERNEL(IPPROTO_IPV6, IPV6_RECVTCLASS), .accept = INHERITED,
            .traits = RETURNED | EXTENSION, .help = "ask for the traffic class of what is received",
            .text = "inet6 only.")

WEIR_OPTION(RECVTOS, 50, recvtos, .type = OPTION_BOOLEAN, .initial = BOTH(false),
            .scopes = EVERYWHERE, KERNEL(IPPROTO_IP, IP_RECVTOS), .accept = INHERITED,
            .traits = EXTENSION, .help = "ask for the type of service of what is received")

WEIR_OPTION(RECVTTL, 51, recvttl, .type = OPTION_BOOLEAN, .initial = BOTH(false),
            .scopes = EVERYWHERE, KERNEL(IPPROTO_IP, IP_RECVTTL), .accept = INHERITED,
            .traits = EXTENSION, .help = "ask for the time to live of what is received")

WEIR_OPTION(REUSEADDR, 52, reuseaddr, .type = OPTION_BOOLEAN, .initial = BOTH(false),
            .scopes = EVERYWHERE, KERNEL(SOL_SOCKET, SO_REUSEADDR), .accept = INHERITED,
            .help = "bind to a port that old connections still use",
            .text = "Does not help against a live listener. Of a local socket: a file that nobody "
                    "listens on any more is removed and made anew.")

WEIR_OPTION(REUSEPORT, 53, reuseport, .type = OPTION_BOOLEAN, .initial = BOTH(false),
            .scopes = CREATING, KERNEL(SOL_SOCKET, SO_REUSEPORT), .accept = INHERITED,
            .traits = RETURNED | EXTENSION, .help = "let several sockets of one user share a port")

WEIR_OPTION(SEND_TIMEOUT, 54, send_timeout, .type = OPTION_TIMEOUT, RANGE(0, UINT32_MAX),
            .initial = BOTH(-1), .scopes = ALL_TCP, KEPT(send_timeout_ms), .accept = SHARED,
            .help = "milliseconds that a send waits while the socket is busy, or infinity",
            .text = "0 does not wait. When it has passed, the send returns timeout; its data stays "
                    "queued, and how much of it was sent is not known.")

WEIR_OPTION(SEND_TIMEOUT_CLOSE, 55, send_timeout_close, .type = OPTION_BOOLEAN,
            .initial = BOTH(false), .scopes = ALL_TCP, KEPT(send_timeout_close), .accept = SHARED,
            .help = "close the socket when a send timed out")

WEIR_OPTION(SHOW_ECONNRESET, 56, show_econnreset, .type = OPTION_BOOLEAN, .initial = BOTH(false),
            .scopes = ALL_TCP, KEPT(show_econnreset), .accept = SHARED, .traits = EXTENSION,
            .help = "tell a reset by the peer from a close",
            .text = "false: a reset is reported as closed. true: as econnreset, then closed.")

WEIR_OPTION(
    SNDBUF, 57, sndbuf, .type = OPTION_INTEGER, RANGE(INT32_MIN, INT32_MAX), .initial = SYSTEM,
    .scopes = EVERYWHERE, KERNEL(SOL_SOCKET, SO_SNDBUF), .accept = INHERITED,
    .help = "bytes of the kernel's send buffer",
    .text = "Linux doubles it, and keeps at least 4608. Raises buffer, unless that was set.")

WEIR_OPTION(TCLASS, 58, tclass, .type = OPTION_INTEGER, RANGE(INT32_MIN, INT32_MAX),
            .initial = BOTH(0), .scopes = EVERYWHERE, KERNEL(IPPROTO_IPV6, IPV6_TCLASS),
            .accept = COPIED, .traits = RETURNED | EXTENSION,
            .help = "the traffic class of what is sent", .text = "inet6 only.")

WEIR_OPTION(TCP_KEEPCNT, 59, tcp_keepcnt, .type = OPTION_INTEGER, RANGE(1, 127), .initial = SYSTEM,
            .scopes = ALL_TCP, KERNEL(IPPROTO_TCP, TCP_KEEPCNT), .accept = COPIED,
            .traits = RETURNED | EXTENSION,
            .help = "keepalive probes without an answer that are enough")

WEIR_OPTION(TCP_KEEPIDLE, 60, tcp_keepidle, .type = OPTION_INTEGER, RANGE(1, 32767),
            .initial = SYSTEM, .scopes = ALL_TCP, KERNEL(IPPROTO_TCP, TCP_KEEPIDLE),
            .accept = COPIED, .traits = RETURNED | EXTENSION,
            .help = "seconds of silence before keepalive probes begin")

WEIR_OPTION(TCP_KEEPINTVL, 61, tcp_keepintvl, .type = OPTION_INTEGER, RANGE(1, 32767),
            .initial = SYSTEM, .scopes = ALL_TCP, KERNEL(IPPROTO_TCP, TCP_KEEPINTVL),
            .accept = COPIED, .traits = RETURNED | EXTENSION,
            .help = "seconds between two keepalive probes")

WEIR_OPTION(TIMESTAMP, 62, timestamp, .type = OPTION_BOOLEAN, .initial = BOTH(false),
            .scopes = UDP | UDP_SET, KERNEL(SOL_SOCKET, SO_TIMESTAMPNS),
            .traits = RETURNED | EXTENSION, .help = "ask when the kernel received a datagram")

WEIR_OPTION(
    TOS, 63, tos, .type = OPTION_INTEGER, RANGE(INT32_MIN, INT32_MAX), .initial = BOTH(0),
    .scopes = EVERYWHERE, KERNEL(IPPROTO_IP, IP_TOS), .accept = COPIED,
    .help = "the type of service of what is sent",
    .text = "Linux takes the low eight bits, for TCP without the lowest two. It would also change "
            "priority; weir sets that back.")

WEIR_OPTION(TTL, 64, ttl, .type = OPTION_INTEGER, RANGE(INT32_MIN, INT32_MAX), .initial = BOTH(64),
            .scopes = EVERYWHERE, KERNEL(IPPROTO_IP, IP_TTL), .accept = COPIED,
            .traits = RETURNED | EXTENSION, .help = "how many routers what is sent may pass",
            .text = "1 to 255. On an inet6 socket it counts for IPv4 traffic only.")

WEIR_OPTION(UDP_GRO, 65, udp_gro, .type = OPTION_BOOLEAN, .initial = BOTH(false),
            .scopes = UDP | UDP_SET, KERNEL(IPPROTO_UDP, UDP_GRO), .traits = RETURNED | EXTENSION,
            .help = "receive runs of datagrams in one piece, which are told one by one",
            .text = "Datagrams of one size from one peer that come close together are received at "
                    "once, which is cheaper. Messages are as without: each has its own bytes, and "
                    "is cut at buffer by itself. Buffers for it have 64 KiB. Taken back while "
                    "datagrams wait in the kernel, it ends when those have been taken.")

WEIR_OPTION(
    USER_TIMEOUT, 66, user_timeout, .type = OPTION_INTEGER, RANGE(0, INT32_MAX), .initial = BOTH(0),
    .scopes = ALL_TCP, KERNEL(IPPROTO_TCP, TCP_USER_TIMEOUT), .accept = COPIED,
    .traits = RETURNED | EXTENSION,
    .help = "milliseconds that sent data may stay unacknowledged; 0 leaves it to the kernel")

#undef WEIR_OPTION
