/* Runs a fuzz target without libFuzzer: every file given, or in a folder given, as it is, cut short
 * and with single bytes changed; the same inputs on every run. Files of a folder in name order. */
#define _DEFAULT_SOURCE

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { MAX_PREFIXES = 128, MAX_CHANGES = 512 };

static long n_files, n_inputs;

/* In a block of exactly its size, so that a read behind the end is seen by a sanitizer. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    n_inputs++;
}

static void run_variants(uint8_t *data, size_t size)
{
    run(data, size);
    size_t step = size / MAX_PREFIXES + 1;
    for (size_t n = 0; n < size; n += step)
        run(data, n);
    /* Numbers of a linear congruential generator (Knuth's MMIX) pick place and change. */
    uint64_t r = 1;
    for (int i = 0; size && i < MAX_CHANGES; i++) {
        r = r * 6364136223846793005u + 1442695040888963407u;
        size_t at = (size_t)(r >> 33) % size;
        uint8_t old = data[at];
        data[at] ^= (uint8_t)((r >> 24) % 255 + 1);
        run(data, size);
        data[at] = old;
    }
}

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    long size = -1;
    if (f && fseek(f, 0, SEEK_END) == 0)
        size = ftell(f);
    uint8_t *data = size < 0 ? NULL : malloc((size_t)size + 1);
    int ok = data && fseek(f, 0, SEEK_SET) == 0 && fread(data, 1, (size_t)size, f) == (size_t)size;
    if (ok) {
        run_variants(data, (size_t)size);
        n_files++;
    } else {
        fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(data);
    if (f)
        fclose(f);
    return ok;
}

static int run_folder(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort), ok = n >= 0;
    for (int i = 0; i < n; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            ok = run_file(file) && ok;
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return ok;
}

int main(int argc, char **argv)
{
    int ok = 1;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        int is_folder = stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode);
        ok = (is_folder ? run_folder(argv[i]) : run_file(argv[i])) && ok;
    }
    printf("%ld files, %ld inputs\n", n_files, n_inputs);
    return ok && n_files > 0 ? 0 : 1;
}
