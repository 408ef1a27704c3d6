#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec.h"

static spec s;
static char message[SPEC_MESSAGE];

static int parse(const char *text)
{
    return spec_parse(&s, text, strlen(text), "a.yaml", message);
}

static void assert_entry(int i, int line, const char *key, const char *value)
{
    assert_int_equal(s.entries[i].line, line);
    assert_string_equal(s.entries[i].key, key);
    assert_string_equal(s.entries[i].value, value);
}

static void test_cli_spec__values(void **state)
{
    assert_int_equal(parse("# a comment\n"
                           "command: inject\n"
                           "images: 100   # as text\n"
                           "\n"
                           "mean: [0.25, 0.5,\n"
                           "       1]\n"
                           "layers:\n"
                           "  - 0:2\n"
                           "  - '/fc/*'\n"
                           "transient: true\n"
                           "data: \"npz:a b.npz\"\n"),
                     0);
    assert_int_equal(s.n, 6);
    assert_entry(0, 2, "command", "inject");
    assert_entry(1, 3, "images", "100");
    assert_entry(2, 5, "mean", "0.25,0.5,1");
    assert_entry(3, 7, "layers", "0:2,/fc/*");
    assert_entry(4, 10, "transient", "true");
    assert_entry(5, 11, "data", "npz:a b.npz");
    spec_clear(&s);
    assert_int_equal(s.n, 0);
    assert_int_equal(parse("{a: 1, b: [2]}"), 0); /* flow style is the same mapping */
    assert_entry(0, 1, "a", "1");
    assert_entry(1, 1, "b", "2");
    spec_clear(&s);
    assert_int_equal(parse("---\na: 1\n...\n"), 0);
    assert_entry(0, 2, "a", "1");
    spec_clear(&s);
}

/* Texts after the colon that are libyaml's own are given by its documentation of the grammar only;
 * for those the place is what is checked. */
static void test_cli_spec__refused(void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "a.yaml:1: the file is empty"},
        {"# nothing\n", "a.yaml:1: the file is empty"},
        {"{}", "a.yaml:1: the mapping is empty"},
        {"- a\n- b\n", "a.yaml:1: expected a mapping of keys to values"},
        {"just text\n", "a.yaml:1: expected a mapping of keys to values"},
        {"a: 1\nb:\n  c: 2\n", "a.yaml:3: a mapping or sequence inside another is not allowed"},
        {"a: 1\nb: [1, [2]]\n", "a.yaml:2: a mapping or sequence inside another is not allowed"},
        {"a: 1\n[b, c]: 2\n", "a.yaml:2: a mapping or sequence inside another is not allowed"},
        {"a: &x 1\n", "a.yaml:1: anchors and aliases are not allowed"},
        {"a: 1\nb: *x\n", "a.yaml:2: anchors and aliases are not allowed"},
        {"a: 1\nb: [2, *x]\n", "a.yaml:2: anchors and aliases are not allowed"},
        {"&x\na: 1\n", "a.yaml:1: anchors and aliases are not allowed"},
        {"a: !!int 1\n", "a.yaml:1: tags are not allowed"},
        {"a: 1\nb: 2\na: 3\n", "a.yaml:3: key 'a' is there twice, first on line 1"},
        {"a: 1\nb:\n", "a.yaml:2: b is empty"},
        {"a: 1\nb: []\n", "a.yaml:2: b is empty"},
        {"a: 1\nb: ''\n", "a.yaml:2: b is empty"},
        {"a: [1, '']\n", "a.yaml:1: a is empty"},
        {"a: 1\n'': 2\n", "a.yaml:2: a key is empty"},
        {"a: |\n  two\n  lines\n", "a.yaml:1: a has a line end or control character"},
        {"a: \"x\\0y\"\n", "a.yaml:1: a has a line end or control character"},
        {"\"a\\tb\": 1\n", "a.yaml:1: a key has a line end or control character"},
        {"a: 1\n---\nb: 2\n", "a.yaml:2: a second document is not allowed"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(parse(bad[i].text), -1);
        assert_string_equal(message, bad[i].message);
        spec_clear(&s);
    }
}

static void test_cli_spec__no_yaml(void **state)
{
    static const struct {
        const char *text, *place;
    } bad[] = {
        {"a: 1\nb: [2\n", "a.yaml:3: "},    {"a: 1\nb: 'x\n", "a.yaml:3: "},
        {"a: 1\n\tb: 2\n", "a.yaml:2: "},   {"a: 1\nb: 2: 3\n", "a.yaml:2: "},
        {"a: 1\nb: \x01\n", "a.yaml:"},     {"\xff\xfe\x00", "a.yaml:1: "},
        {"a: 1\n b: 2\n}\n", "a.yaml:2: "}, {"%YAML 9.9\n---\na: 1\n", "a.yaml:1: "},
        {"a: 1\nb: \xc3\x28\n", "a.yaml:"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(parse(bad[i].text), -1);
        assert_int_equal(strncmp(message, bad[i].place, strlen(bad[i].place)), 0);
        assert_null(strpbrk(message, "\r\n"));
        spec_clear(&s);
    }
}

static void test_cli_spec__limits(void **state)
{
    char text[2048] = "";
    for (int i = 0; i <= SPEC_KEYS; i++)
        sprintf(text + strlen(text), "key%d: %d\n", i, i);
    assert_int_equal(parse(text), -1);
    assert_string_equal(message, "a.yaml:65: more than 64 keys");
    spec_clear(&s);
    *strstr(text, "key64") = 0;
    assert_int_equal(parse(text), 0);
    assert_entry(63, 64, "key63", "63");
    spec_clear(&s);
}

static void test_cli_spec__files(void **state)
{
    int unreadable;
    assert_int_equal(spec_read(&s, "no/such.yaml", &unreadable, message), -1);
    assert_true(unreadable);
    assert_string_equal(message, "cannot read 'no/such.yaml': No such file or directory");
    assert_int_equal(spec_read(&s, "/", &unreadable, message), -1);
    assert_true(unreadable);
    assert_string_equal(message, "cannot read '/': Is a directory");
    assert_int_equal(spec_read(&s, "/dev/zero", &unreadable, message), -1);
    assert_false(unreadable);
    assert_string_equal(message, "/dev/zero: more than 65536 bytes");
    spec_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cli_spec__values),  cmocka_unit_test(test_cli_spec__refused),
        cmocka_unit_test(test_cli_spec__no_yaml), cmocka_unit_test(test_cli_spec__limits),
        cmocka_unit_test(test_cli_spec__files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
