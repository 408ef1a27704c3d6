#include "unit/campaign/run_fixture.h"

#include <time.h>

#include "base/sha256.h"
#include "campaign/fault_list.h"

/* The checksums of the literal texts here are those of Python's hashlib.sha256. */
static const char known[] =
    "bitseer faults 1\n"
    "target weight\n"
    "format weight=int8\n"
    "0 0 - ff 1\n"
    "0 5 - 7f 80\n"
    "2 11 - 0 a5\n"
    "sha256 8b7976254b4f7464425e31129d525c94632006acc997e025a6f375450457e5fd\n";

static bsr_run_options options(void)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    o.format = "weight=int8";
    return o;
}

static bsr_status read_list(bsr_fault_list *list, bsr_spaces *all, const char *path)
{
    bsr_run_options o = options();
    return bsr_fault_list_read(list, path, all, &o);
}

static bsr_status read_bytes(const char *text, size_t n)
{
    bsr_fault_list list;
    bsr_spaces all;
    make_spaces(&all, 8);
    bsr_status status = read_list(&list, &all, temp_put("l", text, n));
    bsr_fault_list_clear(&list);
    bsr_spaces_clear(&all);
    return status;
}

static const char *with_sum(const char *text)
{
    static char all[1000];
    char hex[65];
    bsr_sha256 h;
    bsr_sha256_init(&h);
    bsr_sha256_update(&h, text, strlen(text));
    bsr_sha256_final(&h, hex);
    snprintf(all, sizeof all, "%ssha256 %s\n", text, hex);
    return all;
}

static bsr_status read_body(const char *lines)
{
    char text[600];
    snprintf(text, sizeof text, "bitseer faults 1\ntarget weight\nformat weight=int8\n%s", lines);
    const char *all = with_sum(text);
    return read_bytes(all, strlen(all));
}

static void assert_listed(const bsr_listed *f, int space, int64_t element, int pixel, uint32_t keep,
                          uint32_t flip)
{
    assert_int_equal(f->space, space);
    assert_int_equal(f->element, element);
    assert_int_equal(f->pixel, pixel);
    assert_int_equal(f->change.keep, keep);
    assert_int_equal(f->change.flip, flip);
}

static void test_campaign_fault_list__reads_and_writes(void **state)
{
    bsr_fault_list list;
    bsr_spaces all;
    char *text;
    make_spaces(&all, 8);
    assert_int_equal(read_list(&list, &all, temp_put("l", known, sizeof known - 1)), BSR_OK);
    assert_int_equal(list.n, 3);
    assert_listed(&list.faults[0], 0, 0, -1, 0xff, 1);
    assert_listed(&list.faults[1], 0, 5, -1, 0x7f, 0x80);
    assert_listed(&list.faults[2], 1, 11, -1, 0, 0xa5);

    assert_int_equal(all.model.kind, BSR_FAULT_LISTED);
    assert_int_equal(all.population, 3);
    assert_int_equal(all.sites, 3);
    assert_int_equal(all.spaces[0].population, 2);
    assert_int_equal(all.spaces[0].sites, 2);
    assert_int_equal(all.spaces[1].population, 1);
    assert_int_equal(all.spaces[1].first, 2);
    assert_int_equal(all.spaces[1].first_site, 2);
    assert_int_equal(all.spaces[1].n_variants, 1);
    assert_int_equal(all.spaces[1].variants[0], -1);
    assert_true(all.spaces[0].per_channel > 0);

    /* Bits of `keep` above the code do not matter: flips of one bit keep all 32. */
    list.faults[0].change.keep = UINT32_MAX;
    assert_int_equal(bsr_fault_list_text(&text, &list, &all, "weight", "weight=int8"), BSR_OK);
    assert_string_equal(text, known);
    bsr_free(text);
    bsr_fault_list_clear(&list);
    bsr_spaces_clear(&all);
}

