/* onnx_backend DATA [NAME]: runs the ONNX backend tests (all, or those whose name holds NAME) on
 * the dense operators and prints what ran, what passed and why the others did not run. Exit 1 when
 * a case fails whose operators and element types are supported, or when fewer cases pass than the
 * floors below: an operator must not vanish from the registry unnoticed. Exit 77 without data. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"

enum { NODE_FLOOR = 480, OTHER_FLOOR = 115, MAX_TALLIES = 256 };

static const char *const folders[] = {"node", "pytorch-converted", "pytorch-operator", "simple"};
enum { N_FOLDERS = sizeof folders / sizeof folders[0] };

/* Counts by text, of one kind of verdict. */
typedef struct tally {
    verdict verdict;
    char text[64];
    int count;
} tally;

typedef struct totals {
    int cases, ran, passed;
} totals;

static tally tallies[MAX_TALLIES];
static int n_tallies;

static void add_tally(verdict v, const char *text)
{
    int i = 0;
    while (i < n_tallies && (tallies[i].verdict != v || strcmp(tallies[i].text, text) != 0))
        i++;
    if (i == MAX_TALLIES)
        return;
    if (i == n_tallies) {
        n_tallies++;
        tallies[i].verdict = v;
        snprintf(tallies[i].text, sizeof tallies[i].text, "%.63s", text);
    }
    tallies[i].count++;
}

static int by_count(const void *a, const void *b)
{
    const tally *x = a, *y = b;
    return x->count != y->count ? y->count - x->count : strcmp(x->text, y->text);
}

static void print_tallies(verdict v, const char *title)
{
    printf("%s:", title);
    for (int i = 0; i < n_tallies; i++)
        if (tallies[i].verdict == v)
            printf(" %s %d,", tallies[i].text, tallies[i].count);
    printf("\n");
}

static totals run_folder(const char *data, const char *folder, const char *filter)
{
    totals t = {0, 0, 0};
    char path[768];
    struct dirent **entries;
    snprintf(path, sizeof path, "%s/%s", data, folder);
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        if (name[0] != '.' && (!filter || strstr(name, filter))) {
            char at[1040];
            snprintf(at, sizeof at, "%s/%s", path, name);
            case_result r = case_run(at);
            t.cases++;
            t.ran += r.verdict == CASE_PASSED || r.verdict == CASE_FAILED;
            t.passed += r.verdict == CASE_PASSED;
            if (r.verdict == CASE_FAILED)
                printf("FAILED %s/%s: %s\n", folder, name, r.text);
            else if (filter)
                printf("%s/%s: %s\n", folder, name, r.verdict == CASE_PASSED ? "passed" : r.text);
            if (r.verdict == CASE_MISSING || r.verdict == CASE_UNSUPPORTED)
                add_tally(r.verdict, r.text);
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return t;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        printf("skipped: no folder of backend test data\n");
        return 77;
    }
    const char *filter = argc > 2 ? argv[2] : NULL;
    totals t[N_FOLDERS];
    int failed = 0, other = 0;
    for (int f = 0; f < N_FOLDERS; f++) {
        t[f] = run_folder(argv[1], folders[f], filter);
        failed += t[f].ran - t[f].passed;
        other += f > 0 ? t[f].passed : 0;
    }
    qsort(tallies, (size_t)n_tallies, sizeof tallies[0], by_count);
    printf("%-18s %6s %6s %6s\n", "folder", "cases", "ran", "passed");
    for (int f = 0; f < N_FOLDERS; f++)
        printf("%-18s %6d %6d %6d\n", folders[f], t[f].cases, t[f].ran, t[f].passed);
    print_tallies(CASE_MISSING, "missing operators (cases)");
    print_tallies(CASE_UNSUPPORTED, "not supported (cases)");
    if (filter)
        return failed > 0;
    if (t[0].passed < NODE_FLOOR || other < OTHER_FLOOR) {
        printf("FAILED: %d node and %d other cases pass, expected at least %d and %d\n",
               t[0].passed, other, NODE_FLOOR, OTHER_FLOOR);
        failed++;
    }
    return failed > 0;
}
