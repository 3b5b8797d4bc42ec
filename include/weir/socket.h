/* SPDX-License-Identifier: MIT */
/*
 * Sockets: gen_tcp, and the socket functions of inet.
 *
 * Where calls may be made
 * 1. An ordinary thread may make every call. Those that wait, wait there.
 * 2. On a scheduler (in a callback) a call on one of its own sockets is done at once; a call that
 *    would have to wait returns -EDEADLK and has an _async form.
 * 3. A call on a socket of another scheduler would have to wait, so rule 2 holds for it.
 * 4. An _async form calls back on the scheduler that it was called from; from an ordinary thread,
 *    on the scheduler of the socket. It calls back exactly once if it returned 0, and not at all if
 *    it did not. On a scheduler that is never before it has returned. From an ordinary thread it
 *    may be, since the two run side by side: what the callback needs is to be in `data` before.
 * 5. A callback must return: one that ends its thread (pthread_exit) ends the process.
 * 6. Some calls hand out at once what waits for it, and call back before they return: setopts
 *    (`packet`, `passive`, `error`, `closed`), controlling_process to a handler (all but
 *    `accepted`) and a send after shutdown(write) (`error`, `closed`), all for their own socket
 *    only. A thread's call of these returns after such callbacks, so a lock that they take must not
 *    be held over it.
 * 7. A call for a runtime on a scheduler of another runtime is refused: -EDEADLK.
 *
 * What they all have in common
 * 1. They return 0, or a count, or an error; weir_last_error_text says more where there is more.
 * 2. A pointer must not be NULL, unless it is said that it may be. A list of options may be: it is
 *    empty.
 * 3. A time-out is in milliseconds, WEIR_INFINITY (or any negative one) waits for ever, 0 polls.
 * 4. On a runtime that stops or has been stopped they return WEIR_CLOSED; a connect on a scheduler
 *    that must not make it -EDEADLK all the same.
 * 5. Beside the errors that are named, an option or an address gives what the kernel says of it.
 *
 * How long things live
 * 1. A handle may be used for ever; after the socket is gone it answers WEIR_CLOSED or -EINVAL.
 * 2. Bytes given to weir_send are copied or sent before it returns; the caller keeps them.
 * 3. Options given to a call are read before it returns.
 */
#ifndef WEIR_SOCKET_H
#define WEIR_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <weir/address.h>
#include <weir/options.h>
#include <weir/packet.h>
#include <weir/runtime.h>

WEIR_BEGIN

/* The handle of a socket: a connection, a listener or a UDP socket. */
typedef struct weir_socket {
    uint64_t id; /* 0: no socket */
} weir_socket;

enum { WEIR_INFINITY = -1 }; /* as a time-out in milliseconds */

/* What an owner is told, as callbacks on the socket's scheduler. Any may be NULL. */
typedef struct weir_handler {
    void (*accepted)(weir_socket socket, void *data);                          /* weir_tcp_serve */
    void (*packet)(weir_socket socket, const weir_packet *packet, void *data); /* tcp, http, udp */
    void (*passive)(weir_socket socket, void *data); /* tcp_passive, udp_passive */
    void (*unbusy)(weir_socket socket, void *data); /* a send that was refused may be tried again */
    void (*error)(weir_socket socket, int error, void *data); /* tcp_error: `closed`
                                                                 follows; udp_error */
    void (*closed)(weir_socket socket, void *data);           /* tcp_closed */
    void (*gone)(weir_socket socket, void *data);             /* the last: see below */
    void (*reserved[9])(void);                                /* for callbacks to come; NULL */
} weir_handler;

/*
 * When state can be freed: `gone` comes exactly once for every connection that the handler owns in
 * the end, whatever ended it: its peer, weir_close from anywhere, an error, {send_timeout_close},
 * weir_stop, and whether it was active or not.
 *
 * 1. It is the last of all: nothing is called with that socket after it, nor the callback of an
 *    _async call that was made on the socket's scheduler, or had come there from a thread, while
 *    the handle was alive. One that came too late is answered with WEIR_CLOSED, perhaps after it;
 *    and one made on another scheduler calls back there, side by side with `gone`: what such
 *    callbacks need must not go with `gone`, or weir_run_for brings the call to the socket.
 * 2. It comes from the turn, never under a call of the application's. The handle is dead by then.
 *    What was queued has been sent or dropped: a peer that does not read may delay it.
 * 3. weir_controlling_process that has returned 0 leaves it to the new owner, and the former is
 *    called no more; one that has returned an error leaves it to the former.
 * 4. `data` is what weir_set_data has given last, else the owner's.
 * 5. No socket, no `gone`: an accept or connect that has failed, and a connection for which there
 *    was no memory, which is not `accepted` either. Listeners have none.
 */

