/* SPDX-License-Identifier: MIT */
/*
 * Places that a tracer can attach to (USDT): a no-op in the code, and a note of where it is and in
 * which registers or memory its arguments are. So an argument is something that is there already;
 * what would have to be computed for it would be computed for nobody. Without <sys/sdt.h> there are
 * none.
 */
#ifndef BASE_PROBE_H
#define BASE_PROBE_H

#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define PROBE2(name, first, second)        DTRACE_PROBE2(weir, name, first, second)
#define PROBE3(name, first, second, third) DTRACE_PROBE3(weir, name, first, second, third)
#else
#define PROBE2(name, first, second)        ((void)(first), (void)(second))
#define PROBE3(name, first, second, third) ((void)(first), (void)(second), (void)(third))
#endif

#endif
