/* Which images stand for which, by hand. */
#include "logit_fixture.h"

/* Logits of class 0 and 1: margins 1, 4, 2 of class 0; 3, 0.5, 2 of class 1. */
static const float logits[6][2] = {{1, 0}, {0, 3}, {4, 0}, {2, 2.5f}, {2, 0}, {0, 2}};

static void open_six(population *p, size_t donors)
{
    open_population(p, 6, 2, donors, 0);
    memcpy(p->golden, logits, sizeof logits);
    must(bsr_rank_images(model_of(p)));
}

static void test_predict_donors__order_and_choice(void **state)
{
    static const uint32_t want[6] = {0, 4, 2, 3, 5, 1};
    size_t images[3];
    population p;
    open_six(&p, 3);
    assert_memory_equal(p.m.order, want, sizeof want);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(p.m.position[want[i]], i);
    bsr_choose_donors(images, 3, &p.m); /* the middles of three parts */
    assert_int_equal(images[0], 4);
    assert_int_equal(images[1], 3);
    assert_int_equal(images[2], 1);
    bsr_choose_donors(images, 1, &p.m);
    assert_int_equal(images[0], 3);
    close_population(&p);
}

/* Squared distances to images 4, 3, 1: of 0 1, 7.25, 10; of 2 4, 10.25, 25; of 5 8, 4.25, 1. */
static void test_predict_donors__nearest(void **state)
{
    static const uint32_t want[6][2] = {{0, 1}, {2, 2}, {0, 1}, {1, 1}, {0, 0}, {2, 1}};
    population p;
    open_six(&p, 3);
    p.donors[0].image = 4;
    p.donors[1].image = 3;
    p.donors[2].image = 1;
    must(bsr_assign_donors(&p.m));
    assert_memory_equal(p.m.donor, want, sizeof want);
    close_population(&p);
}

/* Fewer donors than two, and of equally near ones the first. */
static void test_predict_donors__one_and_ties(void **state)
{
    static const size_t images[] = {5, 1, 1, 5};
    bsr_near_trials near;
    population p;
    open_six(&p, 1);
    must(bsr_assign_donors(&p.m));
    for (int i = 0; i < 6; i++)
        assert_true(p.m.donor[i][0] == 0 && p.m.donor[i][1] == 0);
    must(bsr_near_trials_init(&near, &p.m, images, 4, 3, 4));
    assert_int_equal(near.window, 3);
    assert_memory_equal(near.trial + 1 * 3, ((const uint32_t[]){1, 2, 0}), 3 * sizeof(uint32_t));
    assert_memory_equal(near.trial + 5 * 3, ((const uint32_t[]){0, 3, 1}), 3 * sizeof(uint32_t));
    bsr_near_trials_clear(&near);
    must(bsr_near_trials_init(&near, &p.m, images, 4, 9, 4));
    assert_int_equal(near.window, 4);
    bsr_near_trials_clear(&near);
    close_population(&p);
}

static void test_predict_donors__no_memory(void **state)
{
    population p;
    bsr_status status = BSR_ENOMEM;
    open_six(&p, 2);
    for (long n = 1; status == BSR_ENOMEM; n++) {
        bsr_free(p.m.donor);
        p.m.donor = NULL;
        bsr_alloc_fail_after(n);
        status = bsr_assign_donors(&p.m);
        assert_true(status == BSR_ENOMEM || bsr_alloc_fail_pending());
    }
    bsr_alloc_fail_after(0);
    assert_int_equal(status, BSR_OK);
    close_population(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predict_donors__order_and_choice),
        cmocka_unit_test(test_predict_donors__nearest),
        cmocka_unit_test(test_predict_donors__one_and_ties),
        cmocka_unit_test(test_predict_donors__no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
