#include "unit/data/temp_files.h"

#include "data/data_card.h"

static bsr_status parse(bsr_card **card, const char *text)
{
    return bsr_card_parse(card, text, strlen(text), "c.yaml");
}

static const char full[] = "# all keys\n"
                           "data: cifar10:test.bin\n"
                           "mean: [0.485, 0.456, 0.406]\n"
                           "std: [0.25]\n"
                           "images: 10/class\n"
                           "order: BGR\n"
                           "labels: val.txt\n"
                           "class_offset: -1\n"
                           "resize: 256\n"
                           "crop: 224\n";

static void test_data_data_card__all_keys(void **state)
{
    bsr_card *c;
    assert_int_equal(parse(&c, full), BSR_OK);
    assert_string_equal(c->data, "cifar10:test.bin");
    assert_int_equal(c->mean_count, 3);
    assert_true(c->mean[0] == 0.485 && c->mean[1] == 0.456 && c->mean[2] == 0.406);
    assert_int_equal(c->std_count, 1);
    assert_true(c->std[0] == 0.25);
    assert_string_equal(c->images, "10/class");
    assert_int_equal(c->order, BSR_ORDER_BGR);
    assert_string_equal(c->labels, "val.txt");
    assert_int_equal(c->class_offset, -1);
    assert_int_equal(c->resize, 256);
    assert_int_equal(c->crop, 224);
    bsr_card_free(c);
    bsr_card_free(NULL);
}

static void test_data_data_card__least(void **state)
{
    bsr_card *c;
    assert_int_equal(parse(&c, "{data: 'folder:a b'}"), BSR_OK);
    assert_string_equal(c->data, "folder:a b");
    assert_int_equal(c->mean_count + c->std_count, 0);
    assert_null(c->images);
    assert_null(c->labels);
    assert_int_equal(c->order, BSR_ORDER_DEFAULT);
    assert_int_equal(c->class_offset, BSR_CLASS_OFFSET_DEFAULT);
    assert_int_equal(c->resize + c->crop, 0);
    bsr_card_free(c);
}

static void test_data_data_card__errors(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "card 'c.yaml' is empty"},
        {"order: RGB\n", "card 'c.yaml' has no key 'data'"},
        {"data: x\n\ncolour: RGB\n",
         "card 'c.yaml' line 3: unknown key 'colour'; known are data, mean, std, images, order, "
         "labels, class_offset, resize and crop"},
        {"data: x\norder: GRB\n", "card 'c.yaml' line 2: order is 'GRB', expected RGB or BGR"},
        {"data: x\nresize: 7.5\n",
         "card 'c.yaml' line 2: resize is '7.5', expected a whole number from 1 to 65535"},
        {"data: x\n\n\ncrop: 0\n",
         "card 'c.yaml' line 4: crop is '0', expected a whole number from 1 to 65535"},
        {"data: x\nclass_offset: 70000\n",
         "card 'c.yaml' line 2: class_offset is '70000', expected a whole number from -65535 to "
         "65535"},
        {"data: x\nmean: [1, a]\n", "card 'c.yaml' line 2: Invalid FLOAT value: a"},
        {"data: x\nmean: [1, 2, 3, 4]\n",
         "card 'c.yaml' line 2: Excessive entries (3 max) in sequence."},
        {"data: x\nmean: 0.5\n", "card 'c.yaml' line 2: Expecting SEQUENCE, got event: SCALAR"},
        {"data: x\ndata: y\n", "card 'c.yaml' line 1: Mapping field already seen: data"},
        {"- data\n", "card 'c.yaml': Expecting MAPPING, got event: SEQUENCE_START"},
        {"data: x\n---\ndata: y\n", "card 'c.yaml': Ignoring documents after first in stream"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bsr_card *c;
        assert_int_equal(parse(&c, cases[i].text), BSR_EFORMAT);
        assert_string_equal(bsr_error_message(), cases[i].message);
        assert_null(c);
    }
    bsr_card *c;
    assert_fails(parse(&c, "data: \x01\n"), BSR_EFORMAT, "control characters");
    assert_fails(parse(&c, "data: &a x\nlabels: *a\n"), BSR_EFORMAT, "card 'c.yaml'", "lias");
}

static void test_data_data_card__limit(void **state)
{
    static char text[BSR_MAX_CARD_BYTES + 1];
    memset(text, '\n', sizeof text);
    memcpy(text, "data: x", 7);
    bsr_card *c;
    assert_int_equal(bsr_card_parse(&c, text, sizeof text - 1, "c.yaml"), BSR_OK);
    bsr_card_free(c);
    assert_fails(bsr_card_parse(&c, text, sizeof text, "c.yaml"), BSR_ELIMIT,
                 "card 'c.yaml' has 65537 bytes, at most 65536 are read");
    assert_null(c);
}

static bsr_status parse_and_free(void)
{
    bsr_card *c;
    bsr_status status = parse(&c, full);
    bsr_card_free(c);
    return status;
}

static void test_data_data_card__no_memory(void **state)
{
    assert_survives_no_memory(parse_and_free());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_data_card__all_keys),
        cmocka_unit_test(test_data_data_card__least),
        cmocka_unit_test(test_data_data_card__errors),
        cmocka_unit_test(test_data_data_card__limit),
        cmocka_unit_test(test_data_data_card__no_memory),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
