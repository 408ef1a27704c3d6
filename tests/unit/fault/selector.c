#include "fault/selector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *name_at(void *names, int i)
{
    return ((const char *const *)names)[i];
}

/* Names as exporters give them: paths, numbers, twice the same, characters with a meaning. */
static const char *const names[] = {
    "conv1", "conv2", "layer1.0.conv1", "layer1.0.conv2", "191", "Relu", "Relu", "model/out:0",
    "4-5",   "a,b",
};
enum { N_NAMES = sizeof names / sizeof *names, N_NUMBERS = 12 };

typedef struct good_case {
    const char *selector;
    const char *chosen; /* a character per thing: 1 or . */
} good_case;

static void check(const char *selector, const char *expected, bsr_select_name name)
{
    unsigned char chosen[16];
    char got[17] = {0};
    int n = (int)strlen(expected);
    memset(chosen, 7, sizeof chosen);
    bsr_status status = bsr_select(chosen, n, selector, "layer", name, (void *)names);
    if (status != BSR_OK)
        fail_msg("'%s': %s", selector, bsr_error_message());
    for (int i = 0; i < n; i++)
        got[i] = chosen[i] == 1 ? '1' : chosen[i] == 0 ? '.' : '?';
    if (strcmp(got, expected) != 0)
        fail_msg("'%s' gives %s, expected %s", selector, got, expected);
    for (size_t i = (size_t)n; i < sizeof chosen; i++)
        assert_int_equal(chosen[i], 7);
}

static void test_fault_selector__numbers(void **state)
{
    static const good_case cases[] = {
        {NULL, "111111111111"},        {"", "111111111111"},      {"all", "111111111111"},
        {"0", "1..........."},         {"11", "...........1"},    {"0007", ".......1...."},
        {"3,1,3", ".1.1........"},     {"2:5", "..111......."},   {"9:12", ".........111"},
        {"2-5", "..1111......"},       {"4-4", "....1......."},   {":3", "111........."},
        {"0-11", "111111111111"},      {"9:", ".........111"},    {":", "111111111111"},
        {" 1 , 3:5 ", ".1.11......."}, {"!0", ".11111111111"},    {"!0,!2:4", ".1..11111111"},
        {"0:6,!2", "11.111......"},    {"!2,2", "111111111111"},  {"0:6, ! 2-3 ,3", "11.111......"},
        {"all,!1:", "1..........."},   {"1,all", "111111111111"}, {"!5-11,!0:3,4", "...11......."},
        {"5,!6", ".....1......"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].selector, cases[i].chosen, NULL);
    check("0", "1", NULL);
    check(":", "1", NULL);
}

static void test_fault_selector__names(void **state)
{
    static const good_case cases[] = {
        {"conv1", "1........."},
        {"conv1,conv2", "11........"},
        {"Relu", ".....11..."},        /* both of that name */
        {"191", "....1....."},         /* a name, not number 191 */
        {"4", "....1....."},           /* number 4, no such name */
        {"4-5", "........1."},         /* a name, not the range */
        {"4:6", "....11...."},         /* not a name */
        {"model/out:0", ".......1.."}, /* not a range */
        {"*", "1111111111"},
        {"**", "1111111111"},
        {"conv*", "11........"},
        {"*conv1", "1.1......."},
        {"*conv?", "1111......"},
        {"layer1.*.conv2", "...1......"},
        {"*1*1", "..1.1....."}, /* layer1.0.conv1 and 191 */
        {"l*c*n*1", "..1......."},
        {"????", ".....11..."},
        {"a?b", ".........1"}, /* the comma */
        {"*,!*conv*", "....111111"},
        {"!layer*", "11..111111"},
        {"conv*,!conv1,5:7", ".1...11..."},
        {"all,!Relu", "11111..111"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].selector, cases[i].chosen, name_at);
}

