/* SPDX-License-Identifier: MIT */
#include "address/words.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

/* The next line, without its end; NULL when there is none. */
static char *take_line(struct words *words)
{
    char *line = words->text;
    if (!*line)
        return NULL;
    size_t length = strcspn(line, "\n");
    words->text += length + (line[length] != '\0');
    line[length] = '\0';
    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = '\0';
    line[strcspn(line, "#")] = '\0';
    words->line++;
    return line;
}

static int append(struct words *words, char *word)
{
    if (words->count == words->room) {
        size_t room = words->room ? 2 * words->room : 16;
        char **larger = memory_resize(words->words, room * sizeof(*larger));
        if (!larger)
            return -ENOMEM;
        words->words = larger;
        words->room = room;
    }
    words->words[words->count++] = word;
    return 0;
}

int words_next(struct words *words)
{
    char *line;
    words->count = 0;
    while (words->count == 0 && (line = take_line(words)))
        for (char *word = strsep(&line, " \t"); word; word = strsep(&line, " \t"))
            if (*word && append(words, word) < 0)
                return -ENOMEM;
    return words->count > 0;
}

void words_free(struct words *words)
{
    memory_free(words->words);
}

static int read_bytes(int fd, const char *path, char *text, size_t size)
{
    size_t done = 0;
    ssize_t count = 1;
    while (done < size && count != 0) {
        count = read(fd, text + done, size - done);
        if (count < 0 && errno != EINTR)
            return error_say(-errno, "file %s: %s", path, strerror(errno));
        done += count > 0 ? (size_t)count : 0;
    }
    text[done] = '\0';
    return 0;
}

/* Files of /proc and pipes say no size; nobody keeps hosts there. */
static int read_open_file(int fd, const char *path, char **text)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_say(-errno, "file %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_say(-EINVAL, "file %s: not a regular file", path);
    if (status.st_size > FILE_BYTES_MAX)
        return error_say(-EFBIG, "file %s: larger than %d MiB", path, FILE_BYTES_MAX >> 20);
    *text = memory_allocate((size_t)status.st_size + 1);
    if (!*text)
        return -ENOMEM;
    int result = read_bytes(fd, path, *text, (size_t)status.st_size);
    if (result < 0) {
        memory_free(*text);
        *text = NULL;
    }
    return result;
}

int read_whole_file(const char *path, char **text)
{
    *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_say(-errno, "file %s: %s", path,
                         errno == ENOENT ? "not found" : strerror(errno));
    int result = read_open_file(fd, path, text);
    close(fd);
    return result;
}
