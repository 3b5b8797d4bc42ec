/* SPDX-License-Identifier: MIT */
#include "options/word.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 4 };

/* The words of a type stand for consecutive numbers, so that looking one up is an index. */
struct words {
    int64_t first;
    uint64_t count;
    const char *names[NAMES_MAX];
};

static const struct words words_by_type[OPTION_TYPE_COUNT] = {
    [OPTION_BOOLEAN] = {0, 2, {"false", "true"}},
    [OPTION_TIMEOUT] = {-1, 1, {"infinity"}},
    [OPTION_ACTIVE] = {WEIR_ACTIVE_FALSE, 3, {"false", "true", "once"}},
    [OPTION_BIT8] = {WEIR_BIT8_OFF, 4, {"off", "on", "clear", "set"}},
    [OPTION_DELIVER] = {WEIR_TERM, 2, {"term", "port"}},
    [OPTION_MODE] = {WEIR_LIST, 2, {"list", "binary"}},
    [OPTION_PACKET] = {WEIR_RAW, WEIR_PACKET_TYPE_COUNT, {"0"}}, /* others: framing names them */
};

bool word_exists(enum option_type type, int64_t number)
{
    const struct words *words = &words_by_type[type];
    return (uint64_t)number - (uint64_t)words->first < words->count;
}

const char *word_of(enum option_type type, int64_t number)
{
    const struct words *words = &words_by_type[type];
    if (!word_exists(type, number))
        return NULL;
    if (type == OPTION_PACKET && number != WEIR_RAW)
        return weir_packet_type_name((enum weir_packet_type)number);
    return words->names[number - words->first];
}

/* The document: raw is another name of 0, and 0 is what reading gives. */
static const char *alias_of(enum option_type type, int64_t number)
{
    return type == OPTION_PACKET && number == WEIR_RAW ? "raw" : NULL;
}

static bool is(const char *word, const char *name, size_t length)
{
    return word && strlen(word) == length && memcmp(word, name, length) == 0;
}

bool word_number(enum option_type type, const char *name, size_t length, int64_t *number)
{
    *number = words_by_type[type].first;
    for (; word_exists(type, *number); (*number)++)
        if (is(word_of(type, *number), name, length) || is(alias_of(type, *number), name, length))
            return true;
    return false;
}

const char *word_list(enum option_type type, char text[WORD_LIST_SIZE])
{
    int used = 0;
    text[0] = '\0';
    for (int64_t number = words_by_type[type].first; word_exists(type, number); number++) {
        const char *alias = alias_of(type, number);
        used += snprintf(text + used, WORD_LIST_SIZE - (size_t)used, "%s%s%s%s", used ? ", " : "",
                         word_of(type, number), alias ? ", " : "", alias ? alias : "");
        CHECK_LT(used, WORD_LIST_SIZE);
    }
    return text;
}
