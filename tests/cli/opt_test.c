#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "opt.h"

typedef struct values {
    int flag, verbose, n, choice, shape[3];
    uint64_t seed;
    size_t size;
    double share;
    const char *text, *word, *sample, *path, *needed;
    opt_floats mean;
} values;

#define FIELD(member) offsetof(values, member)

static const opt first[] = {
    {"flag", 'f', OPT_FLAG, FIELD(flag), "", "set the flag", 0, 0, NULL, 0},
    {"verbose", 'v', OPT_FLAG, FIELD(verbose), "", "say more", 0, 0, NULL, 0},
    {"threads", 'j', OPT_INT, FIELD(n), "N", "number of threads", 1, 1024, NULL, 0},
    {"offset", 0, OPT_INT, FIELD(n), "N", "added", -5, 5, NULL, 0},
    {"seed", 0, OPT_U64, FIELD(seed), "N", "seed", 0, 9007199254740991.0, NULL, 0},
    {"memory", 0, OPT_SIZE, FIELD(size), "SIZE", "bytes", 1024, 0, NULL, 0},
    {"share", 0, OPT_DOUBLE, FIELD(share), "P", "share", 0.5, 0.999, NULL, 0},
    {NULL}};
static const opt second[] = {
    {"text", 't', OPT_STRING, FIELD(text), "TEXT", "any", 0, 0, NULL, 0},
    {"word", 0, OPT_WORD, FIELD(word), "WORD", "one", 0, 0, "ref|avx2|avx512", 0},
    {"choice", 0, OPT_CHOICE, FIELD(choice), "C", "one", 0, 0, "rgb|bgr", 0},
    {"plan", 0, OPT_SAMPLE, FIELD(sample), "P", "how many", 0, 0, "exhaustive|adaptive", 0},
    {"file", 0, OPT_PATH, FIELD(path), "FILE", "name", 0, 0, NULL, 0},
    {"mean", 0, OPT_FLOATS, FIELD(mean), "LIST", "means", 0, 0, NULL, 0},
    {"shape", 0, OPT_SHAPE, FIELD(shape), "C,H,W", "size", 0, 100, NULL, 0},
    {NULL}};
static const opt needed[] = {
    {"data", 0, OPT_STRING, FIELD(needed), "D", "data", 0, 0, NULL, 1},
    {"target", 0, OPT_CHOICE, FIELD(choice), "T", "what", 0, 0, "weight|bias", 1},
    {NULL}};
static const opt_group groups[] = {{"First", first}, {"Second", second}, {NULL}};
static const opt_group strict[] = {{"Needed", needed}, {NULL}};

static values v;
static opt_parser parser;
static const char *operands[OPT_OPERANDS];

/* Parses the blank-separated words of `line`. */
static int parse_with(const opt_group *g, const char *names, const char *line)
{
    static char copy[1024];
    char *argv[32];
    int argc = 0;
    strcpy(copy, line);
    for (char *p = strtok(copy, " "); p; p = strtok(NULL, " "))
        argv[argc++] = p;
    v = (values){.choice = -1};
    parser = (opt_parser){.groups = g, .settings = &v, .message = "unset"};
    operands[0] = operands[1] = NULL;
    return opt_parse(&parser, names, operands, argc, argv);
}

static int parse(const char *line)
{
    return parse_with(groups, "MODEL", line);
}

static void assert_refused(const char *line, const char *expected)
{
    assert_int_equal(parse(line), -1);
    assert_string_equal(parser.message, expected);
}

