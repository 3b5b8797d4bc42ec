/* SPDX-License-Identifier: MIT */
/*
 * Timers. They are not in the document, whose language has its own (timer:apply_after/3,
 * erlang:start_timer/3).
 *
 * A timer belongs to a scheduler, which calls it from its turn. It never fires early. Late it is by
 * a millisecond at most, and by what the turn takes that is under way. Starting, cancelling and
 * firing one cost the same however many there are.
 */
#ifndef WEIR_TIMER_H
#define WEIR_TIMER_H

#include <stdint.h>
#include <weir/runtime.h>

WEIR_BEGIN

/* The handle of a timer. May be used for ever, like a socket's handle: no other timer ever gets it.
 */
typedef struct weir_timer {
    uint64_t id; /* 0: no timer */
} weir_timer;

/* What a timer calls, on its scheduler. It may start and cancel timers, itself too. */
typedef void weir_fired(weir_timer timer, void *data);

/* As a scheduler: the caller's, if it is one of the runtime's; else one that the runtime picks. */
enum { WEIR_ANY_SCHEDULER = -1 };

/*
 * Starts a timer: calls `fired(timer, data)` on a scheduler (0..count-1, or WEIR_ANY_SCHEDULER) in
 * `delay_ms` from now, and with a `period_ms` that is not 0 again every so many milliseconds from
 * then on. There is no drift: the n-th time is due at delay + n * period after the start, however
 * late the others were. Times that pass while the scheduler is held up are left out, not made up
 * for.
 *
 * `timer` (may be NULL) is set before it can fire. From another thread it may fire before this
 * returns. When its runtime stops a timer is over, without being called: `data` stays the caller's.
 *
 * 0, -EINVAL (no such scheduler, a time below 0, no function), WEIR_CLOSED, -ENOMEM,
 * WEIR_SYSTEM_LIMIT (over 16 million on a scheduler). Any thread, any scheduler: it waits for
 * nobody.
 */
WEIR_API int weir_timer_start(weir_runtime *runtime, int scheduler, int64_t delay_ms,
                              int64_t period_ms, weir_fired *fired, void *data,
                              weir_timer *timer) WEIR_CHECK_RESULT;

/*
 * Cancels a timer. What it returns says whether `data` is still in use:
 * 0             it is not called any more. On its own scheduler that is said of a periodic timer
 *               by its own callback too.
 * -EINPROGRESS  it is being called just now, for the last time. Never said on its own scheduler.
 * -ENOENT       there is nothing to cancel: it has fired, once and for all, or was cancelled
 *               before, or its runtime has stopped, or there never was such a timer.
 * Any thread, any scheduler: it waits for nobody.
 */
WEIR_API int weir_timer_cancel(weir_timer timer);

WEIR_END

#endif