typedef struct weir_mailbox weir_mailbox;

/* The controlling process: a handler with its data, or a mailbox, or nobody (all NULL), which a
 * socket that is never active may have. */
typedef struct weir_owner {
    const weir_handler *handler;
    void *data;
    weir_mailbox *mailbox;
} weir_owner;

/* The owner that is a handler, which is not copied and lives as long as its sockets; `data` is what
 * its callbacks are given. */
static inline weir_owner weir_handled_by(const weir_handler *handler, void *data)
{
    weir_owner owner = {handler, data, NULL};
    return owner;
}

/* The owner that is a mailbox. */
static inline weir_owner weir_mailed_to(weir_mailbox *mailbox)
{
    weir_owner owner = {NULL, NULL, mailbox};
    return owner;
}

/* The owner that is nobody, of a socket that is read by weir_recv. */
static inline weir_owner weir_owned_by_nobody(void)
{
    weir_owner owner = {NULL, NULL, NULL};
    return owner;
}

/* What the _async forms of accept and connect call. */
typedef void weir_opened(weir_socket socket, int result, void *data);
/* What the _async forms of sends call. */
typedef void weir_sent(weir_socket socket, int result, void *data);
/* What the _async forms of recv call. The packet is lent, and NULL unless `result` is 0. */
typedef void weir_received(weir_socket socket, int result, const weir_packet *packet, void *data);

/*
 * Listens for connections, gen_tcp:listen/2. `address` NULL or "": every address, unless {ip,_}
 * says which; an address beats {ip,_}, and a port that is not 0 beats {port,_}. It is an address
 * and no name; a link-local one has its interface behind it by name or index, "fe80::1%eth0", also
 * as the host of weir_tcp_connect. "unix:PATH" is a local socket (weir/local.h), there too. One
 * listening socket, whose connections are taken by weir_tcp_accept. With {max_connections,N} there
 * are N of them at a time, and with {proxy_protocol,true} each says first whose it is. A call that
 * fails leaves {fd,_} as it was. -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, WEIR_BADARG (an option that
 * listen does not take or a value out of range, an address that is none or of the wrong family),
 * -EBADF ({fd,_}), -EMFILE, -ENOMEM; local sockets: -ENOENT and its like, -EINVAL (a path that is
 * too long, or none). Thread, or scheduler: the listener is then the caller's.
 */
WEIR_API int weir_tcp_listen(weir_runtime *runtime, const char *address, uint16_t port,
                             const weir_option *options, weir_socket *listener) WEIR_CHECK_RESULT;

/*
 * Listens on every scheduler and hands each connection to `owner` where it was accepted: a handler
 * gets `accepted` and then its packets. Without {backlog,_} as many may wait as the system lets
 * (net.core.somaxconn), which is not the document's 5: so many come at once. Of a local socket
 * there is one, from which the schedulers accept in turn; so of {fd,_}, as weir_tcp_serve_fds of
 * weir/inherit.h has it. `listener` (may be NULL) stands for all of them: closing it closes all,
 * options set on it are set on all. With {max_connections,N} who comes when there are N connections
 * waits until one ends. Errors as weir_tcp_listen, WEIR_BADARG also for an owner that is nobody.
 * When the listening socket is of no use any more (something else has shut it down) the owner is
 * told by `error` with its handle, once until connections come again, and nothing follows that. Of
 * a service on several schedulers each tells of its own part, by that one's handle.
 * Thread; scheduler if it is the only one of its runtime.
 */
WEIR_API int weir_tcp_serve(weir_runtime *runtime, const char *address, uint16_t port,
                            const weir_option *options, weir_owner owner,
                            weir_socket *listener) WEIR_CHECK_RESULT;