static void test_cli_opt__forms(void **state)
{
    assert_int_equal(parse("m.onnx --threads 3 --text=a=b --flag -v"), 0);
    assert_string_equal(operands[0], "m.onnx");
    assert_int_equal(v.n, 3);
    assert_string_equal(v.text, "a=b");
    assert_true(v.flag && v.verbose);
    assert_int_equal(parse("-fvj7 -t x -- -m"), 0);
    assert_int_equal(v.n, 7);
    assert_true(v.flag && v.verbose);
    assert_string_equal(v.text, "x");
    assert_string_equal(operands[0], "-m");
    assert_int_equal(parse("--threads 3 - --threads 4 --text="), 0);
    assert_int_equal(v.n, 4); /* the last one */
    assert_string_equal(operands[0], "-");
    assert_string_equal(v.text, "");
    assert_int_equal(parse("m --text --flag"), 0); /* a value is taken as it is */
    assert_string_equal(v.text, "--flag");
    assert_false(v.flag);
}

static void test_cli_opt__usage(void **state)
{
    assert_refused("", "no MODEL given");
    assert_refused("a b", "unexpected 'b' after 'a'");
    assert_refused("m --thread 1", "unknown option '--thread', did you mean '--threads'?");
    assert_refused("m --zzzzzz", "unknown option '--zzzzzz'");
    assert_refused("m -x", "unknown option '-x'");
    assert_refused("m --threads", "--threads needs a value: N");
    assert_refused("m -fj", "--threads needs a value: N");
    assert_refused("m --flag=1", "--flag takes no value");
    assert_int_equal(parse_with(strict, "MODEL", "m"), -1);
    assert_string_equal(parser.message, "--data D is required");
    assert_int_equal(parse_with(strict, "MODEL", "m --data x"), -1);
    assert_string_equal(parser.message, "--target T is required");
    assert_int_equal(parse_with(strict, "MODEL", "m --data x --target weight"), 0);
}

static void test_cli_opt__int(void **state)
{
    static const char *const bad[] = {"x",
                                      "0",
                                      "1025",
                                      "1.5",
                                      "3x",
                                      "",
                                      "-1",
                                      "+3",
                                      " 3",
                                      "0x10",
                                      "99999999999999999999999",
                                      "4294967297"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char line[64], expected[192];
        snprintf(line, sizeof line, "m --threads=%s", bad[i][0] == ' ' ? "3\t" : bad[i]);
        snprintf(expected, sizeof expected,
                 "--threads is '%s', expected a whole number from 1 to 1024",
                 bad[i][0] == ' ' ? "3\t" : bad[i]);
        assert_refused(line, expected);
    }
    assert_int_equal(parse("m --offset -5"), 0);
    assert_int_equal(v.n, -5);
    assert_refused("m --offset -6", "--offset is '-6', expected a whole number from -5 to 5");
    assert_refused("m --offset --5", "--offset is '--5', expected a whole number from -5 to 5");
}

static void test_cli_opt__u64(void **state)
{
    assert_int_equal(parse("m --seed 9007199254740991"), 0);
    assert_true(v.seed == 9007199254740991u);
    assert_refused("m --seed 9007199254740992", "--seed is '9007199254740992', expected a whole "
                                                "number from 0 to 9007199254740991");
    assert_refused("m --seed -1",
                   "--seed is '-1', expected a whole number from 0 to 9007199254740991");
}

static void test_cli_opt__size(void **state)
{
    static const struct {
        const char *line;
        size_t bytes;
    } good[] = {{"m --memory 1024", 1024},
                {"m --memory 1K", 1024},
                {"m --memory 500M", 524288000},
                {"m --memory 2G", 2147483648},
                {"m --memory 3T", 3298534883328}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(parse(good[i].line), 0);
        assert_true(v.size == good[i].bytes);
    }
    static const char *const bad[] = {"1023", "2GB", "2g", "G", "1.5G", "17000000T", "-1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char line[64], expected[192];
        snprintf(line, sizeof line, "m --memory %s", bad[i]);
        snprintf(expected, sizeof expected,
                 "--memory is '%s', expected bytes, at least 1024, such as 500M or 2G", bad[i]);
        assert_refused(line, expected);
    }
}