static void test_fault_selector__errors(void **state)
{
    static const struct {
        const char *selector;
        int named;
        bsr_status status;
        const char *message;
    } cases[] = {
        {"12", 0, BSR_ENOTFOUND, "layer 12 does not exist, there are 12 (0 to 11)"},
        {"1,99999999999999999999", 0, BSR_ENOTFOUND,
         "layer 99999999999999999999 does not exist, there are 12 (0 to 11)"},
        {"2147483647", 0, BSR_ENOTFOUND, "layer 2147483647 does not exist, there are 12 (0 to 11)"},
        {"5:13", 0, BSR_ENOTFOUND, "layers 5:13 do not all exist, there are 12 (0 to 11)"},
        {"5-12", 0, BSR_ENOTFOUND, "layers 5-12 do not all exist, there are 12 (0 to 11)"},
        {"12:", 0, BSR_ENOTFOUND, "layers 12: do not all exist, there are 12 (0 to 11)"},
        {"2147483647:", 0, BSR_ENOTFOUND,
         "layers 2147483647: do not all exist, there are 12 (0 to 11)"},
        {"0-4294967296", 0, BSR_ENOTFOUND,
         "layers 0-4294967296 do not all exist, there are 12 (0 to 11)"},
        {"4294967296-4294967297", 0, BSR_ENOTFOUND,
         "layers 4294967296-4294967297 do not all exist, there are 12 (0 to 11)"},
        {"!12", 0, BSR_ENOTFOUND, "layer 12 does not exist, there are 12 (0 to 11)"},
        {"5-4", 0, BSR_EINVAL, "layer selector: range '5-4' at character 1 is empty"},
        {"0,5:5", 0, BSR_EINVAL, "layer selector: range '5:5' at character 3 is empty"},
        {":0", 0, BSR_EINVAL, "layer selector: range ':0' at character 1 is empty"},
        {"1,2,3-", 0, BSR_EINVAL, "layer selector: '3-' at character 5 is not a number or range"},
        {"-3", 0, BSR_EINVAL, "layer selector: '-3' at character 1 is not a number or range"},
        {"1-2-3", 0, BSR_EINVAL, "layer selector: '1-2-3' at character 1 is not a number or range"},
        {"1:2:3", 0, BSR_EINVAL, "layer selector: '1:2:3' at character 1 is not a number or range"},
        {"3 : 5", 0, BSR_EINVAL, "layer selector: '3 : 5' at character 1 is not a number or range"},
        {"0x1", 0, BSR_EINVAL, "layer selector: '0x1' at character 1 is not a number or range"},
        {"1 2", 0, BSR_EINVAL, "layer selector: '1 2' at character 1 is not a number or range"},
        {"*", 0, BSR_EINVAL, "layer selector: '*' at character 1 is not a number or range"},
        {"1,,2", 0, BSR_EINVAL, "layer selector: '' at character 3 is not a number or range"},
        {"1,", 0, BSR_EINVAL, "layer selector: '' at character 3 is not a number or range"},
        {"1, !", 0, BSR_EINVAL, "layer selector: '' at character 5 is not a number or range"},
        {"!!1", 0, BSR_EINVAL, "layer selector: '!1' at character 2 is not a number or range"},
        {"all,!all", 0, BSR_ENOTFOUND, "layer selector 'all,!all' selects nothing"},
        {"3,!0:6", 0, BSR_ENOTFOUND, "layer selector '3,!0:6' selects nothing"},

        {"25", 1, BSR_ENOTFOUND, "layer 25 does not exist, there are 10 (0 to 9)"},
        {"3-", 1, BSR_EINVAL, "layer selector: '3-' at character 1 is not a number, range or name"},
        {"conv1,,", 1, BSR_EINVAL,
         "layer selector: '' at character 7 is not a number, range or name"},
        {"pool", 1, BSR_ENOTFOUND, "layer 'pool' does not exist"},
        {"conv7", 1, BSR_ENOTFOUND, "layer 'conv7' does not exist, did you mean 'conv1'?"},
        {"relu", 1, BSR_ENOTFOUND, "layer 'relu' does not exist, did you mean 'Relu'?"},
        {"conv1, layer1.conv1", 1, BSR_ENOTFOUND,
         "layer 'layer1.conv1' does not exist, did you mean 'layer1.0.conv1'?"},
        {"b", 1, BSR_ENOTFOUND, "layer 'b' does not exist"},
        {"conv3*", 1, BSR_ENOTFOUND, "no layer matches 'conv3*'"},
        {"??????????????z", 1, BSR_ENOTFOUND, "no layer matches '??????????????z'"},
        {"Rel", 1, BSR_ENOTFOUND, "layer 'Rel' does not exist, did you mean 'Relu'?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char chosen[16];
        bsr_status status =
            bsr_select(chosen, cases[i].named ? N_NAMES : N_NUMBERS, cases[i].selector, "layer",
                       cases[i].named ? name_at : NULL, (void *)names);
        assert_string_equal(bsr_error_message(), cases[i].message);
        assert_int_equal(status, cases[i].status);
    }
}

static void test_fault_selector__nothing_there(void **state)
{
    assert_int_equal(bsr_select(NULL, 0, NULL, "tensor", NULL, NULL), BSR_ENOTFOUND);
    assert_string_equal(bsr_error_message(), "there is no tensor to select");
}

/* A matcher that tries every * again would take 30^15 steps here. */
static void test_fault_selector__many_stars(void **state)
{
    static const char *const one[] = {
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    unsigned char chosen[1];
    assert_int_equal(
        bsr_select(chosen, 1, "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "layer", name_at, (void *)one),
        BSR_ENOTFOUND);
    assert_int_equal(
        bsr_select(chosen, 1, "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*", "layer", name_at, (void *)one),
        BSR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_selector__numbers),
        cmocka_unit_test(test_fault_selector__names),
        cmocka_unit_test(test_fault_selector__errors),
        cmocka_unit_test(test_fault_selector__nothing_there),
        cmocka_unit_test(test_fault_selector__many_stars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
