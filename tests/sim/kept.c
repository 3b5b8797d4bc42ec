/* SPDX-License-Identifier: MIT */
#include "sim/kept.h"

#include <stdint.h>

#include "sim/dice.h"
#include "sim/model.h"
#include "sim/trace.h"

enum { KEPT_MOST = 8 };

static weir_packet all[KEPT_MOST];

void kept_reset(void)
{
    for (uint32_t i = 0; i < KEPT_MOST; i++)
        all[i] = (weir_packet){0};
}

void kept_add(const weir_packet *packet)
{
    weir_packet *place = &all[dice_below(KEPT_MOST)];
    weir_packet_release(place);
    if (weir_packet_keep(packet, place) < 0) {
        SIM_CHECK(model_lenient, "keeping a packet failed");
        *place = (weir_packet){0};
    }
}

void kept_take(weir_packet *packet)
{
    weir_packet *place = &all[dice_below(KEPT_MOST)];
    if (dice_chance(500)) {
        weir_packet_release(packet);
        return;
    }
    weir_packet_release(place);
    *place = *packet;
}

bool kept_any(void)
{
    for (uint32_t i = 0; i < KEPT_MOST; i++)
        if (all[i].buffer)
            return true;
    return false;
}

void kept_release_all(void)
{
    for (uint32_t i = 0; i < KEPT_MOST; i++)
        weir_packet_release(&all[i]);
}
