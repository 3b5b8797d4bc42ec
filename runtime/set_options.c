/* SPDX-License-Identifier: MIT */
#include "runtime/set_options.h"

#include "runtime/owner/owner.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

/* Front to back, up to the first that fails. What an owner does that is told it is passive comes
 * behind the list; it may close. */
int set_options(struct scheduler *scheduler, struct slot *slot, const weir_option *options)
{
    const struct kind *kind = scheduler->kinds[slot->kind];
    uint32_t spent = 0;
    int result = 0;
    for (; options->id != WEIR_OPTION_END && result >= 0; options++) {
        result = kind->set_option(scheduler, slot, options);
        spent += result == OPTION_SPENT;
    }
    owner_marks_changed(slot);
    for (; spent > 0 && slot_is_live(slot); spent--)
        kind->tell_passive(scheduler, slot);
    if (kind->changed)
        kind->changed(scheduler, slot);
    return result < 0 ? result : 0;
}