static void test_cli_opt__double(void **state)
{
    assert_int_equal(parse("m --share 0.5"), 0);
    assert_true(v.share == 0.5);
    static const char *const bad[] = {"0.49", "1", "nan", "inf", "x", "0.5x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char line[64];
        snprintf(line, sizeof line, "m --share %s", bad[i]);
        assert_int_equal(parse(line), -1);
        assert_non_null(strstr(parser.message, "expected a number from 0.5 to 0.999"));
    }
}

static void test_cli_opt__words(void **state)
{
    assert_int_equal(parse("m --word avx2 --choice bgr"), 0);
    assert_string_equal(v.word, "avx2");
    assert_int_equal(v.choice, 1);
    assert_refused("m --word avx", "--word is 'avx', expected ref, avx2 or avx512");
    assert_refused("m --word avx2|avx512", "--word is 'avx2|avx512', expected ref, avx2 or avx512");
    assert_refused("m --choice=", "--choice is '', expected rgb or bgr");
}

static void test_cli_opt__sample(void **state)
{
    assert_int_equal(parse("m --plan random:250"), 0);
    assert_string_equal(v.sample, "random:250");
    assert_int_equal(parse("m --plan random:250 --plan adaptive"), 0);
    assert_string_equal(v.sample, "adaptive");
    static const char *const bad[] = {"random",
                                      "random:",
                                      "random:0",
                                      "random:-1",
                                      "random:1x",
                                      "complete",
                                      "random:99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char line[64], expected[192];
        snprintf(line, sizeof line, "m --plan %s", bad[i]);
        snprintf(expected, sizeof expected,
                 "--plan is '%s', expected exhaustive, adaptive, random:N with N above 0 or "
                 "channels:R with R above 0 up to 1",
                 bad[i]);
        assert_refused(line, expected);
    }
}

static void test_cli_opt__operands(void **state)
{
    assert_int_equal(parse_with(groups, "A.db B.db", "x --flag y"), 0);
    assert_string_equal(operands[0], "x");
    assert_string_equal(operands[1], "y");
    assert_int_equal(parse_with(groups, "A.db B.db", "x -- --flag"), 0);
    assert_string_equal(operands[1], "--flag");
    assert_int_equal(parse_with(groups, "A.db B.db", "x"), -1);
    assert_string_equal(parser.message, "no B.db given");
    assert_int_equal(parse_with(groups, "A.db B.db", "--flag"), -1);
    assert_string_equal(parser.message, "no A.db given");
    assert_int_equal(parse_with(groups, "A.db B.db", "x y z"), -1);
    assert_string_equal(parser.message, "unexpected 'z' after 'y'");
    assert_int_equal(parse_with(groups, "RUN.db...", "x --flag y z"), 0);
    assert_string_equal(operands[0], "x");
    assert_string_equal(operands[2], "z");
    assert_int_equal(parse_with(groups, "RUN.db...", "--flag"), -1);
    assert_string_equal(parser.message, "no RUN.db given");
}

/* What was given is there as text, once for each option, in the order of the first mention. */
static void test_cli_opt__given(void **state)
{
    assert_int_equal(parse("m --threads 3 --file a -f --threads=4 --mean 1,2,3"), 0);
    static const char *const expected[][2] = {
        {"threads", "4"}, {"file", "a"}, {"flag", "true"}, {"mean", "1,2,3"}};
    assert_int_equal(parser.n_given, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(parser.given[i].option->name, expected[i][0]);
        assert_string_equal(parser.given[i].text, expected[i][1]);
        assert_string_equal(opt_text(&parser, expected[i][0]), expected[i][1]);
    }
    assert_null(opt_text(&parser, "seed"));
}

