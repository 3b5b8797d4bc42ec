/* SPDX-License-Identifier: MIT */
#include "runtime/kinds.h"

#include "runtime/datagram/datagram.h"
#include "runtime/listener/incoming.h"
#include "runtime/listener/listener.h"
#include "runtime/process/process.h"
#include "runtime/resolver/resolver.h"
#include "runtime/stream/stream.h"
#include "runtime/watch/watch.h"

const struct kind *const runtime_kinds[KIND_COUNT] = {
    [KIND_STREAM] = &kind_stream,     [KIND_LISTENER] = &kind_listener,
    [KIND_WATCH] = &kind_watch,       [KIND_RESOLVER] = &kind_resolver,
    [KIND_DATAGRAM] = &kind_datagram, [KIND_PROCESS] = &kind_process,
    [KIND_INCOMING] = &kind_incoming,
};
