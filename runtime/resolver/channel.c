/* SPDX-License-Identifier: MIT */
#include "runtime/resolver/channel.h"

#define CARES_NO_DEPRECATED /* 1.34 deprecates what 1.18, the oldest that is taken, has alone */
#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "address/address.h"
#include "base/memory.h"
#include "base/system.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/watch/watch.h"

enum {
    QUESTIONS_MAX = 16384,
    SOCKETS_MAX = 4, /* one per protocol, and those that close */
    LINGER_MS_MAX = 60000,
    RECEIVE_BUFFER_SIZE = 1 << 20,
    /* Answers that are read in one turn: those who wait for the scheduler have theirs too. */
    ANSWERS_PER_TURN = 2,
};

/* c-ares often says no more than that a server is not to be reached. Of what is ended by one entry
 * into it: each begins without. */
static _Thread_local bool lacked_memory;

struct channel_socket {
    struct channel *channel;
    int fd; /* -1: none */
    struct watch *watch;
};

struct channel {
    struct list link;
    struct channels *channels;
    struct channel_key key;
    ares_channel ares;
    size_t question_count;
    struct channel_socket sockets[SOCKETS_MAX];
    uint32_t reads_left; /* until its socket's next turn, by UDP */
    struct timer timer;
};

static struct scheduler *scheduler_of(const struct channel *channel)
{
    return channel->channels->scheduler;
}

static struct channel_socket *find_socket(struct channel *channel, int fd)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        if (channel->sockets[i].fd == fd)
            return &channel->sockets[i];
    return NULL;
}

static void ready(struct scheduler *scheduler, void *context, unsigned events)
{
    struct channel_socket *socket = context;
    bool reads = events & (POLLIN | POLLERR | POLLHUP);
    bool writes = events & (POLLOUT | POLLERR | POLLHUP);
    (void)scheduler;
    lacked_memory = false;
    socket->channel->reads_left = ANSWERS_PER_TURN;
    ares_process_fd(socket->channel->ares, reads ? socket->fd : ARES_SOCKET_BAD,
                    writes ? socket->fd : ARES_SOCKET_BAD);
}

static ares_socket_t open_socket(int family, int type, int protocol, void *context)
{
    struct channel *channel = context;
    struct channel_socket *socket = find_socket(channel, -1);
    int size = RECEIVE_BUFFER_SIZE;
    (void)protocol;
    int fd = socket ? system_socket(family, type | SOCK_NONBLOCK, NULL) : -EMFILE;
    if (fd < 0) {
        errno = -fd;
        return ARES_SOCKET_BAD;
    }
    (void)system_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    socket->watch = watch_open(scheduler_of(channel), fd, ready, socket);
    if (!socket->watch) {
        system_close(fd);
        lacked_memory = true;
        errno = ENOMEM;
        return ARES_SOCKET_BAD;
    }
    socket->fd = fd;
    return fd;
}

/* c-ares closes first and says so afterwards. A poll that is still queued is submitted before the
 * number is somebody else's. */
static int close_socket(ares_socket_t fd, void *context)
{
    struct channel *channel = context;
    struct channel_socket *socket = find_socket(channel, fd);
    if (socket) {
        watch_close(scheduler_of(channel), socket->watch);
        scheduler_submit(scheduler_of(channel));
        *socket = (struct channel_socket){.channel = channel, .fd = -1};
    }
    int result = system_close(fd);
    scheduler_descriptor_closed(scheduler_of(channel));
    return result < 0 ? -1 : 0;
}

/* The channel's own server: c-ares knows of no scopes. */
static int connect_socket(ares_socket_t fd, const struct sockaddr *address, ares_socklen_t size,
                          void *context)
{
    struct channel *channel = context;
    struct sockaddr_storage storage;
    (void)address;
    (void)size;
    socklen_t own_size = address_to_sockaddr(&channel->key.server, &storage);
    int result = system_connect(fd, (struct sockaddr *)&storage, own_size);
    errno = result < 0 ? -result : 0;
    return result < 0 ? -1 : 0;
}

