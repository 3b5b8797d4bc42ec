/* SPDX-License-Identifier: MIT */
#include "base/suggest.h"

#include <stdio.h>
#include <string.h>

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* How many letters must be put in, taken out or changed to make one of the other. One row of the
 * table at a time: row[j] is the distance of a's first i letters and b's first j. */
static size_t distance_of(const char *a, const char *b)
{
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);
    size_t row[SUGGEST_LENGTH_MAX + 1];
    if (b_length > SUGGEST_LENGTH_MAX)
        return b_length;
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_length];
}

/* Of a short name less may be wrong than of a long one. */
void suggest_begin(struct suggestion *suggestion, const char *typed, size_t length)
{
    size_t most = 1 + length / 4;
    *suggestion = (struct suggestion){.distance = (most < 3 ? most : 3) + 1};
    if (length > SUGGEST_LENGTH_MAX || length == 0)
        suggestion->distance = 0;
    else
        memcpy(suggestion->typed, typed, length);
}

void suggest_look(struct suggestion *suggestion, const char *name)
{
    size_t distance = suggestion->distance ? distance_of(suggestion->typed, name) : 0;
    if (distance >= suggestion->distance)
        return;
    suggestion->nearest = name;
    suggestion->distance = distance;
}

const char *suggest_text(const struct suggestion *suggestion, char text[SUGGEST_TEXT_SIZE])
{
    text[0] = '\0';
    if (suggestion->nearest)
        snprintf(text, SUGGEST_TEXT_SIZE, "; did you mean '%s'?", suggestion->nearest);
    return text;
}