/*
 * Takes a connection of a listener, gen_tcp:accept/1,2. Callers are served in order. With
 * {proxy_protocol,true} they get connections in the order in which headers come, and who has said
 * half of his holds nobody up; a call that gives up loses none. WEIR_TIMEOUT (0 polls), WEIR_CLOSED
 * (the listener is or gets closed), -EINVAL (not a listener, one that was shut down, or one of
 * weir_tcp_serve, which takes all itself). `owner` may be nobody only if the listener is
 * {active,false}: else WEIR_BADARG.
 */
WEIR_API int weir_tcp_accept(weir_socket listener, weir_owner owner, int64_t timeout_ms,
                             weir_socket *socket) WEIR_CHECK_RESULT;
WEIR_API int weir_tcp_accept_async(weir_socket listener, weir_owner owner, int64_t timeout_ms,
                                   weir_opened *opened, void *data) WEIR_CHECK_RESULT;

/*
 * Connects to a host, gen_tcp:connect/3,4. `host` is an address or a name, which is looked up
 * (weir/names.h); its addresses are tried in order, or as {happy_eyeballs,Ms} has it. The time-out
 * covers all of it. -ECONNREFUSED, -ECONNRESET, WEIR_TIMEOUT, -ETIMEDOUT, -ENETUNREACH,
 * -EHOSTUNREACH, WEIR_NXDOMAIN (a name that nobody knows), -EAFNOSUPPORT, -EADDRINUSE,
 * -EADDRNOTAVAIL, -EINVAL (a name with blanks, an address that none can be reached at), -ENOENT and
 * its like (no file of that path), -EMFILE, -ENOMEM, -EAGAIN (the kernel takes no more),
 * WEIR_BADARG (as listen, no host, an active socket without an owner).
 */
WEIR_API int weir_tcp_connect(weir_runtime *runtime, const char *host, uint16_t port,
                              const weir_option *options, weir_owner owner, int64_t timeout_ms,
                              weir_socket *socket) WEIR_CHECK_RESULT;
WEIR_API int weir_tcp_connect_async(weir_runtime *runtime, const char *host, uint16_t port,
                                    const weir_option *options, weir_owner owner,
                                    int64_t timeout_ms, weir_opened *opened,
                                    void *data) WEIR_CHECK_RESULT;

/*
 * Sends bytes, gen_tcp:send/2. With {packet,1|2|4} a header is put before the bytes: -EMSGSIZE when
 * they do not fit it. WEIR_CLOSED, -ECONNRESET (with {show_econnreset,true}), -ENOTCONN, -EINVAL
 * (NULL bytes, or more than memory has), -ENOMEM. A thread waits while the socket is busy:
 * WEIR_TIMEOUT after {send_timeout}, and the bytes are queued all the same, as the document's are:
 * who tries again sends them twice. A handler that finds it busy gets -EAGAIN, nothing is taken,
 * and `unbusy` follows.
 */
WEIR_API int weir_send(weir_socket socket, const void *bytes, size_t size) WEIR_CHECK_RESULT;
/* Sends bytes without waiting. The bytes are copied; `sent` (may be NULL) is called when the send
 * is accepted or has failed: in the order of the calls, but for one that fails, which may overtake
 * those that wait. It waits while the socket is busy, as a thread would; what waits so is bounded:
 * -ENOBUFS when it and what is queued have reached the runtime's queued_bytes_limit. */
WEIR_API int weir_send_async(weir_socket socket, const void *bytes, size_t size, weir_sent *sent,
                             void *data) WEIR_CHECK_RESULT;
/* Sends one packet out of several pieces, in order. Otherwise as weir_send. */
WEIR_API int weir_sendv(weir_socket socket, const struct iovec *pieces,
                        size_t count) WEIR_CHECK_RESULT;
/* Sends a packet with header and padding; a large one goes out from where it lies, not copied. On a
 * UDP socket one that was received there goes back to where it came from, as by weir_udp_send. */
WEIR_API int weir_send_packet(weir_socket socket, const weir_packet *packet) WEIR_CHECK_RESULT;
/*
 * Sends the caller's memory without a copy. The memory is weir's from the call on, whatever its
 * result: `released(data)` is called exactly once, when it is not needed any more. On a scheduler
 * it comes from the turn, never from within a function of weir's, and may send and close; only
 * memory that is refused at once (-EINVAL, -ENOMEM) is released before this returns. When a thread
 * sends, it may come on that thread, before this returns. Otherwise as weir_send.
 */
WEIR_API int weir_send_owned(weir_socket socket, const void *bytes, size_t size,
                             void (*released)(void *data), void *data) WEIR_CHECK_RESULT;
