/* SPDX-License-Identifier: MIT */
/*
 * Plays programs on one runtime, many at a time. Each comes as a line "ID QUIET_MS MODES COUNT" and
 * so many lines with a step each; it is answered by as many lines "ID RESULT", and "ID end".
 * usage: sockets_subject [processes]
 */
#include "base/check.h"
#include "base/memory.h"
#include "player.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { LINE_SIZE = 1 << 18, ADDRESS_COUNT = 200 };

struct program {
    weir_runtime *runtime;
    const struct owners_kind *kind;
    unsigned id;
    int quiet_ms;
    int modes;
    unsigned count;
    char **steps;
};

static char *read_line(char *line)
{
    if (!fgets(line, LINE_SIZE, stdin))
        return NULL;
    line[strcspn(line, "\n")] = '\0';
    return line;
}

static void play(const struct program *program, FILE *to)
{
    struct player player = {
        .kind = program->kind, .quiet_ms = program->quiet_ms, .modes = program->modes != 0};
    player_start(&player, program->runtime, (uint8_t)(1 + program->id % ADDRESS_COUNT));
    for (unsigned i = 0; i < program->count; i++) {
        fprintf(to, "%u ", program->id);
        player_step(&player, program->steps[i], to);
        fputc('\n', to);
    }
    player_finish(&player);
    fprintf(to, "%u end\n", program->id);
}

static void free_program(struct program *program)
{
    for (unsigned i = 0; i < program->count; i++)
        memory_free(program->steps[i]);
    memory_free(program->steps);
    memory_free(program);
}

static void play_and_answer(void *data)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct program *program = data;
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    play(program, to);
    fclose(to);
    pthread_mutex_lock(&lock);
    fwrite(text, 1, size, stdout);
    fflush(stdout);
    pthread_mutex_unlock(&lock);
    free(text);
    free_program(program);
}

static struct program *read_program(char *line)
{
    struct program *program = memory_allocate_zeroed(1, sizeof(*program));
    CHECK(program);
    CHECK_EQ(sscanf(line, "%u %d %d %u", &program->id, &program->quiet_ms, &program->modes,
                    &program->count),
             4);
    program->steps = memory_allocate_zeroed(program->count + 1, sizeof(char *));
    for (unsigned i = 0; i < program->count; i++) {
        CHECK(read_line(line));
        program->steps[i] = memory_copy_text(line);
    }
    return program;
}

int main(int argc, char **argv)
{
    static char line[LINE_SIZE];
    bool by_processes = argc > 1 && strcmp(argv[1], "processes") == 0;
    const struct owners_kind *kind = by_processes ? &owners_processes : &owners_mailboxes;
    weir_runtime *runtime;
    const weir_config config = {.schedulers = 2};
    struct rlimit files = {4096, 4096};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    CHECK_EQ(weir_start(&runtime, &config), 0);
    while (read_line(line)) {
        struct program *program = read_program(line);
        program->runtime = runtime;
        program->kind = kind;
        kind->begin(runtime, play_and_answer, program);
    }
    return EXIT_SUCCESS;
}
