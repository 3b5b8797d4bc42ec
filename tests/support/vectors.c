/* SPDX-License-Identifier: MIT */
#include "support/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 16384 };

static void split(char *line, struct vector *vector)
{
    line[strcspn(line, "\n")] = '\0';
    for (size_t i = 0; i < VECTOR_COLUMNS_MAX; i++) {
        char *column = strsep(&line, "\t");
        vector->columns[i] = column ? column : "";
    }
}

static FILE *open_vectors(const char *file)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", WEIR_VECTORS, file);
    FILE *stream = fopen(path, "r");
    if (!stream) {
        perror(path);
        abort();
    }
    return stream;
}

size_t vectors_each(const char *file, void (*check)(const struct vector *vector))
{
    FILE *stream = open_vectors(file);
    char line[LINE_SIZE];
    size_t line_number = 0;
    while (fgets(line, sizeof(line), stream)) {
        if (++line_number == 1)
            continue;
        struct vector vector = {.line = line_number};
        split(line, &vector);
        check(&vector);
    }
    fclose(stream);
    return line_number ? line_number - 1 : 0;
}