/*
 * Sends `size` bytes of a file from `offset` on, as one packet. They are read when their turn
 * comes, part by part, as fast as the peer takes them. The descriptor stays the caller's and may be
 * closed at once; its offset is neither used nor moved. Files and block devices: -ESPIPE for a
 * pipe, a socket or a terminal, -EISDIR for a directory, -EBADF when it is not open for reading,
 * -EINVAL when the file is shorter (asked of files that do not know their size too, as those of
 * /proc) or O_DIRECT. One that becomes shorter, or cannot be read, ends the connection when its
 * turn comes: the peer is reset, or sees an end if it is local (weir/local.h), and the owner told:
 * `error` (-EIO for one that is shorter) and `closed`, or the error when it next asks. Otherwise as
 * weir_send; -EMFILE.
 */
WEIR_API int weir_send_file(weir_socket socket, int fd, uint64_t offset,
                            size_t size) WEIR_CHECK_RESULT;

/* What weir_send_owned_async and weir_send_file_async send. */
typedef struct weir_owned_bytes {
    const void *bytes;
    size_t size;
    void (*released)(void *data);
    void *data;
} weir_owned_bytes;

/* A part of a file that is sent. */
typedef struct weir_file_part {
    int fd;
    uint64_t offset;
    size_t size;
} weir_file_part;

/*
 * Sends what the calls of these names send, for those who cannot wait: `sent` (may be NULL) is
 * called when the send is accepted, or has failed, and errors are its result. Pieces are copied.
 * The packet may be lent or kept. For owned memory, `released` is called whatever happens. For a
 * file, the descriptor may be closed at once. -EINVAL, -ENOMEM, -EBADF, -EISDIR, -ESPIPE, -EMFILE,
 * WEIR_CLOSED: `sent` is not called.
 */
WEIR_API int weir_sendv_async(weir_socket socket, const struct iovec *pieces, size_t count,
                              weir_sent *sent, void *data) WEIR_CHECK_RESULT;
WEIR_API int weir_send_packet_async(weir_socket socket, const weir_packet *packet, weir_sent *sent,
                                    void *data) WEIR_CHECK_RESULT;
WEIR_API int weir_send_owned_async(weir_socket socket, const weir_owned_bytes *owned,
                                   weir_sent *sent, void *data) WEIR_CHECK_RESULT;
WEIR_API int weir_send_file_async(weir_socket socket, const weir_file_part *part, weir_sent *sent,
                                  void *data) WEIR_CHECK_RESULT;

/*
 * Receives a packet, gen_tcp:recv/2,3. `length` 0: a packet, or whatever there is when raw; else
 * exactly so many raw bytes. WEIR_TIMEOUT (nothing is lost), WEIR_CLOSED, -ENOTCONN, -EINVAL
 * (active, or a length with a packet type), -ENOMEM (over 64 MiB), -EALREADY (somebody waits
 * already), -EMSGSIZE (a packet that cannot be framed, or is larger than {packet_size,_}; without
 * one, than 2^31 - 5), -ECONNRESET (with {show_econnreset,true}). The packet is the caller's:
 * weir_packet_release. A thread that reads on pays for a call of the scheduler once for all that
 * has come together: small pieces are cheap.
 */
WEIR_API int weir_recv(weir_socket socket, size_t length, int64_t timeout_ms,
                       weir_packet *packet) WEIR_CHECK_RESULT;
WEIR_API int weir_recv_async(weir_socket socket, size_t length, int64_t timeout_ms,
                             weir_received *received, void *data) WEIR_CHECK_RESULT;

/* Which direction weir_shutdown ends. */
enum weir_how { WEIR_READ, WEIR_WRITE, WEIR_READ_WRITE };

/* Ends one direction, or both, gen_tcp:shutdown/2. What is queued is sent first. -ENOTCONN,
 * WEIR_CLOSED, WEIR_BADARG. */
WEIR_API int weir_shutdown(weir_socket socket, enum weir_how how) WEIR_CHECK_RESULT;

/*
 * Closes a socket, inet:close/1 and gen_tcp:close/1. 0; only from a handler of another scheduler
 * than the socket's also -ENOMEM, and the socket stays open. What is queued is still sent, unless
 * {linger,{true,0}}; {linger,{true,S}} makes a thread wait for that at most S seconds. A peer that
 * takes nothing of it for the runtime's close_timeout_ms is reset. No `closed` follows.
 */
