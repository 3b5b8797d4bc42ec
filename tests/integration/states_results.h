/* SPDX-License-Identifier: MIT */
/* What states_test.c expects of a call in each state of its socket. */
#ifndef INTEGRATION_STATES_RESULTS_H
#define INTEGRATION_STATES_RESULTS_H

#include <errno.h>
#include <weir/weir.h>

/* open, half closed, gone, listening, a service, zero, stopped, udp */
#define ASKED                                    \
    {                                            \
        0, 0, -EINVAL, 0, 0, -EINVAL, -EINVAL, 0 \
    }
#define SENT                                                                         \
    {                                                                                \
        0, 0, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED, -ENOTCONN \
    }
#define RECEIVED                                                                                \
    {                                                                                           \
        WEIR_TIMEOUT, WEIR_CLOSED, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED, \
            -ENOTCONN                                                                           \
    }
#define ACCEPTED                                                                                \
    {                                                                                           \
        -EINVAL, -EINVAL, WEIR_CLOSED, WEIR_TIMEOUT, -EINVAL, WEIR_CLOSED, WEIR_CLOSED, -EINVAL \
    }
#define UDP_SENT                                                                                   \
    {                                                                                              \
        -EPROTOTYPE, -EPROTOTYPE, WEIR_CLOSED, -EPROTOTYPE, -EPROTOTYPE, WEIR_CLOSED, WEIR_CLOSED, \
            0                                                                                      \
    }
#define UDP_RECEIVED                                                                       \
    {                                                                                      \
        -ENOTCONN, -ENOTCONN, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED, \
            WEIR_TIMEOUT                                                                   \
    }
#define NAMED                                                    \
    {                                                            \
        0, 0, -EINVAL, -ENOTCONN, -ENOTCONN, -EINVAL, -EINVAL, 0 \
    } /* connected by then */
#define NOT_LOCAL                                                                              \
    {                                                                                          \
        -EAFNOSUPPORT, -EAFNOSUPPORT, -EINVAL, -EAFNOSUPPORT, -EAFNOSUPPORT, -EINVAL, -EINVAL, \
            -EAFNOSUPPORT                                                                      \
    }
#define NOT_LOCAL_CONNECTION                                                                     \
    {                                                                                            \
        -EAFNOSUPPORT, -EAFNOSUPPORT, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EAFNOSUPPORT \
    }
#define LOCAL_SENT                                                                                 \
    {                                                                                              \
        -EAFNOSUPPORT, -EAFNOSUPPORT, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED, \
            -EAFNOSUPPORT                                                                          \
    }
/* Its owner is a mailbox, or nobody. */
#define NO_HANDLER                                                             \
    {                                                                          \
        -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL \
    }
#define FOUND                                      \
    {                                              \
        0, 0, 0, 0, 0, WEIR_CLOSED, WEIR_CLOSED, 0 \
    }
#define BUSY                                                                 \
    {                                                                        \
        0, 0, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED, 0 \
    }
#define CANCELLED                                            \
    {                                                        \
        0, 0, WEIR_CLOSED, 0, 0, WEIR_CLOSED, WEIR_CLOSED, 0 \
    }
#define CONNECTED                                                                            \
    {                                                                                        \
        -ENOTCONN, -ENOTCONN, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED, 0 \
    }
#define GIVEN_AWAY                                                                     \
    {                                                                                  \
        0, 0, WEIR_CLOSED, WEIR_NOT_OWNER, WEIR_NOT_OWNER, WEIR_CLOSED, WEIR_CLOSED, 0 \
    }
#define SHUT                                                                         \
    {                                                                                \
        0, 0, WEIR_CLOSED, -ENOTCONN, -ENOTCONN, WEIR_CLOSED, WEIR_CLOSED, -ENOTCONN \
    }
#define NO_PROCESS                                                                                 \
    {                                                                                              \
        WEIR_NOPROC, WEIR_NOPROC, WEIR_NOPROC, WEIR_NOPROC, WEIR_NOPROC, WEIR_NOPROC, WEIR_NOPROC, \
            WEIR_NOPROC                                                                            \
    }
#define DUPLICATED                                                               \
    {                                                                            \
        -EOPNOTSUPP, -EOPNOTSUPP, WEIR_CLOSED, 0, 0, WEIR_CLOSED, WEIR_CLOSED, 0 \
    }
#define LEFT                                                                               \
    {                                                                                      \
        -EOPNOTSUPP, -EOPNOTSUPP, WEIR_CLOSED, 0, 0, WEIR_CLOSED, WEIR_CLOSED, -EOPNOTSUPP \
    }
#define CLOSE                  \
    {                          \
        0, 0, 0, 0, 0, 0, 0, 0 \
    }

#endif
