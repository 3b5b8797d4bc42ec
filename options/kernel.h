/* SPDX-License-Identifier: MIT */
/* The kernel's options: values to what setsockopt takes and getsockopt gives, and back. */
#ifndef OPTIONS_KERNEL_H
#define OPTIONS_KERNEL_H

#include "options/row.h"

/* 0, or the kernel's -errno. */
int kernel_set(const weir_option *option, int fd, int family);
int kernel_get(weir_option *option, int fd, int family);

/* kernel_set, with the failures passed over that the document passes over. Others are named in
 * the error text. */
int kernel_apply(const weir_option *option, int fd, int family);

#endif
