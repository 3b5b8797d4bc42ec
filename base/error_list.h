/* SPDX-License-Identifier: MIT */
/*
 * Every error once: ROW(code, atom, text). The atoms and texts are the document's. Where several
 * atoms share an errno the first row is what the code is called; the others are only read.
 */
#ifndef BASE_ERROR_LIST_H
#define BASE_ERROR_LIST_H

#include <errno.h>
#include <weir/error.h>

/* What format_error/1 says about an atom that is no POSIX name. */
#define ERROR_NO_POSIX_NAME "unknown POSIX error"

/* clang-format off */
#define ERROR_LIST(ROW) \
    ROW(-E2BIG, e2big, "argument list too long") \
    ROW(-EACCES, eacces, "permission denied") \
    ROW(-EADDRINUSE, eaddrinuse, "address already in use") \
    ROW(-EADDRNOTAVAIL, eaddrnotavail, "cannot assign requested address") \
    ROW(-EADV, eadv, "advertise error") \
    ROW(-EAFNOSUPPORT, eafnosupport, "address family not supported by protocol family") \
    ROW(-EAGAIN, eagain, "resource temporarily unavailable") \
    ROW(WEIR_EALIGN, ealign, "EALIGN") \
    ROW(-EALREADY, ealready, "operation already in progress") \
    ROW(-EBADE, ebade, "bad exchange descriptor") \
    ROW(-EBADF, ebadf, "bad file number") \
    ROW(-EBADFD, ebadfd, "file descriptor in bad state") \
    ROW(-EBADMSG, ebadmsg, "not a data message") \
    ROW(-EBADR, ebadr, "bad request descriptor") \
    ROW(WEIR_EBADRPC, ebadrpc, "RPC structure is bad") \
    ROW(-EBADRQC, ebadrqc, "bad request code") \
    ROW(-EBADSLT, ebadslt, "invalid slot") \
    ROW(-EBFONT, ebfont, "bad font file format") \
    ROW(-EBUSY, ebusy, "file busy") \
    ROW(-ECHILD, echild, "no children") \
    ROW(-ECHRNG, echrng, "channel number out of range") \
    ROW(-ECOMM, ecomm, "communication error on send") \
    ROW(-ECONNABORTED, econnaborted, "software caused connection abort") \
    ROW(-ECONNREFUSED, econnrefused, "connection refused") \
    ROW(-ECONNRESET, econnreset, "connection reset by peer") \
    ROW(-EDEADLK, edeadlk, "resource deadlock avoided") \
    ROW(-EDEADLOCK, edeadlock, "resource deadlock avoided") \
    ROW(-EDESTADDRREQ, edestaddrreq, "destination address required") \
    ROW(WEIR_EDIRTY, edirty, "mounting a dirty fs w/o force") \
    ROW(-EDOM, edom, "math argument out of range") \
    ROW(-EDOTDOT, edotdot, "cross mount point") \
    ROW(-EDQUOT, edquot, "disk quota exceeded") \
    ROW(WEIR_EDUPPKG, eduppkg, "duplicate package name") \
    ROW(-EEXIST, eexist, "file already exists") \
    ROW(-EFAULT, efault, "bad address in system call argument") \
    ROW(-EFBIG, efbig, "file too large") \
    ROW(-EHOSTDOWN, ehostdown, "host is down") \
    ROW(-EHOSTUNREACH, ehostunreach, "host is unreachable") \
    ROW(-EIDRM, eidrm, "identifier removed") \
    ROW(WEIR_EINIT, einit, "initialization error") \
    ROW(-EINPROGRESS, einprogress, "operation now in progress") \
    ROW(-EINTR, eintr, "interrupted system call") \
    ROW(-EINVAL, einval, "invalid argument") \
    ROW(-EIO, eio, "I/O error") \
    ROW(-EISCONN, eisconn, "socket is already connected") \
    ROW(-EISDIR, eisdir, "illegal operation on a directory") \
    ROW(-EISNAM, eisnam, "is a named file") \
    ROW(-EL2HLT, el2hlt, "level 2 halted") \
    ROW(-EL2NSYNC, el2nsync, "level 2 not synchronized") \
    ROW(-EL3HLT, el3hlt, "level 3 halted") \
    ROW(-EL3RST, el3rst, "level 3 reset") \
    ROW(WEIR_ELBIN, elbin, "ELBIN") \
    ROW(-ELIBACC, elibacc, "cannot access a needed shared library") \
    ROW(-ELIBBAD, elibbad, "accessing a corrupted shared library") \
    ROW(-ELIBEXEC, elibexec, "cannot exec a shared library directly") \
    ROW(-ELIBMAX, elibmax, "attempting to link in more shared libraries than system limit") \
    ROW(-ELIBSCN, elibscn, ".lib section in a.out corrupted") \
    ROW(-ELNRNG, elnrng, "link number out of range") \
    ROW(-ELOOP, eloop, "too many levels of symbolic links") \
    ROW(-EMFILE, emfile, "too many open files") \
    ROW(-EMLINK, emlink, "too many links") \
    ROW(-EMSGSIZE, emsgsize, "message too long") \
    ROW(-EMULTIHOP, emultihop, "multihop attempted") \
    ROW(-ENAMETOOLONG, enametoolong, "file name too long") \
    ROW(-ENAVAIL, enavail, "not available") \
    ROW(WEIR_ENET, enet, "ENET") \
    ROW(-ENETDOWN, enetdown, "network is down") \
    ROW(-ENETRESET, enetreset, "network dropped connection on reset") \
    ROW(-ENETUNREACH, enetunreach, "network is unreachable") \
    ROW(-ENFILE, enfile, "file table overflow") \
    ROW(-ENOANO, enoano, "anode table overflow") \
    ROW(-ENOBUFS, enobufs, "no buffer space available") \
    ROW(-ENOCSI, enocsi, "no CSI structure available") \
    ROW(-ENODATA, enodata, "no data available") \
    ROW(-ENODEV, enodev, "no such device") \
    ROW(-ENOENT, enoent, "no such file or directory") \
    ROW(-ENOEXEC, enoexec, "exec format error") \
    ROW(-ENOLCK, enolck, "no locks available") \
    ROW(-ENOLINK, enolink, "link has be severed") \
    ROW(-ENOMEM, enomem, "not enough memory") \
    ROW(-ENOMSG, enomsg, "no message of desired type") \
    ROW(-ENONET, enonet, "machine is not on the network") \
    ROW(-ENOPKG, enopkg, "package not installed") \
    ROW(-ENOPROTOOPT, enoprotoopt, "bad protocol option") \
    ROW(-ENOSPC, enospc, "no space left on device") \
    ROW(-ENOSR, enosr, "out of stream resources or not a stream device") \
    ROW(WEIR_ENOSYM, enosym, "unresolved symbol name") \
    ROW(-ENOSYS, enosys, "function not implemented") \
    ROW(-ENOTBLK, enotblk, "block device required") \
    ROW(-ENOTCONN, enotconn, "socket is not connected") \
    ROW(-ENOTDIR, enotdir, "not a directory") \
    ROW(-ENOTEMPTY, enotempty, "directory not empty") \
    ROW(-ENOTNAM, enotnam, "not a named file") \
    ROW(-ENOTSOCK, enotsock, "socket operation on non-socket") \
    ROW(-ENOTSUP, enotsup, "operation not supported") \
    ROW(-ENOTTY, enotty, "inappropriate device for ioctl") \
    ROW(-ENOTUNIQ, enotuniq, "name not unique on network") \
    ROW(-ENXIO, enxio, "no such device or address") \
    ROW(-EOPNOTSUPP, eopnotsupp, "operation not supported on socket") \
    ROW(-EPERM, eperm, "not owner") \
    ROW(-EPFNOSUPPORT, epfnosupport, "protocol family not supported") \
    ROW(-EPIPE, epipe, "broken pipe") \
    ROW(WEIR_EPROCLIM, eproclim, "too many processes") \
    ROW(WEIR_EPROCUNAVAIL, eprocunavail, "bad procedure for program") \
    ROW(WEIR_EPROGMISMATCH, eprogmismatch, "program version wrong") \
    ROW(WEIR_EPROGUNAVAIL, eprogunavail, "RPC program not available") \
    ROW(-EPROTO, eproto, "protocol error") \
    ROW(-EPROTONOSUPPORT, eprotonosupport, "protocol not supported") \
    ROW(-EPROTOTYPE, eprototype, "protocol wrong type for socket") \
    ROW(-ERANGE, erange, "math result unrepresentable") \
    ROW(WEIR_EREFUSED, erefused, "EREFUSED") \
    ROW(-EREMCHG, eremchg, "remote address changed") \
    ROW(WEIR_EREMDEV, eremdev, "remote device") \
    ROW(-EREMOTE, eremote, "pathname hit remote file system") \
    ROW(-EREMOTEIO, eremoteio, "remote i/o error") \
    ROW(WEIR_EREMOTERELEASE, eremoterelease, "EREMOTERELEASE") \
    ROW(-EROFS, erofs, "read-only file system") \
    ROW(WEIR_ERPCMISMATCH, erpcmismatch, "RPC version is wrong") \
    ROW(WEIR_ERREMOTE, erremote, "object is remote") \
    ROW(-ESHUTDOWN, eshutdown, "cannot send after socket shutdown") \
    ROW(-ESOCKTNOSUPPORT, esocktnosupport, "socket type not supported") \
    ROW(-ESPIPE, espipe, "invalid seek") \
    ROW(-ESRCH, esrch, "no such process") \
    ROW(-ESRMNT, esrmnt, "srmount error") \
    ROW(-ESTALE, estale, "stale remote file handle") \
    ROW(WEIR_ESUCCESS, esuccess, "Error 0") \
    ROW(-ETIME, etime, "timer expired") \
    ROW(-ETIMEDOUT, etimedout, "connection timed out") \
    ROW(-ETOOMANYREFS, etoomanyrefs, "too many references") \
    ROW(-ETXTBSY, etxtbsy, "text file or pseudo-device busy") \
    ROW(-EUCLEAN, euclean, "structure needs cleaning") \
    ROW(-EUNATCH, eunatch, "protocol driver not attached") \
    ROW(-EUSERS, eusers, "too many users") \
    ROW(WEIR_EVERSION, eversion, "version mismatch") \
    ROW(-EWOULDBLOCK, ewouldblock, "operation would block") \
    ROW(-EXDEV, exdev, "cross-domain link") \
    ROW(-EXFULL, exfull, "message tables full") \
    ROW(WEIR_NXDOMAIN, nxdomain, "the hostname or domain name could not be found") \
    /* Not in its table: two names of its posix() type, three errnos, weir's own reasons. */ \
    ROW(WEIR_EXBADPORT, exbadport, "invalid port state") \
    ROW(WEIR_EXBADSEQ, exbadseq, "bad command sequence") \
    ROW(-ENOSTR, enostr, "not a stream") \
    ROW(-EOVERFLOW, eoverflow, "offset too large for file system") \
    ROW(-ECANCELED, ecanceled, ERROR_NO_POSIX_NAME) \
    ROW(-EILSEQ, eilseq, ERROR_NO_POSIX_NAME) \
    ROW(WEIR_SYSTEM_LIMIT, system_limit, "a system limit was hit, probably not enough ports") \
    ROW(WEIR_CLOSED, closed, ERROR_NO_POSIX_NAME) \
    ROW(WEIR_TIMEOUT, timeout, ERROR_NO_POSIX_NAME) \
    ROW(WEIR_NOT_OWNER, not_owner, ERROR_NO_POSIX_NAME) \
    ROW(WEIR_BADARG, badarg, ERROR_NO_POSIX_NAME) \
    ROW(WEIR_KILLED, killed, ERROR_NO_POSIX_NAME) \
    ROW(WEIR_NOPROC, noproc, ERROR_NO_POSIX_NAME) \
    ROW(WEIR_UNKNOWN, unknown, ERROR_NO_POSIX_NAME)
/* clang-format on */

#endif
