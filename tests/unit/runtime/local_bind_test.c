/* SPDX-License-Identifier: MIT */
/* A local socket's file: whose place it may take, and who may use it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address/address.h"
#include "base/error.h"
#include "runtime/socket/local.h"
#include <weir/error.h>

static char folder[] = "/tmp/local_bind_XXXXXX";
static weir_local_address address;

static void begin(void)
{
    char path[64];
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "unix:%s/socket", folder);
    cr_assert_eq(weir_local_address_parse(path, &address), 0);
}

static void finish(void)
{
    (void)unlink((const char *)address.name);
    cr_expect_eq(rmdir(folder), 0);
}

static int bind_with(bool reuseaddr, int file_mode)
{
    const struct option_setup setup = {.reuseaddr = reuseaddr, .file_mode = file_mode};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int result = local_bind(&setup, fd, &address);
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

static bool says(const char *word)
{
    return strstr(weir_last_error_text(), word) != NULL;
}

Test(local_bind, takes_the_place_of_a_file_that_is_nobodys)
{
    begin();
    error_clear_text();
    int fd = bind_with(false, -1);
    cr_assert_geq(fd, 0);
    cr_expect_str_eq(weir_last_error_text(), "", "nothing has failed");
    cr_assert_eq(listen(fd, 1), 0);
    cr_expect(bind_with(true, -1) == -EADDRINUSE && says("cannot bind to"), "it is in use");
    close(fd);
    cr_expect(bind_with(false, -1) == -EADDRINUSE && says((const char *)address.name));
    fd = bind_with(true, -1);
    cr_expect_geq(fd, 0);
    close(fd);
    finish();
}

Test(local_bind, leaves_files_that_are_no_sockets)
{
    begin();
    int file = open((const char *)address.name, O_CREAT | O_WRONLY, 0600);
    cr_expect_eq(bind_with(false, -1), -EADDRINUSE);
    cr_expect(!says("no socket"));
    cr_expect_eq(bind_with(true, -1), -EADDRINUSE);
    cr_expect(says("a file is there that is no socket"));
    cr_expect_eq(access((const char *)address.name, F_OK), 0);
    close(file);
    finish();
}

/* Whatever the umask is. */
Test(local_bind, has_the_mode_that_was_asked_for)
{
    static const int modes[] = {0, 0600, 0666, 0777};
    mode_t mask = umask(077);
    begin();
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct stat status;
        int fd = bind_with(false, modes[i]);
        cr_assert_geq(fd, 0, "%s", weir_last_error_text());
        cr_assert_eq(stat((const char *)address.name, &status), 0);
        cr_expect_eq(status.st_mode & 0777, (mode_t)modes[i], "%o", status.st_mode);
        close(fd);
        cr_assert_eq(unlink((const char *)address.name), 0);
    }
    int fd = bind_with(false, -1);
    struct stat status;
    cr_assert_eq(stat((const char *)address.name, &status), 0);
    cr_expect_eq(status.st_mode & 077, 0);
    close(fd);
    umask(mask);
    finish();
}

Test(local_bind, says_what_is_wrong)
{
    const struct option_setup setup = {.reuseaddr = true, .file_mode = 0600};
    cr_assert_eq(weir_local_address_parse("unix:/no such folder/socket", &address), 0);
    cr_expect(bind_with(true, -1) == -ENOENT && says("cannot bind to"));
    cr_expect(bind_with(true, 0600) == -ENOENT && says("cannot bind to"));
    cr_expect(local_bind(&setup, 9999, &address) == -EBADF && says("cannot bind to"));
}

/* It has no file. */
Test(local_bind, an_abstract_name_is_its_own)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "unix:@local_bind_%d", (int)getpid());
    cr_assert_eq(weir_local_address_parse(name, &address), 0);
    int fd = bind_with(true, 0600);
    cr_assert_geq(fd, 0, "%s", weir_last_error_text());
    cr_expect(bind_with(true, -1) == -EADDRINUSE && !says("no socket"));
    close(fd);
}

/* The kernel gives it one. */
Test(local_bind, without_a_name_has_no_file)
{
    address = (weir_local_address){.size = 0, .name = "x"};
    int fd = bind_with(true, 0600);
    cr_expect_geq(fd, 0, "%s", weir_last_error_text());
    close(fd);
}
