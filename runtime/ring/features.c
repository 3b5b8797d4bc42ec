/* SPDX-License-Identifier: MIT */
#include "runtime/ring/features.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "address/number.h"
#include "base/check.h"
#include "base/error.h"

const struct feature_row feature_rows[FEATURE_COUNT] = {
#define X(name, text, kernel, without) [FEATURE_##name] = {text, kernel, without},
    FEATURES(X)
#undef X
};

struct version {
    uint32_t major;
    uint32_t minor;
};

/* "6.1", and nothing behind it. */
static bool read_version(const char *text, struct version *version)
{
    struct span span = span_of(text);
    return number_take(&span, 10, UINT32_MAX, &version->major) && span_skip(&span, '.') &&
           number_take(&span, 10, UINT32_MAX, &version->minor) && span_is_empty(&span);
}

static bool is_newer(const char *kernel, struct version than)
{
    struct version version;
    CHECK(read_version(kernel, &version));
    return version.major != than.major ? version.major > than.major : version.minor > than.minor;
}

static int preset(const char *word, uint32_t *off)
{
    static const char prefix[] = "kernel=";
    struct version kernel;
    if (strncmp(word, prefix, sizeof(prefix) - 1) != 0 ||
        !read_version(word + sizeof(prefix) - 1, &kernel))
        return -EINVAL;
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        if (is_newer(feature_rows[i].kernel, kernel))
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
