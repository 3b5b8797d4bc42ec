/* SPDX-License-Identifier: MIT */
#include "sim/options.h"

#include "sim/dice.h"
#include "sim/plan.h"
#include "sim/program.h"

static weir_option options[9];

static uint32_t some_buffer_size(void)
{
    return dice_chance(300) ? dice_size(200) : dice_between(200, 4000);
}

/* That all can be sent in. */
static uint8_t some_packet_type(void)
{
    static const uint8_t types[] = {WEIR_RAW, WEIR_1, WEIR_2, WEIR_4, WEIR_LINE};
    return types[dice_below(5)];
}

int32_t options_some_active(void)
{
    static const int32_t modes[] = {WEIR_ACTIVE_TRUE, WEIR_ACTIVE_ONCE, WEIR_ACTIVE_FALSE, 3, 0};
    return modes[program_style.active ? dice_below(5) : 0];
}

const weir_option *options_some(void)
{
    options[0] = WEIR_ACTIVE(options_some_active());
    options[1] = WEIR_PACKET(dice_chance(800) ? plan_style.packet : some_packet_type());
    options[2] = WEIR_MODE(program_style.shares || dice_chance(500) ? WEIR_BINARY : WEIR_LIST);
    options[3] = WEIR_BUFFER(program_style.shares ? 16384 : some_buffer_size());
    options[4] = WEIR_HIGH_WATERMARK(dice_size(8000));
    options[5] = WEIR_EXIT_ON_CLOSE(dice_chance(800));
    options[6] = WEIR_DELAY_SEND(dice_chance(300));
    options[7] = options[8] = (weir_option){.id = WEIR_OPTION_END};
    return options;
}

const weir_option *options_of_service(void)
{
    if (program_style.limit > 0)
        options[7] = WEIR_MAX_CONNECTIONS(program_style.limit);
    return options;
}
