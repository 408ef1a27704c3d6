#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/alloc.h"
#include "bitseer/protect.h"
#include "report/protection_parts.h"

/* JSON without blanks and newlines outside of strings. */
static void squeeze(char *s)
{
    char *to = s;
    int quoted = 0;
    for (; *s; s++) {
        if (*s == '"' && s[-1] != '\\')
            quoted = !quoted;
        if (quoted || (*s != ' ' && *s != '\n'))
            *to++ = *s;
    }
    *to = 0;
}

static void expect_json(char *text, const char *expected)
{
    squeeze(text);
    assert_string_equal(text, expected);
    bsr_text_free(text);
}

static void expect_text(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    bsr_text_free(text);
}

static const unsigned char channels[] = {1, 0};

/* 40 words of 8 bits, the second layer's by parity, which leaves the MVF open. */
static bsr_protection *make_protection(void)
{
    static bsr_protected_layer layers[2];
    static bsr_protect_step steps[1];
    static bsr_protection p;
    layers[0] = (bsr_protected_layer){.index = 0,
                                      .name = "conv, \"1\"",
                                      .channels = channels + 1,
                                      .n_channels = 1,
                                      .sites = 24,
                                      .stored_bits = 192,
                                      .before = {0.25, 0.125, 0.5},
                                      .after = {{0.25, 0.125, 0.5}, {0.25, 0.125, 0.5}}};
    layers[1] = (bsr_protected_layer){.index = 2,
                                      .name = "fc",
                                      .by = BSR_PROTECT_PARITY,
                                      .bits = 0xc1,
                                      .channels = channels,
                                      .n_channels = 2,
                                      .sites = 16,
                                      .words = 8,
                                      .stored_bits = 128,
                                      .added_bits = 8,
                                      .before = {0.5, 0.5, 0.5},
                                      .after = {{0, 0, 0.125}, {0.25, 0.125, 0.375}}};
    steps[0] = (bsr_protect_step){
        1, BSR_PROTECT_PARITY, 0xc1, 8, {{0.125, 0.0625, 0.25}, {0.25, 0.125, 0.5}}};
    p = (bsr_protection){.path = "r.db",
                         .target = "weight",
                         .fault = "bitflip",
                         .sampling = "sites",
                         .run_format = "int8",
                         .format = "",
                         .complete = 1,
                         .planned = 1,
                         .images = 10,
                         .confidence = 0.9,
                         .n_layers = 2,
                         .layers = layers,
                         .stored_bits = 320,
                         .added_bits = 8,
                         .before = {0.375, 0.25, 0.5},
                         .after = steps[0].mvf,
                         .check_lo = 0,
                         .check_hi = 0.5,
                         .n_steps = 1,
                         .steps = steps,
                         .target_vf = 0.25,
                         .budget = -1,
                         .reached = 1};
    return &p;
}

static const bsr_confirmation confirmed = {100, 90, {0.1875, 0.125, 0.25}};

static const char text_expected[] =
    "protect r.db: target weight, single bit flips, sampling sites, 10 images\n"
    "stored as int8 in the run\n"
    "\n"
    "layer  name       by      bits   words  bits added     LVF         then          interval\n"
    "    0  conv, \"1\"  -       -          0           0  25.000       25.000  [12.500, 50.000]\n"
    "    2  fc         parity  0,6-7      8           8  50.000  0 to 25.000       [0, 37.500]\n"
    "(LVF in %; then: under the protection; interval: 90 %)\n"
    "\n"
    "plan, best saving per bit first\n"
    "step  layer  name  by      bits   bits added      %               MVF         interval\n"
    "   1      2  fc    parity  0,6-7           8  2.500  12.500 to 25.000  [6.250, 50.000]\n"
    "target MVF 25.000 %: reached\n"
    "\n"
    "MVF          37.500 %, 90 % interval [25.000, 50.000]\n"
    "then         12.500 to 25.000 %, 90 % interval [6.250, 50.000]\n"
    "storage      320 bits, +8 (2.500 %)\n"
    "added bits   VF 0 to 50.000 %, on top of the above\n"
    "injected     100 faults drawn, 90 left by the protection: VF 18.750 %, 90 % interval [12.500, "
    "25.000]\n";

