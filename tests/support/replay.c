/* SPDX-License-Identifier: MIT */
/* Stands in for libFuzzer: runs a harness over every file of the folders named. */
#include "base/memory.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { INPUT_SIZE_MAX = 1 << 20 };

static void replay(const char *path)
{
    FILE *stream = fopen(path, "rb");
    uint8_t *bytes = memory_allocate(INPUT_SIZE_MAX);
    if (!stream || !bytes) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    size_t size = fread(bytes, 1, INPUT_SIZE_MAX, stream);
    /* Memory of its own size: a byte too far is seen by the address sanitizer. */
    uint8_t *exact = size ? memory_resize(bytes, size) : bytes;
    LLVMFuzzerTestOneInput(exact, size);
    memory_free(exact);
    fclose(stream);
}

static size_t replay_folder(const char *folder)
{
    size_t count = 0;
    DIR *directory = opendir(folder);
    if (!directory) {
        perror(folder);
        exit(EXIT_FAILURE);
    }
    for (struct dirent *entry; (entry = readdir(directory));) {
        char path[1024];
        if (entry->d_type == DT_DIR)
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        replay(path);
        count++;
    }
    closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    for (int i = 1; i < argc; i++)
        count += replay_folder(argv[i]);
    printf("%zu inputs\n", count);
    return count ? EXIT_SUCCESS : EXIT_FAILURE;
}