static void test_campaign_fault_list__empty_format(void **state)
{
    bsr_fault_list list = {0};
    bsr_spaces all;
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    char *text;
    make_spaces(&all, 8);
    assert_int_equal(bsr_fault_list_text(&text, &list, &all, "weight", ""), BSR_OK);
    assert_string_equal(text, "bitseer faults 1\ntarget weight\nformat\nsha256 "
                              "522370a1cefc41561bf758ee79af3c73e9f3099aa24c4e9c9a40328318f4991b\n");
    bsr_free(text);
    const char *with_fault = with_sum("bitseer faults 1\ntarget weight\nformat\n0 1 - ff 2\n");
    assert_int_equal(
        bsr_fault_list_read(&list, temp_put("l", with_fault, strlen(with_fault)), &all, &o),
        BSR_OK);
    assert_int_equal(list.n, 1);
    bsr_fault_list_clear(&list);
    bsr_spaces_clear(&all);
}

static void test_campaign_fault_list__damage(void **state)
{
    char text[sizeof known];
    for (size_t i = 0; i < sizeof known - 1; i++)
        for (int bit = 0; bit < 8; bit++) {
            memcpy(text, known, sizeof known);
            text[i] ^= (char)(1 << bit);
            assert_int_equal(read_bytes(text, sizeof known - 1), BSR_EFORMAT);
        }
    for (size_t n = 0; n < sizeof known - 1; n++)
        assert_int_equal(read_bytes(known, n), BSR_EFORMAT);

    memcpy(text, known, sizeof known);
    *strstr(text, "0 5") = '1';
    assert_fails(read_bytes(text, sizeof known - 1), BSR_EFORMAT, "line 7", "was changed or cut");
    assert_fails(read_bytes(known, sizeof known - 75), BSR_EFORMAT, "expected 'sha256 '",
                 "as the last line");
    char more[sizeof known + 1];
    snprintf(more, sizeof more, "%s\n", known);
    assert_fails(read_bytes(more, sizeof known), BSR_EFORMAT, "line 8: ''");
}

static void test_campaign_fault_list__carriage_returns(void **state)
{
    char text[2 * sizeof known];
    size_t n = 0;
    for (const char *p = known; *p; p++) {
        if (*p == '\n')
            text[n++] = '\r';
        text[n++] = *p;
    }
    assert_fails(read_bytes(text, n), BSR_EFORMAT, "line 1", "no carriage return");
    assert_fails(read_body("0 0 - ff 1\r\n"), BSR_EFORMAT, "line 4",
                 "LAYER ELEMENT PIXEL KEEP FLIP");
}

static void test_campaign_fault_list__comments_and_order(void **state)
{
    bsr_fault_list list;
    bsr_spaces all;
    const char *text = with_sum("bitseer faults 1\n# by hand\n\ntarget weight\n#\n"
                                "format weight=int8\n\n2 0 - FF A\n# two\n0 3 - ff 80\n"
                                "0 3 - ff 1\n\n#end\n");
    make_spaces(&all, 8);
    assert_int_equal(read_list(&list, &all, temp_put("l", text, strlen(text))), BSR_OK);
    assert_int_equal(list.n, 3);
    assert_listed(&list.faults[0], 0, 3, -1, 0xff, 1);
    assert_listed(&list.faults[1], 0, 3, -1, 0xff, 0x80);
    assert_listed(&list.faults[2], 1, 0, -1, 0xff, 0xa);
    bsr_fault_list_clear(&list);
    bsr_spaces_clear(&all);
}

