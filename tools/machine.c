/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

struct version version_of(const char *text)
{
    struct version version = {0, 0};
    sscanf(text, "%u.%u", &version.major, &version.minor);
    return version;
}

bool version_is_at_least(struct version version, struct version other)
{
    if (version.major != other.major)
        return version.major > other.major;
    return version.minor >= other.minor;
}

const char *machine_kernel(void)
{
    static struct utsname name;
    return uname(&name) == 0 ? name.release : "";
}

int64_t machine_setting(const char *path)
{
    int64_t value = -1;
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    if (fscanf(file, "%" SCNd64, &value) != 1)
        value = -1;
    fclose(file);
    return value;
}

/* The value of "Name:\tvalue" in /proc/self/status, read in base `base`; 0 when it is not there. */
static uint64_t status_of(const char *name, int base)
{
    char line[256];
    uint64_t value = 0;
    size_t size = strlen(name);
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, name, size) == 0 && line[size] == ':')
            value = strtoull(line + size + 1, NULL, base);
    if (file)
        fclose(file);
    return value;
}

bool machine_has_seccomp_filter(void)
{
    return status_of("Seccomp", 10) == 2;
}

bool machine_may_lock_memory(void)
{
    return status_of("CapEff", 16) >> CAP_IPC_LOCK & 1;
}
