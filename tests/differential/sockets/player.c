/* SPDX-License-Identifier: MIT */
#include "player.h"

#include "base/check.h"
#include "base/memory.h"
#include "message.h"
#include "player_udp.h"

#include <stdlib.h>
#include <string.h>

enum { SEND_MAX = 65536, TEXT_SIZE = 4096 };

static void wait_quiet(const struct player *player)
{
    CHECK_EQ(weir_sleep(player->quiet_ms), 0);
}

static void write_result(FILE *to, int result)
{
    fputs(result < 0 ? weir_error_name(result) : "ok", to);
}

static weir_option *parse(const char *text)
{
    weir_option *options;
    CHECK_EQ(weir_options_parse(text, &options), 0);
    return options;
}

static weir_socket handle_of(const struct player *player, const char *name)
{
    return *name == 'l' ? player->listener : player->socket;
}

static const char *host_of(const struct player *player, char *text)
{
    return weir_address_format(&player->remote.address, text);
}

static void run_listen(struct player *player, char *arguments, FILE *to)
{
    char host[WEIR_ADDRESS_TEXT_SIZE];
    weir_option *options = parse(arguments);
    int result =
        weir_tcp_listen(player->runtime, host_of(player, host), 0, options, &player->listener);
    player->own_port = (uint16_t)weir_port(player->listener);
    weir_options_free(options);
    write_result(to, result);
}

static enum owner owner_called(const char *name)
{
    return (enum owner)(*name - 'a');
}

static int timeout_from(const char *text)
{
    return text && *text != 'i' ? (int)strtol(text, NULL, 10) : WEIR_INFINITY;
}

static void run_accept(struct player *player, char *arguments, FILE *to)
{
    weir_owner owner = player->kind->opener(player->owners);
    int result = weir_tcp_accept(player->listener, owner, timeout_from(arguments), &player->socket);
    if (result == 0)
        result = player->kind->adopt(player->owners, player->socket);
    write_result(to, result);
}

static void run_connect(struct player *player, char *arguments, FILE *to)
{
    char host[WEIR_ADDRESS_TEXT_SIZE];
    weir_option *options = parse(arguments);
    write_result(to, weir_tcp_connect(player->runtime, host_of(player, host), player->remote.port,
                                      options, player->kind->opener(player->owners), 2000,
                                      &player->socket));
    weir_options_free(options);
}

struct act {
    struct player *player;
    const char *text;
    FILE *to;
};

static void act(void *data)
{
    const struct act *act = data;
    remote_act(&act->player->remote, act->text, act->player->own_port, act->to);
}

static void run_remote(struct player *player, char *arguments, FILE *to)
{
    struct act remote = {player, arguments, to};
    player->kind->await(act, &remote);
}

static void run_recv(struct player *player, char *arguments, FILE *to)
{
    weir_packet packet;
    weir_socket socket = handle_of(player, strsep(&arguments, " "));
    size_t length = strtoul(strsep(&arguments, " "), NULL, 10);
    int result = weir_recv(socket, length, timeout_from(arguments), &packet);
    write_result(to, result);
    if (result < 0)
        return;
    fputc(' ', to);
    message_write_packet(to, &packet, player->modes);
    weir_packet_release(&packet);
}

/* However it comes. */
static void run_drain(struct player *player, char *arguments, FILE *to)
{
    weir_packet packet;
    int result;
    while ((result = weir_recv(handle_of(player, arguments), 0, 30, &packet)) == 0) {
        if (packet.http) {
            message_write_packet(to, &packet, false);
        } else {
            write_hex(to, packet.header, packet.header_size);
            write_hex(to, packet.bytes, packet.size);
        }
        weir_packet_release(&packet);
    }
    fprintf(to, " %s", weir_error_name(result));
}

static void run_send(struct player *player, char *arguments, FILE *to)
{
    uint8_t bytes[SEND_MAX];
    weir_socket socket = handle_of(player, strsep(&arguments, " "));
    size_t size = bytes_from_hex(arguments, bytes, sizeof(bytes));
    write_result(to, weir_send(socket, bytes, size));
}

