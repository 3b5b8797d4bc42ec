/* SPDX-License-Identifier: MIT */
/*
 * Everything of weir. Each header is the manual of what it declares.
 *
 * What is called "the document" in these headers, in the help and in docs/ are the manual pages of
 * Erlang/OTP's modules inet, gen_tcp and gen_udp (https://www.erlang.org/doc/man/inet.html and its
 * neighbours): weir's functions do what the functions of these names do there.
 *
 * The binary interface is that of the minor version: a program that was linked with 0.1.0 runs with
 * every 0.1.x. Structures that may grow (weir_config, weir_totals, weir_handler, weir_message) have
 * room for it: their size stays, what is new takes the place of `reserved`, and 0 there is what it
 * was before. So set what you set by name, {.schedulers = 2}, and leave the rest 0.
 */
#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

#include <weir/address.h>
#include <weir/broadcast.h>
#include <weir/error.h>
#include <weir/inherit.h>
#include <weir/local.h>
#include <weir/mailbox.h>
#include <weir/metrics.h>
#include <weir/names.h>
#include <weir/options.h>
#include <weir/packet.h>
#include <weir/process.h>
#include <weir/reach.h>
#include <weir/runtime.h>
#include <weir/socket.h>
#include <weir/timer.h>
#include <weir/udp.h>
#include <weir/version.h>

#endif