static ares_ssize_t receive(ares_socket_t fd, void *bytes, size_t size, int flags,
                            struct sockaddr *from, ares_socklen_t *from_size, void *context)
{
    struct channel *channel = context;
    if (!channel->key.tcp) {
        if (channel->reads_left == 0) {
            errno = EAGAIN; /* the poll that is made next says that there is more */
            return -1;
        }
        channel->reads_left--;
    }
    ssize_t result = system_receive(fd, bytes, size, flags, from, from_size);
    errno = result < 0 ? (int)-result : 0;
    return result < 0 ? -1 : result;
}

static ares_ssize_t send_pieces(ares_socket_t fd, const struct iovec *pieces, int count,
                                void *context)
{
    (void)context;
    ssize_t result = system_send(fd, pieces, count);
    errno = result < 0 ? (int)-result : 0;
    return result < 0 ? -1 : result;
}

static const struct ares_socket_functions socket_functions = {
    .asocket = open_socket,
    .aclose = close_socket,
    .aconnect = connect_socket,
    .arecvfrom = receive,
    .asendv = send_pieces,
};

static void want(void *context, ares_socket_t fd, int reads, int writes)
{
    struct channel *channel = context;
    struct channel_socket *socket = find_socket(channel, fd);
    if (socket)
        watch_want(scheduler_of(channel), socket->watch,
                   (reads ? POLLIN : 0u) | (writes ? POLLOUT : 0u));
}

/* c-ares gives up what nobody waits for any more. Asked of it only when the timer has fired, since
 * it looks at every question to say when the next is due. */
static void arm(struct channel *channel)
{
    struct timeval next;
    if (channel->timer.armed || channel->question_count == 0 ||
        !ares_timeout(channel->ares, NULL, &next))
        return;
    scheduler_arm(scheduler_of(channel), &channel->timer,
                  (uint64_t)next.tv_sec * 1000u + (uint64_t)next.tv_usec / 1000u);
}

static void time_is_up(struct timer *timer)
{
    struct channel *channel = list_entry(timer, struct channel, timer);
    lacked_memory = false;
    ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm(channel);
}

/* Longer than any round: a late answer is still one. */
static int lifetime_ms(const struct channel *channel)
{
    const int64_t *numbers = channel->channels->config->numbers;
    int64_t rounds = numbers[INET_RETRY] < 16 ? numbers[INET_RETRY] : 16;
    int64_t timeout_ms =
        numbers[INET_TIMEOUT_MS] < LINGER_MS_MAX ? numbers[INET_TIMEOUT_MS] : LINGER_MS_MAX;
    int64_t lifetime = channel->key.tcp ? 5 * timeout_ms : timeout_ms << rounds;
    return lifetime < LINGER_MS_MAX ? (int)lifetime + 100 : LINGER_MS_MAX;
}

/* Everything is given, so that it reads no file of the system's. It can only take IPv4 servers
 * here: the real one comes with ares_set_servers_ports. */
static int open_ares(struct channel *channel)
{
    const struct channel_key *key = &channel->key;
    struct in_addr nobody = {0};
    char lookups[] = "b";
    char no_file[] = "/dev/null";
    struct ares_options options = {
        .flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
                 ARES_FLAG_IGNTC | (key->tcp ? ARES_FLAG_USEVC : 0) |
                 (key->edns ? ARES_FLAG_EDNS : 0),
        .timeout = lifetime_ms(channel),
        .tries = 1,
        .ndots = 0,
        .servers = &nobody,
        .nservers = 1,
        .lookups = lookups,
        .sock_state_cb = want,
        .sock_state_cb_data = channel,
        .ednspsz = (int)channel->channels->config->numbers[INET_UDP_PAYLOAD_SIZE],
        .resolvconf_path = no_file,
    };
    return ares_init_options(&channel->ares, &options,
                             ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
                                 ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS |
                                 ARES_OPT_SORTLIST | ARES_OPT_SOCK_STATE_CB | ARES_OPT_EDNSPSZ |
                                 ARES_OPT_NOROTATE | ARES_OPT_RESOLVCONF);
}