/* More than the kernel takes while the remote end does not read. */
static void run_fill(struct player *player, char *arguments, FILE *to)
{
    weir_socket socket = handle_of(player, strsep(&arguments, " "));
    size_t size = strtoul(arguments, NULL, 10);
    void *bytes = memory_allocate_zeroed(1, size);
    CHECK(bytes);
    write_result(to, weir_send(socket, bytes, size));
    memory_free(bytes);
}

static void run_setopts(struct player *player, char *arguments, FILE *to)
{
    weir_socket socket = handle_of(player, strsep(&arguments, " "));
    weir_option *options = parse(arguments);
    write_result(to, weir_setopts(socket, options));
    weir_options_free(options);
}

static void run_getopts(struct player *player, char *arguments, FILE *to)
{
    char text[TEXT_SIZE];
    size_t count;
    weir_option *wanted;
    weir_socket socket = handle_of(player, strsep(&arguments, " "));
    CHECK_EQ(weir_options_parse_request(arguments, &wanted, &count), 0);
    int result = weir_getopts(socket, wanted, count);
    write_result(to, result);
    if (result >= 0) {
        CHECK_GE(weir_options_format(wanted, text, sizeof(text)), 0);
        fprintf(to, " %s", text);
    }
    weir_options_free(wanted);
}

static void run_getstat(struct player *player, char *arguments, FILE *to)
{
    weir_statistics s;
    int result = weir_getstat(handle_of(player, arguments), &s);
    write_result(to, result);
    if (result == 0)
        fprintf(to, " %u %u %u %lu %u %u %u %u %lu", s.recv_cnt, s.recv_max, s.recv_avg, s.recv_oct,
                s.recv_dvi, s.send_cnt, s.send_max, s.send_avg, s.send_oct);
}

static void run_shutdown(struct player *player, char *arguments, FILE *to)
{
    weir_socket socket = handle_of(player, strsep(&arguments, " "));
    enum weir_how how = WEIR_READ_WRITE;
    if (strcmp(arguments, "read") == 0)
        how = WEIR_READ;
    else if (strcmp(arguments, "write") == 0)
        how = WEIR_WRITE;
    write_result(to, weir_shutdown(socket, how));
}

static void run_close(struct player *player, char *arguments, FILE *to)
{
    write_result(to, weir_close(handle_of(player, arguments)));
}

/* A port is printed as right or wrong: every run has others. */
static void write_name(FILE *to, int result, uint16_t port, uint16_t expected)
{
    write_result(to, result);
    if (result >= 0)
        fputs(port == expected ? " right" : " wrong", to);
}

/* What the subject's own end is bound to. */
static uint16_t own_port(const struct player *player)
{
    return player->own_port ? player->own_port : player->remote.met_port;
}

static void run_peername(struct player *player, char *arguments, FILE *to)
{
    weir_address address = {0};
    int result = weir_peername(handle_of(player, arguments), &address);
    write_name(to, result, address.port, player->remote.port);
}

static void run_sockname(struct player *player, char *arguments, FILE *to)
{
    weir_address address = {0};
    int result = weir_sockname(handle_of(player, arguments), &address);
    write_name(to, result, address.port, own_port(player));
}

static void run_port(struct player *player, char *arguments, FILE *to)
{
    int port = weir_port(handle_of(player, arguments));
    write_name(to, port, (uint16_t)port, own_port(player));
}

static void run_give(struct player *player, char *arguments, FILE *to)
{
    enum owner from = owner_called(strsep(&arguments, " "));
    if (player->socket.id == 0)
        fputs("no socket", to);
    else if (player->kind->is_gone(player->owners, from))
        fputs("gone", to);
    else
        write_result(
            to, player->kind->give(player->owners, player->socket, from, owner_called(arguments)));
}

static void run_kill(struct player *player, char *arguments, FILE *to)
{
    (void)arguments; /* none but b is killed */
    if (!player->kind->is_gone(player->owners, OWNER_B))
        player->kind->kill_b(player->owners);
    wait_quiet(player);
    fputs("ok", to);
}

static void run_settle(struct player *player, char *arguments, FILE *to)
{
    (void)arguments;
    wait_quiet(player);
    for (enum owner who = OWNER_A; who < OWNER_COUNT; who++) {
        fprintf(to, "%c ", 'a' + (int)who);
        if (!player->kind->is_gone(player->owners, who))
            player->kind->write_messages(player->owners, who, to, player->modes);
    }
}

