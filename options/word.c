/* SPDX-License-Identifier: MIT */
#include "options/word.h"

#include <stdio.h>
#include <string.h>

struct word {
    const char *name;
    int64_t number;
};

enum { WORDS_MAX = 4 };

static const struct word words[OPTION_TYPE_COUNT][WORDS_MAX] = {
    [OPTION_BOOLEAN] = {{"false", 0}, {"true", 1}},
    [OPTION_TIMEOUT] = {{"infinity", -1}},
    [OPTION_ACTIVE] = {{"false", WEIR_ACTIVE_FALSE},
                       {"true", WEIR_ACTIVE_TRUE},
                       {"once", WEIR_ACTIVE_ONCE}},
    [OPTION_BIT8] = {{"off", WEIR_BIT8_OFF},
                     {"on", WEIR_BIT8_ON},
                     {"clear", WEIR_BIT8_CLEAR},
                     {"set", WEIR_BIT8_SET}},
    [OPTION_DELIVER] = {{"term", WEIR_TERM}, {"port", WEIR_PORT}},
    [OPTION_MODE] = {{"list", WEIR_LIST}, {"binary", WEIR_BINARY}},
};

/* The document: raw is another name of 0, and 0 is what reading gives. */
static struct word packet_word(size_t index)
{
    if (index == 0)
        return (struct word){"0", WEIR_RAW};
    return (struct word){weir_packet_type_name((enum weir_packet_type)(index - 1)),
                         (int64_t)index - 1};
}

/* The words of a type in order; one without a name ends them. */
static struct word word_at(enum option_type type, size_t index)
{
    if (type == OPTION_PACKET)
        return packet_word(index);
    return index < WORDS_MAX ? words[type][index] : (struct word){NULL, 0};
}

const char *word_of(enum option_type type, int64_t number)
{
    for (size_t i = 0;; i++) {
        struct word word = word_at(type, i);
        if (!word.name || word.number == number)
            return word.name;
    }
}

bool word_number(enum option_type type, const char *name, size_t length, int64_t *number)
{
    for (size_t i = 0;; i++) {
        struct word word = word_at(type, i);
        if (!word.name)
            return false;
        if (strlen(word.name) == length && memcmp(word.name, name, length) == 0) {
            *number = word.number;
            return true;
        }
    }
}

const char *word_list(enum option_type type, char text[WORD_LIST_SIZE])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; used < WORD_LIST_SIZE; i++) {
        struct word word = word_at(type, i);
        if (!word.name)
            break;
        used +=
            (size_t)snprintf(text + used, WORD_LIST_SIZE - used, "%s%s", i ? ", " : "", word.name);
    }
    return text;
}