WEIR_API int weir_close(weir_socket socket);

/*
 * Hands a socket to another owner, gen_tcp:controlling_process/2. `from` must be the present owner:
 * WEIR_NOT_OWNER, also for a listener, which has none. 0 when `to` is the owner already, whoever
 * asks. Messages that wait in the mailbox of `from` move along, in order, before anything newer: a
 * handler is called with each before this returns, and if it hands the socket on meanwhile the rest
 * moves on, into a mailbox at once, to a handler when its own call returns. WEIR_CLOSED (also when
 * `from` is gone, whose sockets are closed with it), WEIR_BADARG (`to` is a mailbox that is gone,
 * or nobody for an active socket).
 */
WEIR_API int weir_controlling_process(weir_socket socket, weir_owner from,
                                      weir_owner to) WEIR_CHECK_RESULT;

/*
 * Gives this socket's callbacks a `data` of their own, as for the state of one connection. For a
 * service it is set on all of its listeners, whose connections from then on begin with it.
 * -EINVAL when the socket is closed, or its owner is no handler; -EDEADLK for a service of several
 * schedulers on one of them.
 */
WEIR_API int weir_set_data(weir_socket socket, void *data) WEIR_CHECK_RESULT;

/*
 * Sets options, inet:setopts/2. The list is looked at before anything of it is done. Then it is set
 * front to back and ends at the first that fails; what stands before that is set. So of duplicates
 * the last counts, but {active,N} is added up. Of {active,N} at its end the owner is told when the
 * list has been set. -EINVAL: closed, an option that is none, a value out
 * of range, {active,_} without an owner, or the kernel refuses it. Options of other protocols are
 * taken and do nothing.
 */
WEIR_API int weir_setopts(weir_socket socket, const weir_option *options) WEIR_CHECK_RESULT;
/*
 * Reads options, inet:getopts/2. `values` are `count` requests (WEIR_REQUEST) that become their
 * values, in order; what the system does not have is left out. Returns how many there are. -EINVAL:
 * closed, or an option that is none or cannot be read.
 */
WEIR_API int weir_getopts(weir_socket socket, weir_option *values, size_t count) WEIR_CHECK_RESULT;

/*
 * The addresses of a socket, inet:peername/1, sockname/1 and port/1 (returns the port). -EINVAL
 * when the socket is closed. When it was lost and its owner has not closed it yet: -ENOTCONN from
 * peername, -EBADF from the others; a peer that has only finished writing, with
 * {exit_on_close,false}, is still there. -ENOTCONN from peername of a listener. Of connections with
 * {proxy_protocol,true} they are what the proxy has said.
 */
WEIR_API int weir_peername(weir_socket socket, weir_address *address) WEIR_CHECK_RESULT;
WEIR_API int weir_sockname(weir_socket socket, weir_address *address) WEIR_CHECK_RESULT;
WEIR_API int weir_port(weir_socket socket) WEIR_CHECK_RESULT;

/* inet:getstat/1,2. Sizes are in bytes and include packet headers. */
typedef struct weir_statistics {
    uint64_t recv_oct;
    uint32_t recv_cnt;
    uint32_t recv_max;
    uint32_t recv_avg;
    uint32_t recv_dvi;
    uint64_t send_oct;
    uint32_t send_cnt;
    uint32_t send_max;
    uint32_t send_avg;
    uint32_t send_dvi;
    uint64_t send_pend; /* queued in weir, not in the kernel */
    uint32_t dropped;   /* udp: datagrams that the kernel had no room for ({recbuf,_}) */
    uint32_t truncated; /* udp: of those received, longer than {buffer,_} */
} weir_statistics;

/* Reads the figures of a socket. -EINVAL when the socket is closed. */
WEIR_API int weir_getstat(weir_socket socket, weir_statistics *statistics) WEIR_CHECK_RESULT;

/* One figure by the document's name, "recv_cnt": -EINVAL when there is none. Any thread. */
WEIR_API int weir_statistic(const weir_statistics *statistics, const char *name,
                            uint64_t *value) WEIR_CHECK_RESULT;

/* Whether two handles name the same socket. */
static inline bool weir_same_socket(weir_socket a, weir_socket b)
{
    return a.id == b.id;
}

WEIR_END

#endif
