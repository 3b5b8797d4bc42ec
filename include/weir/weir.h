/* SPDX-License-Identifier: MIT */
/* Everything of weir. Each header is the manual of what it declares. */
#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

#include <weir/address.h>
#include <weir/error.h>
#include <weir/mailbox.h>
#include <weir/names.h>
#include <weir/options.h>
#include <weir/packet.h>
#include <weir/runtime.h>
#include <weir/socket.h>
#include <weir/version.h>

#endif
