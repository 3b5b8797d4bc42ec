/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <weir/weir.h>

static const weir_handler handler = {NULL};

/* Links and starts the whole library. Where io_uring is not to be had, starting says so. */
static int start_and_serve(void)
{
    weir_runtime *runtime;
    int result = weir_start(&runtime, NULL);
    if (result < 0)
        return weir_last_error_text()[0] ? 0 : result;
    result = weir_tcp_serve(runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_PACKET(4)),
                            weir_handled_by(&handler, NULL), NULL);
    int stopped = weir_stop(runtime);
    return result < 0 ? result : stopped;
}

int main(void)
{
    char version[32];
    char text[WEIR_ADDRESS_TEXT_SIZE];
    weir_address address;
    snprintf(version, sizeof(version), "%d.%d.%d", WEIR_VERSION_MAJOR, WEIR_VERSION_MINOR,
             WEIR_VERSION_PATCH);
    if (strcmp(version, weir_version()) != 0)
        return 1;
    if (weir_address_parse("127.1", &address) < 0)
        return 2;
    if (strcmp(weir_address_format(&address, text), "127.0.0.1") != 0)
        return 3;
    if (start_and_serve() < 0)
        return 4;
    printf("weir %s\n", weir_version());
    return 0;
}
