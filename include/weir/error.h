/* SPDX-License-Identifier: MIT */
/*
 * Errors. Functions return 0 (or a count) or a negative error: -errno for POSIX codes, and the
 * codes below, which lie beyond every errno. Each has an atom, the name that the document uses.
 */
#ifndef WEIR_ERROR_H
#define WEIR_ERROR_H

#include <weir/version.h>

WEIR_BEGIN

/* X(ENUMERATOR, atom): what Linux has no errno for. From EALIGN on they are names of the
 * document that no Linux kernel produces, which exist so that every name can be formatted; the last
 * two are of processes. */
#define WEIR_NAMED_ERRORS(X)          \
    X(CLOSED, closed)                 \
    X(TIMEOUT, timeout)               \
    X(NOT_OWNER, not_owner)           \
    X(BADARG, badarg)                 \
    X(SYSTEM_LIMIT, system_limit)     \
    X(NXDOMAIN, nxdomain)             \
    X(EXBADPORT, exbadport)           \
    X(EXBADSEQ, exbadseq)             \
    X(UNKNOWN, unknown)               \
    X(EALIGN, ealign)                 \
    X(EBADRPC, ebadrpc)               \
    X(EDIRTY, edirty)                 \
    X(EDUPPKG, eduppkg)               \
    X(EINIT, einit)                   \
    X(ELBIN, elbin)                   \
    X(ENET, enet)                     \
    X(ENOSYM, enosym)                 \
    X(EPROCLIM, eproclim)             \
    X(EPROCUNAVAIL, eprocunavail)     \
    X(EPROGMISMATCH, eprogmismatch)   \
    X(EPROGUNAVAIL, eprogunavail)     \
    X(EREFUSED, erefused)             \
    X(EREMDEV, eremdev)               \
    X(EREMOTERELEASE, eremoterelease) \
    X(ERPCMISMATCH, erpcmismatch)     \
    X(ERREMOTE, erremote)             \
    X(ESUCCESS, esuccess)             \
    X(EVERSION, eversion)             \
    X(KILLED, killed)                 \
    X(NOPROC, noproc)

/* The codes that lie beyond every errno, in order. */
enum weir_error_order {
    WEIR_ERROR_ORDER_FIRST = 0x10000, /* the largest errno of any kernel is 4095 */
#define X(name, atom) WEIR_ERROR_ORDER_##name,
    WEIR_NAMED_ERRORS(X)
#undef X
};

/* The errors that Linux has no errno for: WEIR_CLOSED, WEIR_TIMEOUT and so on. */
enum weir_error {
#define X(name, atom) WEIR_##name = -(int)WEIR_ERROR_ORDER_##name,
    WEIR_NAMED_ERRORS(X)
#undef X
};

/*
 * The atom of an error: "econnrefused" for -ECONNREFUSED, "closed" for WEIR_CLOSED, "ok" for
 * 0. Codes that have no name give "unknown". Any thread. Static memory.
 */
WEIR_API const char *weir_error_name(int error);

/*
 * The diagnostic text of an error, inet:format_error/1, "connection refused". Codes that are no
 * POSIX names (closed, timeout, ...) give "unknown POSIX error", as the document's do. Any thread.
 * Static memory.
 */
WEIR_API const char *weir_format_error(int error);

/*
 * A text for every error, closed, timeout and badarg too: what to print. It is the document's where
 * the document has one. 0 is "no error". Any thread. Static memory.
 */
WEIR_API const char *weir_error_text(int error);

/* The diagnostic text of an atom, as weir_format_error gives it of an error: several share an
 * errno, but "ewouldblock" and "eagain" have texts of their own. Any thread. Static memory. */
WEIR_API const char *weir_format_error_atom(const char *atom);

/* The error that an atom names, or 0 when none does. Any thread. */
WEIR_API int weir_error_from_name(const char *atom);

/*
 * What the last failing call of this thread had to say beyond its code: which option, which
 * address, which limit, what to do, or at least "weir_recv: timed out". In the callback of an
 * _async call that has failed, what there is to say of that. Never another call's, and empty when
 * the last one has not failed. Valid until the next call. The calls that need no runtime and give
 * one reason only (weir_decode_packet, weir_statistic and the names of packet types and errors)
 * leave it alone.
 */
WEIR_API const char *weir_last_error_text(void);

WEIR_END

#endif