static void test_campaign_fault_list__refuses(void **state)
{
    static const struct {
        const char *lines;
        bsr_status status;
        const char *message;
    } cases[] = {
        {"", BSR_EINVAL, "lists no fault"},
        {"0 0 - ff\n", BSR_EFORMAT, "line 4: '0 0 - ff', expected LAYER ELEMENT PIXEL KEEP FLIP"},
        {"0 0 - ff 1 \n", BSR_EFORMAT, "line 4"},
        {"0  0 - ff 1\n", BSR_EFORMAT, "line 4"},
        {" 0 0 - ff 1\n", BSR_EFORMAT, "line 4"},
        {"-1 0 - ff 1\n", BSR_EFORMAT, "line 4"},
        {"0 a - ff 1\n", BSR_EFORMAT, "line 4"},
        {"0 0 - 0xff 1\n", BSR_EFORMAT, "line 4"},
        {"0 0 - ff g\n", BSR_EFORMAT, "line 4"},
        {"0 0 - ff 100000000\n", BSR_EFORMAT, "line 4"},
        {"0 9223372036854775808 - ff 1\n", BSR_EFORMAT, "line 4"},
        {"1 0 - ff 1\n", BSR_EINVAL, "line 4: layer 1 does not exist or is not selected"},
        {"3 0 - ff 1\n", BSR_EINVAL, "line 4: layer 3 does not exist or is not selected"},
        {"0 6 - ff 1\n", BSR_EINVAL, "line 4: layer 0 ('conv1') has 6 elements, no element 6"},
        {"0 0 - ff 1\n2 12 - ff 1\n", BSR_EINVAL, "line 5: layer 2"},
        {"0 0 - 1ff 1\n", BSR_EINVAL, "keep 1ff and flip 1, but codes of layer 0 ('conv1') have 8"},
        {"0 0 - ff 100\n", BSR_EINVAL, "keep ff and flip 100"},
        {"0 0 0 ff 1\n", BSR_EINVAL, "pixel 0, but only operand faults have pixels"},
        {"0 0 - ff 1\n0 0 - ff 1\n", BSR_EFORMAT, "line 5: the fault '0 0 - ff 1' is there twice"},
        {"0 1 - ff 1\n0 0 - ff 1\n0 1 - FF 01\n", BSR_EFORMAT,
         "line 6: the fault '0 1 - FF 01' is there twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(read_body(cases[i].lines), cases[i].status, cases[i].message);

    const char *text = with_sum("bitseer faults 1\ntarget bias\nformat weight=int8\n");
    assert_fails(read_bytes(text, strlen(text)), BSR_EINVAL,
                 "line 2: 'target bias', but the run's target is 'weight'");
    text = with_sum("bitseer faults 1\ntarget weight\nformat\n");
    assert_fails(read_bytes(text, strlen(text)), BSR_EINVAL,
                 "line 3: 'format', but the run's format is 'weight=int8'");
    text = with_sum("bitseer faults 1\nformat weight=int8\ntarget weight\n");
    assert_fails(read_bytes(text, strlen(text)), BSR_EFORMAT, "line 2", "expected 'target ...'");
    text = with_sum("bitseer faults 1\ntarget weight\n");
    assert_fails(read_bytes(text, strlen(text)), BSR_EFORMAT, "has no line 'format ...'");
    text = with_sum("bitseer faults 2\ntarget weight\n");
    assert_fails(read_bytes(text, strlen(text)), BSR_EFORMAT, "line 1", "'bitseer faults 1'");
    bsr_spaces all = {0};
    bsr_fault_list list;
    assert_fails(read_list(&list, &all, temp_path("none")), BSR_ENOTFOUND, "none");
}

static void test_campaign_fault_list__channels(void **state)
{
    bsr_fault_list list;
    bsr_spaces all;
    make_spaces(&all, 8);
    all.spaces[1].n_chosen = 2;
    all.spaces[1].chosen[1] = 2; /* 0 and 2 */
    const char *text = with_sum("bitseer faults 1\ntarget weight\nformat weight=int8\n"
                                "2 3 - ff 1\n2 5 - ff 1\n2 7 - ff 1\n");
    assert_fails(read_list(&list, &all, temp_put("l", text, strlen(text))), BSR_EINVAL,
                 "line 6: element 7 of layer 2", "is in channel 1, which is not selected");
    bsr_spaces_clear(&all);
}

static void test_campaign_fault_list__operands(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"0 1 0 ff 1\n", NULL},
        {"0 7 0 ff 1\n", NULL},
        {"0 0 1 ff 1\n", NULL},
        {"0 0 0 ff 1\n", "at output pixel 0 of layer 0 ('conv') element 0 meets the padding"},
        {"0 6 0 ff 1\n", "element 6 meets the padding"},
        {"0 0 3 ff 1\n", "has output pixels 0 to 2, not 3"},
        {"0 0 - ff 1\n", "has output pixels 0 to 2, not -1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bsr_fault_list list;
        bsr_spaces all;
        bsr_run_options o = options();
        char text[200];
        o.target = BSR_TARGET_OPERAND;
        make_operand_space(&all);
        snprintf(text, sizeof text, "bitseer faults 1\ntarget operand\nformat weight=int8\n%s",
                 cases[i].line);
        const char *path = temp_put("l", with_sum(text), strlen(with_sum(text)));
        if (cases[i].message)
            assert_fails(bsr_fault_list_read(&list, path, &all, &o), BSR_EINVAL, cases[i].message);
        else
            assert_int_equal(bsr_fault_list_read(&list, path, &all, &o), BSR_OK);
        bsr_fault_list_clear(&list);
        bsr_spaces_clear(&all);
    }
}

static bsr_status there_and_back(void)
{
    char *text = NULL;
    bsr_fault_list list;
    bsr_spaces all = {0};
    bsr_space spaces[2];
    int chosen[3] = {0, 1, 2};
    memset(spaces, 0, sizeof spaces);
    for (int i = 0; i < 2; i++)
        spaces[i] = (bsr_space){.id = i, .index = 2 * i, .width = 8, .outer = 6, .inner = 1};
    for (int i = 0; i < 2; i++) {
        spaces[i].channels = spaces[i].n_chosen = 3;
        spaces[i].chosen = chosen;
        spaces[i].name = (char *)(uintptr_t) "x";
        spaces[i].n_variants = 1;
    }
    all = (bsr_spaces){.n = 2, .spaces = spaces};
    bsr_status status = read_list(&list, &all, temp_path("known"));
    if (status == BSR_OK)
        status = bsr_fault_list_text(&text, &list, &all, "weight", "");
    bsr_free(text);
    bsr_fault_list_clear(&list);
    return status;
}

static void test_campaign_fault_list__no_memory(void **state)
{
    temp_put("known", known, sizeof known - 1);
    assert_survives_no_memory(there_and_back());
}

/* A million faults: seconds would be a bug in the order of growth. */
static void test_campaign_fault_list__large(void **state)
{
    enum { N = 1000000 };
    bsr_fault_list list = {.n = N}, back;
    bsr_spaces all;
    char *text;
    make_spaces(&all, 8);
    all.spaces[0].outer = N;
    list.faults = bsr_alloc_array(N, sizeof *list.faults);
    for (int i = 0; i < N; i++)
        list.faults[i] = (bsr_listed){.element = i, .pixel = -1, .change = {0xff, 1 + i % 255u}};
    clock_t start = clock();
    assert_int_equal(bsr_fault_list_text(&text, &list, &all, "weight", "weight=int8"), BSR_OK);
    const char *path = temp_put("large", text, strlen(text));
    assert_int_equal(read_list(&back, &all, path), BSR_OK);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 20);
    assert_int_equal(back.n, N);
    assert_memory_equal(&back.faults[N - 1].change, &list.faults[N - 1].change, sizeof(bsr_change));
    bsr_free(text);
    bsr_fault_list_clear(&list);
    bsr_fault_list_clear(&back);
    bsr_spaces_clear(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_campaign_fault_list__reads_and_writes),
        cmocka_unit_test(test_campaign_fault_list__empty_format),
        cmocka_unit_test(test_campaign_fault_list__damage),
        cmocka_unit_test(test_campaign_fault_list__carriage_returns),
        cmocka_unit_test(test_campaign_fault_list__comments_and_order),
        cmocka_unit_test(test_campaign_fault_list__refuses),
        cmocka_unit_test(test_campaign_fault_list__channels),
        cmocka_unit_test(test_campaign_fault_list__operands),
        cmocka_unit_test(test_campaign_fault_list__no_memory),
        cmocka_unit_test(test_campaign_fault_list__large),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
