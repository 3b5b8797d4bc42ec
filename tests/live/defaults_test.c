/* SPDX-License-Identifier: MIT */
/* Default options of a runtime: by its configuration, else by the environment. */
#include "live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST "[active,header,nodelay,delay_send]"

static void expect_defaults(const weir_config *config, const char *listening, const char *connected)
{
    struct loopback loopback = loopback_start(config);
    struct trio trio = trio_open(&loopback, "127.0.0.1", "[]", "[]");
    expect_reading(trio.listener, REQUEST, listening);
    expect_reading(trio.accepted, REQUEST, listening);
    expect_reading(trio.connected, REQUEST, connected);
    trio_close(&trio);
    loopback_close(&loopback);
}

#define PLAIN "[{active,true},{header,0},{nodelay,false},{delay_send,false}]"

/* {active,_} among them is dropped. */
Test(defaults, of_the_configuration)
{
    weir_config config = {
        .schedulers = 1,
        .default_connect_options = "[{active,false},{delay_send,true},{nodelay,true}]",
        .default_listen_options = "[{header,3},{active,once},{nodelay,true}]",
    };
    expect_defaults(&config, "[{active,true},{header,3},{nodelay,true},{delay_send,false}]",
                    "[{active,true},{header,0},{nodelay,true},{delay_send,true}]");
}

Test(defaults, of_the_environment)
{
    weir_config config = {.schedulers = 1};
    setenv("WEIR_DEFAULT_CONNECT_OPTIONS", "{delay_send,true}", 1); /* one needs no list */
    setenv("WEIR_DEFAULT_LISTEN_OPTIONS", "[{header,4},{active,false}]", 1);
    expect_defaults(&config, "[{active,true},{header,4},{nodelay,false},{delay_send,false}]",
                    "[{active,true},{header,0},{nodelay,false},{delay_send,true}]");
    config.default_connect_options = "[{header,9}]"; /* before the environment's */
    config.default_listen_options = "[]";
    expect_defaults(&config, PLAIN,
                    "[{active,true},{header,9},{nodelay,false},{delay_send,false}]");
    setenv("WEIR_DEFAULT_CONNECT_OPTIONS", "", 1);
    setenv("WEIR_DEFAULT_LISTEN_OPTIONS", "", 1);
    config = (weir_config){.schedulers = 1};
    expect_defaults(&config, PLAIN, PLAIN);
}

/* The caller's own count for more, also where the kernel keeps them. */
Test(defaults, are_overridden)
{
    weir_config config = {
        .schedulers = 1,
        .default_connect_options = "[{nodelay,true},{header,1}]",
        .default_listen_options = "[{nodelay,true},{header,1}]",
    };
    struct loopback loopback = loopback_start(&config);
    struct trio trio = trio_open(&loopback, "127.0.0.1", "[{nodelay,false},{active,once}]",
                                 "[{header,2},{active,false}]");
    expect_reading(trio.listener, REQUEST,
                   "[{active,once},{header,1},{nodelay,false},{delay_send,false}]");
    expect_reading(trio.connected, REQUEST,
                   "[{active,false},{header,2},{nodelay,true},{delay_send,false}]");
    trio_close(&trio);
    loopback_close(&loopback);
}

static const struct {
    weir_config config;
    const char *said[2];
} broken[] = {
    {{.default_connect_options = "[{active,"}, {"default_connect_options", "character 10"}},
    {{.default_listen_options = "[{nosuch,1}]"}, {"default_listen_options", "nosuch"}},
    {{.default_listen_options = "[{header,-1}]"}, {"default_listen_options", "option header"}},
    {{.default_connect_options = "[{backlog,5}]"}, {"default_connect_options", "option backlog"}},
    {{.default_listen_options = "[{broadcast,true}]"}, {"default_listen_options", "broadcast"}},
};

Test(defaults, that_are_broken_are_named)
{
    int descriptors = descriptor_count();
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        weir_runtime *runtime;
        GIVES(weir_start(&runtime, &broken[i].config), -EINVAL);
        expect_said(broken[i].said[0]);
        expect_said(broken[i].said[1]);
    }
    setenv("WEIR_DEFAULT_LISTEN_OPTIONS", "[{packet,17}]", 1);
    weir_runtime *runtime;
    GIVES(weir_start(&runtime, NULL), -EINVAL);
    expect_said("WEIR_DEFAULT_LISTEN_OPTIONS");
    expect_said("character 10: 17 is none of");
    cr_expect(descriptor_count() == descriptors);
}