static const char json_expected[] =
    "{\"command\":\"protect\",\"run\":\"r.db\",\"target\":\"weight\",\"fault\":\"bitflip\","
    "\"sampling\":\"sites\",\"run_format\":\"int8\",\"format\":null,\"clip\":false,"
    "\"complete\":true,\"images\":10,\"confidence\":0.9,"
    "\"before\":{\"value\":0.375,\"ci\":[0.25,0.5]},"
    "\"after\":{\"low\":0.125,\"high\":0.25,\"ci\":[0.0625,0.5]},"
    "\"stored_bits\":320,\"added_bits\":8,\"overhead\":0.025,\"added_bits_vf\":[0.0,0.5],"
    "\"layers\":[{\"index\":0,\"name\":\"conv, \\\"1\\\"\",\"by\":\"\",\"bits\":[],"
    "\"channels\":0,\"words\":0,\"stored_bits\":192,\"added_bits\":0,"
    "\"before\":{\"value\":0.25,\"ci\":[0.125,0.5]},"
    "\"after\":{\"low\":0.25,\"high\":0.25,\"ci\":[0.125,0.5]}},"
    "{\"index\":2,\"name\":\"fc\",\"by\":\"parity\",\"bits\":[0,6,7],\"channels\":1,\"words\":8,"
    "\"stored_bits\":128,\"added_bits\":8,\"before\":{\"value\":0.5,\"ci\":[0.5,0.5]},"
    "\"after\":{\"low\":0.0,\"high\":0.25,\"ci\":[0.0,0.375]}}],"
    "\"plan\":{\"target_vf\":0.25,\"budget\":null,\"reached\":true,\"steps\":["
    "{\"layer\":2,\"by\":\"parity\",\"bits\":[0,6,7],\"added_bits\":8,\"overhead\":0.025,"
    "\"mvf\":{\"low\":0.125,\"high\":0.25,\"ci\":[0.0625,0.5]}}]},"
    "\"confirmation\":{\"faults\":100,\"injected\":90,"
    "\"measured\":{\"value\":0.1875,\"ci\":[0.125,0.25]}}}";

static const char csv_expected[] =
    "step,layer,by,bits,added_bits,overhead,vf_low,vf_high,ci_lo,ci_hi\n"
    "0,,,,0,0,0.375,0.375,0.25,0.5\n"
    "1,2,parity,0 6-7,8,0.025,0.125,0.25,0.0625,0.5\n";

static void test_report_protection__whole(void **state)
{
    bsr_protection *p = make_protection();
    char *text;
    assert_int_equal(bsr_protection_text(&text, p, &confirmed), BSR_OK);
    expect_text(text, text_expected);
    assert_int_equal(bsr_protection_json(&text, p, &confirmed), BSR_OK);
    expect_json(text, json_expected);
    assert_int_equal(bsr_protection_csv(&text, p), BSR_OK);
    assert_string_equal(text, csv_expected);
    bsr_text_free(text);
    assert_int_equal(bsr_protection_svg(&text, p), BSR_OK);
    assert_non_null(strstr(text, "Vulnerability against added storage"));
    assert_non_null(strstr(text, "2.5"));
    bsr_text_free(text);
}

static void test_report_protection__parts(void **state)
{
    bsr_protection *p = make_protection();
    char *text;
    p->planned = 0;
    p->complete = 0;
    p->format = "fp16";
    p->clip = 1;
    p->added_bits = -160;
    p->check_hi = NAN;
    p->before = p->after.low = p->after.high = (bsr_share){NAN, 0, 1};
    assert_int_equal(bsr_protection_text(&text, p, NULL), BSR_OK);
    assert_non_null(strstr(text, "\nwhat if stored as fp16 (golden classes are those of the run)\n"
                                 "what if clipped at read to the range of the layer\n"
                                 "the run is not complete: its sample says nothing for certain\n"));
    assert_non_null(strstr(text, "\nstorage      320 bits, -160 (-50.000 %)\n"));
    assert_null(strstr(text, "plan"));
    assert_null(strstr(text, "added bits  "));
    bsr_text_free(text);
    assert_int_equal(bsr_protection_csv(&text, p), BSR_OK);
    assert_non_null(strstr(text, "\n1,,,,-160,-0.5,,,0,1\n"));
    bsr_text_free(text);
    assert_int_equal(bsr_protection_svg(&text, p), BSR_EINVAL);
    assert_null(text);
    assert_string_equal(bsr_bits_as_text(0).text, "");
    assert_string_equal(bsr_bits_as_text(UINT32_MAX).text, "0-31");
    assert_string_equal(bsr_bits_as_text(0x80000005).text, "0,2,31");
    /* The longest there is: every other bit. */
    assert_string_equal(bsr_bits_as_text(0x55555555).text,
                        "0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30");
}

static bsr_status write_one(char **text, int writer, const bsr_protection *p)
{
    return writer == 0   ? bsr_protection_text(text, p, &confirmed)
           : writer == 1 ? bsr_protection_json(text, p, &confirmed)
           : writer == 2 ? bsr_protection_csv(text, p)
                         : bsr_protection_svg(text, p);
}

/* A name is tried twice in JSON: some failures do no harm. */
static void test_report_protection__allocation_fails(void **state)
{
    bsr_protection *p = make_protection();
    for (int writer = 0; writer < 4; writer++) {
        char *whole;
        int failures = 0;
        assert_int_equal(write_one(&whole, writer, p), BSR_OK);
        for (long at = 1, pending = 0; !pending; at++) {
            char *text = NULL;
            bsr_alloc_fail_after(at);
            bsr_status status = write_one(&text, writer, p);
            pending = bsr_alloc_fail_pending();
            bsr_alloc_fail_after(0);
            failures += status == BSR_ENOMEM;
            if (status == BSR_OK)
                assert_string_equal(text, whole);
            else
                assert_int_equal(status, BSR_ENOMEM);
            bsr_text_free(text);
        }
        assert_true(failures > 0);
        bsr_text_free(whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_protection__whole),
        cmocka_unit_test(test_report_protection__parts),
        cmocka_unit_test(test_report_protection__allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
