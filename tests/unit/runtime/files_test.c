/* SPDX-License-Identifier: MIT */
/* The system's files: which folders are watched, and that the clock is looked at where the kernel
 * does not tell of a file. */
#include "runtime/resolver/files.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "address/inet_config.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/scheduler.h"

static const uint64_t second_ns = 1000000000u;

static weir_runtime *runtime;
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
    const weir_config one = {.schedulers = 1};
    cr_assert_eq(runtime_create(&runtime, &one), 0);
    scheduler = runtime->schedulers[0];
    cr_assert_eq(scheduler_open(scheduler), 0);
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
    scheduler_stop(scheduler);
    while (!scheduler_is_done(scheduler))
        scheduler_turn(scheduler);
    scheduler_close(scheduler);
    runtime_free(runtime);
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