static int set_server(const struct channel *channel)
{
    const weir_address *server = &channel->key.server;
    struct ares_addr_port_node node = {.udp_port = server->port, .tcp_port = server->port};
    node.family = server->family;
    memcpy(&node.addr, server->bytes, server->family == WEIR_INET ? 4 : 16);
    return ares_set_servers_ports(channel->ares, &node);
}

static void *allocate(size_t size)
{
    void *block = memory_allocate(size);
    lacked_memory = lacked_memory || !block;
    return block;
}

static void *resize(void *block, size_t size)
{
    void *larger = memory_resize(block, size);
    lacked_memory = lacked_memory || !larger;
    return larger;
}

static void initialise(void)
{
    (void)ares_library_init_mem(ARES_LIB_INIT_ALL, allocate, memory_free, resize);
}

static struct channel *channel_open(struct channels *channels, const struct channel_key *key)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct channel *channel = memory_allocate_zeroed(1, sizeof(*channel));
    if (!channel)
        return NULL;
    pthread_once(&once, initialise);
    channel->channels = channels;
    channel->key = *key;
    channel->timer.fire = time_is_up;
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        channel->sockets[i] = (struct channel_socket){.channel = channel, .fd = -1};
    if (open_ares(channel) != ARES_SUCCESS) {
        memory_free(channel);
        return NULL;
    }
    ares_set_socket_functions(channel->ares, &socket_functions, channel);
    if (set_server(channel) != ARES_SUCCESS) {
        ares_destroy(channel->ares);
        memory_free(channel);
        return NULL;
    }
    list_append(&channels->list, &channel->link);
    return channel;
}

static void channel_close(struct channel *channel)
{
    ares_destroy(channel->ares);
    timer_disarm(&scheduler_of(channel)->timers, &channel->timer);
    list_remove(&channel->link);
    memory_free(channel);
}

void channels_close(struct channels *channels)
{
    while (!list_is_empty(&channels->list))
        channel_close(list_entry(channels->list.next, struct channel, link));
}

static bool is_for(const struct channel *channel, const struct channel_key *key)
{
    return weir_address_equal(&channel->key.server, &key->server) && channel->key.tcp == key->tcp &&
           channel->key.edns == key->edns;
}

static struct channel *find_channel(struct channels *channels, const struct channel_key *key)
{
    for (struct list *link = channels->list.next; link != &channels->list; link = link->next) {
        struct channel *channel = list_entry(link, struct channel, link);
        if (is_for(channel, key) && channel->question_count < QUESTIONS_MAX)
            return channel;
    }
    return channel_open(channels, key);
}

static enum query_outcome outcome_of(int status)
{
    bool lacked = lacked_memory;
    lacked_memory = false;
    if (lacked)
        return OUTCOME_NO_MEMORY;
    switch (status) {
    case ARES_ENOMEM:
        return OUTCOME_NO_MEMORY;
    case ARES_ETIMEOUT:
        return OUTCOME_TIMEOUT;
    case ARES_EBADRESP:
        return OUTCOME_NONSENSE;
    default:
        return OUTCOME_UNREACHABLE;
    }
}

static void answered(void *argument, int status, int timeouts, unsigned char *bytes, int size)
{
    struct asking *asking = argument;
    enum query_outcome outcome = outcome_of(status);
    (void)timeouts;
    asking->channel->question_count--;
    list_remove(&asking->link);
    if (asking->told)
        asking->told(asking, bytes, bytes && size > 0 ? (size_t)size : 0, outcome);
    memory_free(asking);
}

int channels_ask(struct channels *channels, const struct channel_key *key, const char *name,
                 ns_type type, const struct asking *asking, struct list *asker)
{
    struct channel *channel = find_channel(channels, key);
    struct asking *copy = channel ? memory_allocate(sizeof(*copy)) : NULL;
    if (!copy)
        return -ENOMEM;
    *copy = *asking;
    copy->channel = channel;
    list_init(&copy->link);
    channel->question_count++;
    lacked_memory = false;
    list_append(asker, &copy->link);
    ares_query(channel->ares, name, ns_c_in, (int)type, answered, copy);
    arm(channel);
    return 0;
}

void asking_forget(struct asking *asking)
{
    list_remove(&asking->link);
    asking->told = NULL;
}
