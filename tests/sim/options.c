/* SPDX-License-Identifier: MIT */
#include "sim/options.h"

#include "sim/dice.h"
#include "sim/plan.h"
#include "sim/program.h"
#include "sim/proxy.h"

static weir_option options[16];
static uint32_t option_count;

static void add(weir_option option)
{
    options[option_count++] = option;
    options[option_count] = (weir_option){.id = WEIR_OPTION_END};
}

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
    option_count = 0;
    add(WEIR_ACTIVE(options_some_active()));
    add(WEIR_PACKET(dice_chance(800) ? plan_style.packet : some_packet_type()));
    add(WEIR_MODE(program_style.shares || dice_chance(500) ? WEIR_BINARY : WEIR_LIST));
    add(WEIR_BUFFER(program_style.shares ? 16384 : some_buffer_size()));
    add(WEIR_HIGH_WATERMARK(dice_size(8000)));
    add(WEIR_EXIT_ON_CLOSE(dice_chance(800)));
    add(WEIR_DELAY_SEND(dice_chance(300)));
    if (program_style.descriptors > 0)
        add(WEIR_DESCRIPTORS(program_style.descriptors));
    return options;
}

const weir_option *options_with(weir_option option)
{
    add(option);
    return options;
}

const weir_option *options_of_listener(bool proxied)
{
    if (program_style.limit > 0)
        add(WEIR_MAX_CONNECTIONS(program_style.limit));
    if (proxied) {
        add(WEIR_PROXY_PROTOCOL(true));
        add(WEIR_PROXY_TIMEOUT(proxy_some_timeout_ms()));
    }
    return options;
}
