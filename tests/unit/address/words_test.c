/* SPDX-License-Identifier: MIT */
/* Files of words, on a system that reads little at a time or not at all, and without memory. */
#include "address/inet_config.h"
#include "address/words.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <weir/error.h>

/* In the place of the C library's. */
static enum { READS, READS_LITTLE, ENDS_EARLY, FAILS_TO_READ, FAILS_TO_LOOK } manner;
static int read_count;
static bool kept_from_children;

ssize_t read(int fd, void *bytes, size_t size)
{
    if (manner == FAILS_TO_READ || manner == ENDS_EARLY) {
        errno = EIO;
        return manner == ENDS_EARLY ? 0 : -1;
    }
    if (manner == READS_LITTLE && read_count++ % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    if (manner == READS_LITTLE)
        kept_from_children = fcntl(fd, F_GETFD) == FD_CLOEXEC;
    return syscall(SYS_read, fd, bytes, manner == READS_LITTLE && size > 2 ? 2 : size);
}

int fstat(int fd, struct stat *status)
{
    if (manner == FAILS_TO_LOOK) {
        errno = EIO;
        return -1;
    }
    return fstatat(fd, "", status, AT_EMPTY_PATH);
}

/* What reading a file of this content comes to. */
static int read_file(const char *content, char **text)
{
    char path[] = "/tmp/weir_words_XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
    int result = read_whole_file(path, text);
    manner = READS;
    cr_expect(result == 0 || strstr(weir_last_error_text(), path) || result == -ENOMEM, "%s",
              weir_last_error_text());
    unlink(path);
    return result;
}

Test(words, a_file_that_comes_in_pieces_is_whole)
{
    char *text;
    manner = READS_LITTLE;
    cr_assert_eq(read_file("a b c\nd", &text), 0);
    cr_expect_str_eq(text, "a b c\nd");
    cr_expect(kept_from_children);
    memory_free(text);
    cr_assert_eq(read_file("", &text), 0);
    cr_expect_str_eq(text, "");
    memory_free(text);
    cr_expect_eq(memory_live_count(), 0);
}

static int next_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(fd);
    return fd;
}

/* Somebody cuts it while it is read. */
Test(words, a_file_that_ends_early)
{
    char *text;
    int next = next_descriptor();
    manner = ENDS_EARLY;
    cr_assert_eq(read_file("a b c\n", &text), 0);
    cr_expect_str_eq(text, "");
    memory_free(text);
    cr_expect_eq(next_descriptor(), next, "it is not closed");
}

Test(words, a_file_that_cannot_be_read_leaves_nothing)
{
    char *text = (char *)"x";
    manner = FAILS_TO_READ;
    cr_expect_eq(read_file("a b c\n", &text), -EIO);
    cr_expect_null(text);
    manner = FAILS_TO_LOOK;
    cr_expect_eq(read_file("a b c\n", &text), -EIO);
    cr_expect_null(text);
    memory_fail_nth(1);
    cr_expect_eq(read_file("a b c\n", &text), -ENOMEM);
    cr_expect_null(text);
    cr_expect_eq(memory_live_count(), 0);
    cr_expect_eq(read_whole_file("/nosuch", &text), -ENOENT);
    cr_expect_str_eq(weir_last_error_text(), "file /nosuch: not found");
    cr_expect_null(text);
}

/* Each line as "number:word|word|". */
static const char *lines_of(const char *content)
{
    static char answer[256];
    char text[128];
    struct words words = {.text = text};
    size_t length = 0;
    int result;
    snprintf(text, sizeof(text), "%s", content);
    while ((result = words_next(&words)) > 0) {
        length += (size_t)snprintf(answer + length, sizeof(answer) - length, "%zu:", words.line);
        for (size_t i = 0; i < words.count; i++)
            length +=
                (size_t)snprintf(answer + length, sizeof(answer) - length, "%s|", words.words[i]);
    }
    cr_expect_eq(result, 0);
    cr_expect_eq(words_next(&words), 0);
    words_free(&words);
    answer[length] = '\0';
    return answer;
}

Test(words, of_lines)
{
    cr_expect_str_eq(lines_of(""), "");
    cr_expect_str_eq(lines_of("\n \t\n# a\n"), "");
    cr_expect_str_eq(lines_of("a b\nc"), "1:a|b|2:c|");
    cr_expect_str_eq(lines_of("\r\na\r\n\r\n\t b \t c\r\n"), "2:a|4:b|c|");
    cr_expect_str_eq(lines_of("a#b c\n#\nd # e\n f"), "1:a|3:d|4:f|");
    cr_expect_str_eq(lines_of("a\rb\n"), "1:a\rb|");
    cr_expect_str_eq(lines_of("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\nx"),
                     "1:1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|2:x|");
}

Test(words, of_a_hosts_file_without_memory)
{
    int result = -ENOMEM;
    for (uint64_t nth = 1; result == -ENOMEM; nth++) {
        char text[] = "10.0.0.1 a b\n10.0.0.x c\n10.0.0.2 d\n";
        struct host_table hosts = {0};
        memory_fail_nth(nth);
        result = hosts_file_read(text, &hosts);
        memory_fail_nth(0);
        cr_expect(result == -ENOMEM || (result == 0 && hosts.name_count == 3), "allocation %ju: %d",
                  (uintmax_t)nth, result);
        host_table_clear(&hosts);
        cr_expect_eq(memory_live_count(), 0);
        cr_assert_lt(nth, 50u);
    }
}

Test(words, of_a_resolv_conf_without_memory)
{
    int result = -ENOMEM;
    for (uint64_t nth = 1; result == -ENOMEM; nth++) {
        char text[] = "search a b\nnameserver 10.0.0.1\n";
        struct text_list search = {0};
        struct server_list servers = {.count = 1};
        memory_fail_nth(nth);
        result = resolv_conf_apply(text, &search, &servers);
        memory_fail_nth(0);
        cr_expect(result == -ENOMEM || (result == 0 && search.count == 2 && servers.count == 1),
                  "allocation %ju: %d", (uintmax_t)nth, result);
        text_list_clear(&search);
        cr_expect_eq(memory_live_count(), 0);
        cr_assert_lt(nth, 50u);
    }
}

Test(words, of_a_resolv_conf_take_the_place_of_others)
{
    char text[] = "# nothing\n";
    struct text_list search = {0};
    struct server_list servers = {.count = 1};
    cr_assert_eq(text_list_append(&search, "a"), 0);
    cr_expect_eq(resolv_conf_apply(text, &search, &servers), 0);
    cr_expect_eq(search.count, 0);
    cr_expect_eq(servers.count, 0);
    char lines[] = "search a b c\nsearch d\n";
    cr_expect_eq(resolv_conf_apply(lines, &search, &servers), 0);
    cr_expect_eq(search.count, 1, "of the line before nothing counts");
    text_list_clear(&search);
}
