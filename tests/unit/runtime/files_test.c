/* SPDX-License-Identifier: MIT */
/* The system's files: which folders are watched, of what the kernel tells, and that the clock is
 * looked at where it does not. */
#include "runtime/resolver/files.h"

#include "own_turns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address/inet_config.h"
#include "base/memory.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/watch/watch.h"

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

static bool has_no_watch;

struct watch *__real_watch_open(struct scheduler *there, int fd, watch_ready *ready, void *context);
struct watch *__wrap_watch_open(struct scheduler *there, int fd, watch_ready *ready, void *context);

struct watch *__wrap_watch_open(struct scheduler *there, int fd, watch_ready *ready, void *context)
{
    return has_no_watch ? NULL : __real_watch_open(there, fd, ready, context);
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
    cr_assert_eq(rmdir(folder_), 0);
}

static void make_folder(void)
{
    cr_assert_eq(mkdir(folder_, 0700), 0);
    write_text(other, "nameserver 192.0.2.2\n");
    cr_assert_eq(symlink(other, path_), 0);
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

/* Others in its folder are none of it; and where the standard input is closed, that number is free.
 */
Test(files, are_told_from_others)
{
    make_place(false);
    files_close(&files);
    close(STDIN_FILENO);
    cr_assert_eq(files_open(&files, scheduler, config), 0);
    cr_expect(files.inotify == STDIN_FILENO && update());
    cr_expect(fcntl(files.inotify, F_GETFD) & FD_CLOEXEC);
    char beside[128];
    (void)snprintf(beside, sizeof(beside), "%s/beside", folder_);
    write_text(beside, "nameserver 192.0.2.9\n");
    for (int turn = 0; turn < 10; turn++) {
        scheduler_turn(scheduler);
        cr_expect(!update());
    }
    unlink(beside);
    replace();
    scheduler->now_ns += 10 * second_ns;
    cr_expect(!update(), "before the kernel has been listened to");
    cr_expect(is_told_of(), "amid what is told of another");
    leave_place();
    cr_expect_eq(dup(STDOUT_FILENO), STDIN_FILENO, "it was closed");
}

static const struct {
    bool given;
    size_t servers;
    bool is_read;
} confs[] = {{false, 0, true}, {false, 1, false}, {true, 0, true}, {true, 1, true}};

/* The configuration's own servers are enough, unless it names the file too. */
Test(files, one_of_servers_is_read_where_it_counts)
{
    begin("", "/no/such/file");
    for (size_t i = 0; i < sizeof(confs) / sizeof(confs[0]); i++) {
        files_close(&files);
        config->resolv_conf_given = confs[i].given;
        config->nameservers.count = confs[i].servers;
        cr_assert_eq(files_open(&files, scheduler, config), 0);
        cr_expect_eq(*files.resolv_conf.path != 0, confs[i].is_read, "row %zu", i);
    }
    end();
}

Test(files, are_watched_or_not_opened)
{
    begin("", "/no/such/file");
    files_close(&files);
    int next = dup(0);
    close(next);
    has_no_watch = true;
    cr_expect_eq(files_open(&files, scheduler, config), -ENOMEM);
    has_no_watch = false;
    cr_expect_eq(dup(0), next, "nothing is left open");
    close(next);
    end();
}

Test(files, of_hosts_are_read_again)
{
    char path[] = "/tmp/weir_files_XXXXXX";
    int64_t blocks = memory_live_count();
    close(mkstemp(path));
    write_text(path, "192.0.2.1 one\n");
    begin(path, "");
    (void)update();
    cr_expect_eq(files.hosts.host_count, 1);
    write_text(path, "192.0.2.1 one\n192.0.2.2 two\n");
    for (int i = 0; files.hosts.host_count < 2; i++) {
        cr_assert_lt(i, 1000);
        scheduler_turn(scheduler);
        (void)update();
    }
    end();
    cr_expect_eq(memory_live_count(), blocks);
    unlink(path);
}

/* Servers and domains are those of the file as it is now. */
Test(files, of_servers_are_read_again)
{
    int64_t blocks = memory_live_count();
    make_place(false);
    for (int i = 0; i < 2; i++) {
        write_text(path_, i ? "search b.test\nnameserver 192.0.2.2\n"
                            : "search a.test\nnameserver 192.0.2.1\n");
        cr_expect(is_told_of());
        while (files.search.count == 0 || files.search.texts[0][0] != "ab"[i])
            cr_assert(is_told_of());
        cr_expect(files.nameservers.count == 1 && files.nameservers.servers[0].bytes[3] == i + 1);
        cr_expect_str_eq(files.search.texts[0], i ? "b.test" : "a.test");
    }
    leave_place();
    cr_expect_eq(memory_live_count(), blocks);
}

static const struct {
    const char *text; /* of another file in its place, or NULL */
    struct timespec time;
    bool is_new;
} looks[] = {
    {NULL, {1000, 500}, false},
    {NULL, {1000, 501}, true},
    {NULL, {1001, 500}, true},
    {"nameserver 192.0.2.2\n", {1000, 500}, true},
};

static void set_time(struct timespec time)
{
    const struct timespec times[2] = {time, time};
    cr_assert_eq(utimensat(AT_FDCWD, path_, times, 0), 0);
}

/* Where it is another file, or was written since; and one that has grown is another, too. */
Test(files, that_are_looked_at_are_known_again)
{
    is_told = false;
    make_place(false);
    set_time((struct timespec){1000, 500});
    scheduler->now_ns += 5 * second_ns;
    (void)update();
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        set_time((struct timespec){1000, 500});
        scheduler->now_ns += 5 * second_ns;
        (void)update();
        if (looks[i].text)
            replace();
        set_time(looks[i].time);
        scheduler->now_ns += 5 * second_ns;
        cr_expect_eq(update(), looks[i].is_new, "row %zu", i);
    }
    write_to_it();
    set_time((struct timespec){1000, 500});
    scheduler->now_ns += 5 * second_ns;
    cr_expect(update(), "it is longer");
    leave_place();
}
