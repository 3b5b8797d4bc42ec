/* SPDX-License-Identifier: MIT */
/* Files of lines of words, with blanks between and comments behind #: hosts, resolv.conf, ... */
#ifndef ADDRESS_WORDS_H
#define ADDRESS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* A line may have any number of words. */
struct words {
    char *text; /* of the file, which is cut into words in place */
    size_t line;
    char **words;
    size_t count;
    size_t room;
};

/* Takes the next line that has a word. 1; 0 at the end; -ENOMEM. */
int words_next(struct words *words);
void words_free(struct words *words); /* not the text */

/* The whole of a file with a NUL behind it, to be freed: 0; -errno with the path in the text. A
 * file larger than FILE_BYTES_MAX is -EFBIG. */
enum { FILE_BYTES_MAX = 64 << 20 };
int read_whole_file(const char *path, char **text);

#endif
