/* Rays against direct injection of the same faults: random sites of three networks, weights and
 * activations, and some complete channels. A violation is a (fault, image) pair that breaks the
 * interval rule; the rule is a theorem only up to the first nonlinear layer behind the fault, so
 * they are counted, printed and must stay rare. Exit 77 without any of the networks. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bitseer/run.h"
#include "support/zoo.h"

static int failures;
static uint64_t all_sites, all_violations, all_checked;

static const struct plan {
    const char *network;
    int layers;   /* convolutions and fully connected */
    double limit; /* largest difference of a vulnerability factor */
    /* Complete channels: rays and injection of everything in them. */
    const char *layer, *channels;
} plans[] = {
    /* All flips of 8-bit codes are tried: there the two must agree exactly. */
    {"cifar10_resnet20_akamaster_bn", 20, 2e-4, "17", "3"},
    {"cifar10_resnet8_mlperftiny_int8_qdq", 10, 2e-4, "4", "0,5"},
    {"fashion_resnet", 10, 2e-4, "7", "1"},
};

static void check_sites(const struct plan *p, const bsr_model *model, const bsr_dataset *data,
                        bsr_target target)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_result *r;
    o.target = target;
    int each = (340 + p->layers) / p->layers;
    char plan[32];
    snprintf(plan, sizeof plan, "sites:%d", each);
    o.plan = plan;
    o.check = (uint64_t)each * (uint64_t)p->layers;
    o.seed = 9;
    zoo_check(bsr_analyze(&r, model, data, &o), p->network);
    uint64_t sites = 0;
    for (int i = 0; i < r->n_layers; i++)
        sites += r->layers[i].sampled_sites;
    double share = (double)r->violations / (double)r->checked;
    printf("%-38s %-10s %4llu sites, %7llu pairs: %llu violations (%.1e), VF %.3f %%\n", p->network,
           r->target, (unsigned long long)sites, (unsigned long long)r->checked,
           (unsigned long long)r->violations, share, 100 * r->mvf.value);
    /* Violations on either side cancel in a VF: their share bounds the difference. */
    if (share > p->limit || !r->checked) {
        printf("FAILED: more than %.0e of the pairs\n", p->limit);
        failures++;
    }
    all_sites += sites;
    all_violations += r->violations;
    all_checked += r->checked;
    bsr_result_free(r);
}

static void compare_channels(const struct plan *p, const bsr_model *model, const bsr_dataset *data)
{
    bsr_run_options o = BSR_RUN_OPTIONS_INIT;
    bsr_result *direct, *rays;
    o.layers = p->layer;
    o.channels = p->channels;
    o.plan = "exhaustive";
    zoo_check(bsr_inject(&direct, model, data, &o), p->network);
    zoo_check(bsr_analyze(&rays, model, data, &o), p->network);
    const bsr_layer_result *a = &direct->layers[0], *b = &rays->layers[0];
    int same = a->n_bits == b->n_bits && a->outcomes.pairs == b->outcomes.pairs &&
               fabs(a->vf.value - b->vf.value) <= p->limit;
    /* A bit position has a share of the pairs only. */
    for (int k = 0; k < a->n_bits && same; k++)
        same = fabs(a->bits[k].vf.value - b->bits[k].vf.value) <= p->limit * a->n_bits;
    printf("%-38s layer %s, channels %s: VF %.4f %% by injection (%.2f s), %.4f %% by rays "
           "(%.2f s)\n",
           p->network, p->layer, p->channels, 100 * a->vf.value, direct->performance.seconds,
           100 * b->vf.value, rays->performance.seconds);
    if (!same) {
        printf("FAILED: rays and injection differ\n");
        failures++;
    }
    bsr_result_free(direct);
    bsr_result_free(rays);
}

int main(void)
{
    int there = 0;
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        const struct plan *p = &plans[i];
        if (!zoo_exists(zoo_find(p->network))) {
            printf("%s skipped: not there\n", p->network);
            continue;
        }
        bsr_model *model;
        bsr_dataset *data;
        there++;
        zoo_open(zoo_find(p->network), "20", &model, &data);
        check_sites(p, model, data, BSR_TARGET_WEIGHT);
        check_sites(p, model, data, BSR_TARGET_ACTIVATION);
        compare_channels(p, model, data);
        bsr_dataset_free(data);
        bsr_model_free(model);
    }
    if (!there) {
        printf("skipped: neither Debian's dataset-fashion-mnist nor BITSEER_DATA is there\n");
        return 77;
    }
    printf("%llu sites, %llu pairs, %llu violations: %d failures\n", (unsigned long long)all_sites,
           (unsigned long long)all_checked, (unsigned long long)all_violations, failures);
    return failures > 0;
}