static void run_pause(struct player *player, char *arguments, FILE *to)
{
    (void)arguments;
    wait_quiet(player);
    fputs("paused", to);
}

static void run_background(void *data)
{
    struct background *background = data;
    FILE *to = open_memstream(&background->line, &background->size);
    player_step(background->player, background->step, to);
    fclose(to);
    CHECK_EQ(weir_mailbox_post(background->ended, NULL), 0);
}

static struct background *background_called(struct player *player, const char *name)
{
    return &player->background[*name - 'w'];
}

static void run_start(struct player *player, char *arguments, FILE *to)
{
    struct background *background = background_called(player, strsep(&arguments, " "));
    CHECK(!background->ended);
    *background = (struct background){.player = player, .step = memory_copy_text(arguments)};
    CHECK_EQ(weir_mailbox_create(&background->ended), 0);
    player->kind->begin(player->runtime, run_background, background);
    wait_quiet(player);
    fputs("started", to);
}

static bool join(struct background *background, int timeout_ms)
{
    weir_message message;
    background->joined = weir_mailbox_receive(background->ended, timeout_ms, &message) == 0;
    return background->joined;
}

static void run_join(struct player *player, char *arguments, FILE *to)
{
    struct background *background = background_called(player, arguments);
    bool waits = background->joined || !join(background, player->quiet_ms);
    fputs(waits ? "waits" : background->line, to);
}

static const struct {
    const char *name;
    void (*run)(struct player *player, char *arguments, FILE *to);
} steps[] = {
    {"listen", run_listen},
    {"accept", run_accept},
    {"connect", run_connect},
    {"remote", run_remote},
    {"recv", run_recv},
    {"send", run_send},
    {"setopts", run_setopts},
    {"getopts", run_getopts},
    {"getstat", run_getstat},
    {"shutdown", run_shutdown},
    {"close", run_close},
    {"peername", run_peername},
    {"sockname", run_sockname},
    {"port", run_port},
    {"give", run_give},
    {"kill", run_kill},
    {"settle", run_settle},
    {"pause", run_pause},
    {"drain", run_drain},
    {"start", run_start},
    {"join", run_join},
    {"fill", run_fill},
    {"udp_open", player_udp_open},
    {"udp_connect", player_udp_connect},
    {"udp_send", player_udp_send},
    {"udp_send_on", player_udp_send_on},
    {"udp_send_to_port", player_udp_send_to_port},
    {"udp_send_to_inet6", player_udp_send_to_inet6},
    {"udp_recv", player_udp_recv},
};

/* What comes first in the arguments of most steps. */
static bool is_unopened(const struct player *player, const char *arguments)
{
    return arguments && arguments[1] <= ' ' &&
           ((*arguments == 's' && player->socket.id == 0) ||
            (*arguments == 'l' && player->listener.id == 0));
}

void player_step(struct player *player, char *step, FILE *to)
{
    const char *name = strsep(&step, " ");
    if (is_unopened(player, step)) {
        fputs("no socket", to);
        return;
    }
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (strcmp(steps[i].name, name) == 0) {
            steps[i].run(player, step, to);
            return;
        }
    }
    fprintf(stderr, "sockets: no step is called '%s'\n", name);
    exit(2);
}

void player_start(struct player *player, weir_runtime *runtime, uint8_t address_byte)
{
    weir_address address = {.family = WEIR_INET, .bytes = {127, 0, 0, address_byte}};
    player->runtime = runtime;
    remote_new(&player->remote, address);
    player->owners = player->kind->open(runtime);
}

static void finish_background(struct background *background)
{
    if (!background->ended)
        return;
    if (!background->joined)
        (void)join(background, WEIR_INFINITY);
    weir_mailbox_destroy(background->ended);
    memory_free(background->step);
    free(background->line);
}

void player_finish(struct player *player)
{
    remote_end(&player->remote);
    weir_close(player->socket);
    weir_close(player->listener);
    for (int i = 0; i < BACKGROUND_COUNT; i++)
        finish_background(&player->background[i]);
    player->kind->close(player->owners);
}
