/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <weir/weir.h>

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
    printf("weir %s\n", weir_version());
    return 0;
}
