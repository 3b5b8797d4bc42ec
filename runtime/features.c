/* SPDX-License-Identifier: MIT */
#include "runtime/features.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

const struct feature_row feature_rows[FEATURE_COUNT] = {
#define X(name, text, kernel, without) [FEATURE_##name] = {text, kernel, without},
    FEATURES(X)
#undef X
};

static bool newer_than(const char *kernel, unsigned major, unsigned minor)
{
    unsigned its_major = 0;
    unsigned its_minor = 0;
    sscanf(kernel, "%u.%u", &its_major, &its_minor);
    return its_major > major || (its_major == major && its_minor > minor);
}

static int preset(const char *word, uint32_t *off)
{
    unsigned major;
    unsigned minor;
    if (sscanf(word, "kernel=%u.%u", &major, &minor) != 2)
        return -EINVAL;
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        if (newer_than(feature_rows[i].kernel, major, minor))
            *off |= 1u << i;
    return 0;
}

static int feature_named(const char *word, uint32_t *off)
{
    for (unsigned i = 0; i < FEATURE_COUNT; i++) {
        if (strcmp(word, feature_rows[i].name) == 0) {
            *off |= 1u << i;
            return 0;
        }
    }
    return preset(word, off);
}

int features_parse(const char *text, uint32_t *off)
{
    *off = 0;
    while (text && *text) {
        char word[32];
        size_t size = strcspn(text, ", ");
        if (size >= sizeof(word))
            return error_say(-EINVAL, "no feature is named \"%s\"", text);
        memcpy(word, text, size);
        word[size] = '\0';
        if (size > 0 && feature_named(word, off) < 0)
            return error_say(-EINVAL, "no feature is named \"%s\"", word);
        text += size;
        text += strspn(text, ", ");
    }
    return 0;
}
