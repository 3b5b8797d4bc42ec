/* SPDX-License-Identifier: MIT */
#include "runtime/resolver/files.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "address/words.h"
#include "base/memory.h"
#include "base/system.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/watch/watch.h"

static const uint64_t look_again_ns = 5000000000u;

enum {
    FILE_EVENTS = IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF,
    FOLDER_EVENTS = IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM,
};

/* The folder of a path, for a file that is replaced is another one. */
static void folder_of(const char *path, char *folder, size_t size)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash && slash > path ? (size_t)(slash - path) : 1;
    snprintf(folder, size, "%.*s", (int)length, slash ? path : ".");
}

static void want_events(const struct files *files, struct watched_file *file)
{
    char folder[4096];
    if (files->inotify < 0 || !*file->path)
        return;
    folder_of(file->path, folder, sizeof(folder));
    file->wanted = inotify_add_watch(files->inotify, file->path, FILE_EVENTS);
    file->folder = inotify_add_watch(files->inotify, folder, FOLDER_EVENTS | IN_ONLYDIR);
}

static bool is_of(const struct watched_file *file, const struct inotify_event *event)
{
    const char *slash = strrchr(file->path, '/');
    bool named = event->len > 0 && slash && strcmp(event->name, slash + 1) == 0;
    return event->wd == file->wanted || (event->wd == file->folder && named) ||
           (event->mask & IN_Q_OVERFLOW);
}

static void note(struct watched_file *file, const struct inotify_event *event)
{
    if (is_of(file, event))
        file->stale = true;
}

static void changed(struct scheduler *scheduler, void *context, unsigned events)
{
    struct files *files = context;
    char bytes[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t size = read(files->inotify, bytes, sizeof(bytes));
    (void)scheduler;
    (void)events;
    for (ssize_t at = 0; at < size;) {
        const struct inotify_event *event = (const struct inotify_event *)(bytes + at);
        note(&files->hosts_file, event);
        note(&files->resolv_conf, event);
        at += (ssize_t)(sizeof(*event) + event->len);
    }
}

/* Without inotify there is the clock. */
static int open_inotify(struct files *files)
{
    files->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (files->inotify < 0)
        return 0;
    files->watch = watch_open(files->scheduler, files->inotify, changed, files);
    if (!files->watch)
        return -ENOMEM;
    watch_want(files->scheduler, files->watch, POLLIN);
    return 0;
}

/* resolv.conf counts when the configuration names it, or no name server at all. */
static bool has_resolv_conf(const struct inet_config *config)
{
    return config->resolv_conf_given || config->nameservers.count == 0;
}

static void name_file(struct watched_file *file, const char *path)
{
    *file = (struct watched_file){.path = path, .wanted = -1, .folder = -1, .stale = true};
}

int files_open(struct files *files, struct scheduler *scheduler, const struct inet_config *config)
{
    *files = (struct files){.scheduler = scheduler, .config = config, .inotify = -1};
    name_file(&files->hosts_file, config->texts[INET_HOSTS_FILE]);
    name_file(&files->resolv_conf, has_resolv_conf(config) ? config->texts[INET_RESOLV_CONF] : "");
    files->nameservers = config->nameservers;
    bool watches = *files->hosts_file.path || *files->resolv_conf.path;
    int result = text_list_copy(&files->search, &config->search);
    if (result == 0 && watches)
        result = open_inotify(files);
    if (result < 0)
        files_close(files);
    return result;
}

void files_close(struct files *files)
{
    if (files->watch)
        watch_close(files->scheduler, files->watch);
    if (files->inotify >= 0)
        close(files->inotify);
    files->watch = NULL;
    files->inotify = -1;
    host_table_clear(&files->hosts);
    text_list_clear(&files->search);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* What is not there is told of by its folder, and where its path is a link, perhaps by none. */
static bool is_told(const struct files *files, const struct watched_file *file)
{
    return files->inotify >= 0 && file->wanted >= 0 && file->folder >= 0;
}

/* By the clock, where the kernel does not tell of the file. */
static bool may_have_changed(const struct files *files, struct watched_file *file)
{
    struct stat status;
    uint64_t now_ns = files->scheduler->now_ns;
    if (!*file->path)
        return false;
    if (file->stale || is_told(files, file) || now_ns < file->looked_ns + look_again_ns)
        return file->stale;
    file->looked_ns = now_ns;
    return stat(file->path, &status) == 0 && !is_same(&status, &file->status);
}

/* What there is to read: 1; 0: nothing new, or nothing that can be read; -ENOMEM. It is watched
 * before it is read, so that no change falls between. */
static int read_changed(const struct files *files, struct watched_file *file, char **text)
{
    *text = NULL;
    if (!may_have_changed(files, file))
        return 0;
    file->stale = false;
    want_events(files, file);
    if (stat(file->path, &file->status) < 0)
        return 0;
    int result = read_whole_file(file->path, text);
    if (result == -ENOMEM)
        file->stale = true;
    return result == -ENOMEM ? result : result == 0;
}

static int update_hosts(struct files *files)
{
    struct host_table hosts = {.host_count = 0};
    char *text;
    int result = read_changed(files, &files->hosts_file, &text);
    if (result <= 0)
        return result;
    result = hosts_file_read(text, &hosts);
    memory_free(text);
    if (result < 0) {
        host_table_clear(&hosts);
        files->hosts_file.stale = true;
        return result;
    }
    host_table_clear(&files->hosts);
    files->hosts = hosts;
    return 0;
}

static int update_resolv_conf(struct files *files, bool *any)
{
    struct text_list search = {.count = 0};
    struct server_list nameservers;
    char *text;
    int result = read_changed(files, &files->resolv_conf, &text);
    if (result <= 0)
        return result;
    result = resolv_conf_apply(text, &search, &nameservers);
    memory_free(text);
    if (result < 0) {
        text_list_clear(&search);
        files->resolv_conf.stale = true;
        return result;
    }
    text_list_clear(&files->search);
    files->search = search;
    files->nameservers = nameservers;
    *any = true;
    return 0;
}

int files_update(struct files *files, bool *resolv_conf_changed)
{
    *resolv_conf_changed = false;
    int result = update_hosts(files);
    return result < 0 ? result : update_resolv_conf(files, resolv_conf_changed);
}