static void test_cli_opt__set(void **state)
{
    v = (values){.choice = -1};
    parser = (opt_parser){.groups = groups, .settings = &v};
    assert_int_equal(opt_set(&parser, "threads", "8"), 0);
    assert_int_equal(opt_set(&parser, "flag", "true"), 0);
    assert_int_equal(opt_set(&parser, "verbose", "false"), 0);
    assert_true(v.n == 8 && v.flag == 1 && v.verbose == 0);
    assert_int_equal(opt_set(&parser, "threads", "0"), -1);
    assert_string_equal(parser.message, "threads is '0', expected a whole number from 1 to 1024");
    assert_int_equal(opt_set(&parser, "flag", "yes"), -1);
    assert_string_equal(parser.message, "flag is 'yes', expected true or false");
    assert_int_equal(opt_set(&parser, "thread", "1"), -1);
    assert_string_equal(parser.message, "unknown key 'thread'");
    assert_int_equal(parser.n_given, 3);

    parser = (opt_parser){.groups = strict, .settings = &v};
    assert_string_equal(opt_missing(&parser)->name, "data");
    assert_int_equal(opt_set(&parser, "data", "d"), 0);
    assert_string_equal(opt_missing(&parser)->name, "target");
    assert_int_equal(opt_set(&parser, "target", "bias"), 0);
    assert_null(opt_missing(&parser));
}

static void test_cli_opt__lists(void **state)
{
    assert_int_equal(parse("m --mean 0.5"), 0);
    assert_int_equal(v.mean.count, 1);
    assert_int_equal(parse("m --mean 0.25,-1e-3,4 --shape 3,32,100"), 0);
    assert_int_equal(v.mean.count, 3);
    assert_true(v.mean.v[0] == 0.25f && v.mean.v[1] == -1e-3 && v.mean.v[2] == 4);
    assert_true(v.shape[0] == 3 && v.shape[1] == 32 && v.shape[2] == 100);
    static const char *const bad[] = {"", "1,2", "1,2,3,4", "1,,3", "1,2,", "nan", "1,2,inf", "a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char line[64];
        snprintf(line, sizeof line, "m --mean=%s", bad[i]);
        assert_int_equal(parse(line), -1);
        assert_non_null(
            strstr(parser.message, "expected 1 or 3 finite numbers with commas between"));
    }
    static const char *const shapes[] = {"",         "3",         "3,32",    "3,32,101", "0,1,1",
                                         "3,32,32,", "3,32,32,1", "3;32;32", "3,-1,2"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        char line[64];
        snprintf(line, sizeof line, "m --shape=%s", shapes[i]);
        assert_int_equal(parse(line), -1);
        assert_non_null(strstr(parser.message, "expected C,H,W: 3 whole numbers from 1 to 100"));
    }
}

static void test_cli_opt__long_arguments(void **state)
{
    char line[900] = "m --";
    memset(line + 4, 'x', 800);
    assert_int_equal(parse(line), -1);
    assert_int_equal(strncmp(parser.message, "unknown option '--xxxx", 22), 0);
    memcpy(line + 4, "threads=", 8);
    assert_int_equal(parse(line), -1);
    assert_non_null(strstr(parser.message, "x', expected a whole number from 1 to 1024"));
}

static void test_cli_opt__nearest(void **state)
{
    char buf[64];
    assert_string_equal(opt_nearest("analyse", "help|inspect|analyze", buf), "analyze");
    assert_string_equal(opt_nearest("inpsect", "help|inspect|analyze", buf), "inspect");
    assert_null(opt_nearest("xyzzy", "help|inspect|analyze", buf));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cli_opt__forms),   cmocka_unit_test(test_cli_opt__usage),
        cmocka_unit_test(test_cli_opt__int),     cmocka_unit_test(test_cli_opt__u64),
        cmocka_unit_test(test_cli_opt__size),    cmocka_unit_test(test_cli_opt__double),
        cmocka_unit_test(test_cli_opt__words),   cmocka_unit_test(test_cli_opt__sample),
        cmocka_unit_test(test_cli_opt__lists),   cmocka_unit_test(test_cli_opt__long_arguments),
        cmocka_unit_test(test_cli_opt__nearest), cmocka_unit_test(test_cli_opt__operands),
        cmocka_unit_test(test_cli_opt__given),   cmocka_unit_test(test_cli_opt__set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
