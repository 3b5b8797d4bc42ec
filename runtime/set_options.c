/* SPDX-License-Identifier: MIT */
#include "runtime/set_options.h"

#include <errno.h>

#include "runtime/owner/owner.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

/* Front to back, up to the first that fails. An owner that is told it is passive may close. */
int set_options(struct scheduler *scheduler, struct slot *slot, const weir_option *options)
{
    const struct kind *kind = scheduler->kinds[slot->kind];
    int result = 0;
    for (; options->id != WEIR_OPTION_END && result == 0; options++)
        result = slot_is_live(slot) ? kind->set_option(scheduler, slot, options) : -EINVAL;
    owner_marks_changed(slot);
    if (kind->changed)
        kind->changed(scheduler, slot);
    return result;
}
