/* SPDX-License-Identifier: MIT */
/* The system's files: which folders are watched, of what the kernel tells, and that the clock is
 * looked at where it does not. */
#include "runtime/resolver/files.h"

#include "own_turns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address/inet_config.h"
#include "runtime/scheduler/scheduler.h"

static const uint64_t second_ns = 1000000000u;

static struct scheduler *scheduler;
static struct inet_config *config;
static struct files files;

static char folder[PATH_MAX]; /* that was watched last */
static bool is_told = true;

int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);

int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    if (mask & IN_ONLYDIR)
        snprintf(folder, sizeof(folder), "%s", path);
    errno = ENOSPC;
    return is_told ? __real_inotify_add_watch(fd, path, mask) : -1;
}

static void begin(const char *hosts, const char *resolv_conf)
{
    scheduler = own_turns_begin();
    cr_assert_eq(inet_config_create(&config), 0);
    cr_assert_eq(inet_config_set_text(config, INET_HOSTS_FILE, hosts), 0);
    cr_assert_eq(inet_config_set_text(config, INET_RESOLV_CONF, resolv_conf), 0);
    config->resolv_conf_given = true;
    cr_assert_eq(files_open(&files, scheduler, config), 0);
}

static void end(void)
{
    files_close(&files);
    inet_config_free(config);
    own_turns_end(scheduler);
}

/* Whether resolv.conf was read again. */
static bool update(void)
{
    bool is_new;
    cr_assert_eq(files_update(&files, &is_new), 0);
    return is_new;
}

static const struct {
    const char *path;
    const char *folder;
} paths[] = {
    {"/no-such-file", "/"}, {"/etc/no-such-file", "/etc"}, {"/no/such/file", "/no/such"},
    {"no-such-file", "."},  {"no/such-file", "no"},
};

Test(files, the_folder_is_watched)
{
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        folder[0] = '\0';
        begin("", paths[i].path);
        cr_expect(!update());
        cr_expect_str_eq(folder, paths[i].folder, "%s: %s", paths[i].path, folder);
        end();
    }
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

/* Of nothing at all, of none of two files, and not of one that is told of. */
Test(files, are_looked_at_by_the_clock_where_nobody_tells)
{
    char path[] = "/tmp/weir_files_XXXXXX";
    close(mkstemp(path));
    write_text(path, "nameserver 192.0.2.1\n");
    is_told = false;
    begin("", path);
    cr_expect(update() && files.nameservers.count == 1);
    write_text(path, "nameserver 192.0.2.1\nnameserver 192.0.2.2\n");
    scheduler->now_ns = files.resolv_conf.looked_ns + 5 * second_ns - 1;
    cr_expect(!update(), "too soon");
    scheduler->now_ns++;
    cr_expect(update() && files.nameservers.count == 2, "%zu", files.nameservers.count);
    scheduler->now_ns += 5 * second_ns;
    cr_expect(!update(), "it is the same");
    write_text(path, "nameserver 192.0.2.3\n");
    scheduler->now_ns += 5 * second_ns - 1;
    cr_expect(!update(), "too soon since it was last looked at");
    unlink(path);
    scheduler->now_ns++;
    cr_expect(!update() && files.nameservers.count == 2, "what is gone changes nothing");
    end();
}

Test(files, that_are_told_of_are_not_looked_at)
{
    char path[] = "/tmp/weir_files_XXXXXX";
    close(mkstemp(path));
    write_text(path, "nameserver 192.0.2.1\n");
    begin("", path);
    cr_expect(update());
    write_text(path, "nameserver 192.0.2.2\n");
    scheduler->now_ns += 10 * second_ns;
    cr_expect(!update(), "before the kernel has been listened to");
    unlink(path);
    end();
}

Test(files, none_at_all)
{
    begin("", "");
    cr_expect(files.inotify < 0 && !files.watch && !update());
    scheduler->now_ns += 10 * second_ns;
    cr_expect(!update());
    end();
}

/* A file in a folder, or a link there to one that is elsewhere. */
static char place[32];
static char folder_[64];
static char target[64];
static char other[64];
static char path_[128];

static void make_file(bool linked)
{
    cr_assert_eq(mkdir(folder_, 0700), 0);
    write_text(linked ? target : path_, "nameserver 192.0.2.1\n");
    cr_assert(!linked || symlink(target, path_) == 0);
}

static void make_place(bool linked)
{
    (void)snprintf(place, sizeof(place), "/tmp/weir_files_XXXXXX");
    cr_assert_not_null(mkdtemp(place));
    (void)snprintf(folder_, sizeof(folder_), "%s/folder", place);
    (void)snprintf(target, sizeof(target), "%s/target", place);
    (void)snprintf(other, sizeof(other), "%s/other", place);
    (void)snprintf(path_, sizeof(path_), "%s/file", folder_);
    make_file(linked);
    begin("", path_);
    cr_assert(update());
}

static void leave_place(void)
{
    end();
    unlink(path_);
    unlink(target);
    unlink(other);
    rmdir(folder_);
    rmdir(place);
}

static bool is_told_of(void)
{
    enum { TURNS_MOST = 1000 };
    for (int i = 0; i < TURNS_MOST; i++) {
        scheduler_turn(scheduler);
        if (update())
            return true;
    }
    return false;
}

static void write_it(void)
{
    write_text(path_, "nameserver 192.0.2.2\n");
}

static void write_to_it(void)
{
    FILE *file = fopen(path_, "a"); /* and it stays open */
    cr_assert_not_null(file);
    fputs("nameserver 192.0.2.2\n", file);
    fflush(file);
}

static void permit(void)
{
    cr_assert_eq(chmod(path_, 0640), 0);
}

static void replace(void)
{
    write_text(other, "nameserver 192.0.2.2\n");
    cr_assert_eq(rename(other, path_), 0);
}

static const struct {
    void (*change)(void);
    bool linked;
} changes[] = {
    {write_it, false}, {write_it, true}, {write_to_it, false}, {write_to_it, true},
    {permit, false},   {permit, true},   {replace, false},     {replace, true},
};

Test(files, that_change_are_told_of)
{
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        make_place(changes[i].linked);
        changes[i].change();
        cr_expect(is_told_of(), "row %zu", i);
        leave_place();
    }
}

static void remove_it(void)
{
    cr_assert_eq(unlink(path_), 0);
}

static void remove_folder(void)
{
    remove_it();
    unlink(target);
    cr_assert_eq(rmdir(folder_), 0);
}

static void make_folder(void)
{
    make_file(true);
}

static void move_target(void)
{
    cr_assert_eq(rename(target, other), 0);
}

static void write_target(void)
{
    write_text(target, "nameserver 192.0.2.3\n");
}

static const struct {
    void (*go)(void);
    void (*come)(void);
    bool linked;
    bool is_told; /* of the coming; else the clock says when to look */
} gone[] = {
    {remove_it, write_it, false, true},        {remove_it, replace, false, true},
    {remove_it, write_it, true, true},         {remove_it, replace, true, true},
    {remove_folder, make_folder, true, false}, {move_target, write_target, true, false},
};

/* What is gone counts as it was, until it is there again. */
Test(files, that_come_back_are_read_again)
{
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        make_place(gone[i].linked);
        gone[i].go();
        for (int turn = 0; turn < 10; turn++) {
            scheduler_turn(scheduler);
            cr_expect(!update() && files.nameservers.count == 1, "row %zu", i);
        }
        gone[i].come();
        if (!gone[i].is_told)
            scheduler->now_ns += 5 * second_ns;
        cr_expect(gone[i].is_told ? is_told_of() : update(), "row %zu", i);
        leave_place();
    }
}
