/* SPDX-License-Identifier: MIT */
/* What the program does to local connections alone. */
#include <errno.h>
#include <string.h>

#include "address/address.h"
#include "runtime/stream/stream.h"
#include "sim/act.h"
#include "sim/dice.h"
#include "sim/kernel.h"
#include "sim/link.h"
#include "sim/local.h"
#include "sim/rights.h"
#include "sim/trace.h"
#include <weir/error.h>
#include <weir/local.h>

static void check_credentials(const struct conn *conn, int expected)
{
    weir_credentials credentials;
    const struct ucred known = local_credentials(model_link(conn));
    int result = weir_local_credentials(conn->handle, &credentials);
    SIM_CHECK(result == expected, "credentials gave %s", weir_error_name(result));
    SIM_CHECK(result < 0 || (credentials.pid == known.pid && credentials.uid == known.uid &&
                             credentials.gid == known.gid),
              "link %u: the peer is process %d", model_link(conn), credentials.pid);
}

static void check_name(const struct conn *conn, const weir_local_address *name, bool of_peer)
{
    struct sockaddr_storage storage;
    socklen_t size = sizeof(storage);
    weir_local_address known;
    const struct file *file = kernel_file(model_live(conn->handle)->fd);
    if (of_peer)
        local_put_peer(file, (struct sockaddr *)&storage, &size);
    else
        local_put_name(file, (struct sockaddr *)&storage, &size);
    local_address_from_sockaddr(&storage, size, &known);
    SIM_CHECK(name->size == known.size && memcmp(name->name, known.name, known.size) == 0,
              "link %u has another name", model_link(conn));
}

static void ask(struct conn *conn)
{
    weir_local_address name;
    const struct slot *slot = model_live(conn->handle);
    bool is_open = slot && slot->state == SOCKET_OPEN;
    int result = weir_local_peername(conn->handle, &name);
    SIM_CHECK(result == (is_open ? 0
                         : slot  ? -ENOTCONN
                                 : -EINVAL),
              "peername gave %s", weir_error_name(result));
    if (result == 0)
        check_name(conn, &name, true);
    result = weir_local_sockname(conn->handle, &name);
    SIM_CHECK(result == (is_open ? 0
                         : slot  ? -EBADF
                                 : -EINVAL),
              "sockname gave %s", weir_error_name(result));
    if (result == 0)
        check_name(conn, &name, false);
    check_credentials(conn, is_open ? 0 : slot ? -ENOTCONN : -EINVAL);
}

void act_local(struct conn *conn)
{
    switch (dice_below(4)) {
    case 0:
        ask(conn);
        break;
    case 1:
        act_send_rights(conn);
        break;
    default:
        rights_take(conn);
        break;
    }
}
