/* Option tables that several commands have, and what they mean together. */
#include <string.h>

#include "cli.h"

#define FIELD(member) offsetof(settings, member)

const opt run_opts[] = {
    {"threads", 'j', OPT_INT, FIELD(run.threads), "N",
     "worker threads; results do not depend on it (default: all processors)", 1, 1024, NULL, 0},
    {"cpu-mask", 0, OPT_WORD, FIELD(run.cpu), "NAME",
     "kernels ref, avx2 or avx512; results do not depend on it (default: the best)", 0, 0,
     "ref|avx2|avx512", 0},
    {"max-memory", 0, OPT_SIZE, FIELD(run.max_memory), "SIZE",
     "memory to stay below, such as 500M, by working on sets of images (default 2G)", 1048576, 0,
     NULL, 0},
    {"progress", 0, OPT_FLAG, FIELD(progress), "", "show progress although stderr is no terminal",
     0, 0, NULL, 0},
    {"quiet", 'q', OPT_FLAG, FIELD(quiet), "", "never show progress", 0, 0, NULL, 0},
    {NULL}};

const opt interval_opts[] = {{"confidence", 0, OPT_DOUBLE, FIELD(run.confidence), "P",
                              "of the intervals (default 0.95)", 0.5, 0.999999, NULL, 0},
                             {NULL}};

const opt format_opts[] = {
    {"format", 0, OPT_STRING, FIELD(run.format), "FORMAT",
     "how the target (eval, sweep: the weights), or with TARGET=FORMAT,... each target, is stored: "
     "fp16, bf16, e4m3, e5m2, int2 to int16, uint2 to uint16, qI.F, binary; options such as "
     "int8/channel or fp32/range=1 (default: as in the file)",
     0, 0, NULL, 0},
    {"calibrate", 0, OPT_INT, FIELD(calibrate), "N",
     "images from which ranges of activations come (default 100)", 1, 1000000000, NULL, 0},
    {NULL}};

const opt fault_opts[] = {
    {"target", 't', OPT_CHOICE, FIELD(target), "T",
     "what is hit: weight, bias, activation, output, input, operand, operand-weight, norm, scale "
     "or "
     "zero-point",
     0, 0, "weight|bias|activation|input|operand|operand-weight|norm|scale|zero-point|output", 1},
    {"layers", 0, OPT_STRING, FIELD(run.layers), "LIST",
     "weight, bias, operands, output: numbers, ranges A:B (without B) or A-B, names, shell "
     "patterns "
     "(default all)",
     0, 0, NULL, 0},
    {"tensors", 0, OPT_STRING, FIELD(run.tensors), "LIST",
     "activation, norm, scale, zero-point: names, shell patterns (default: of activations what "
     "convolutions and Gemm read, else all)",
     0, 0, NULL, 0},
    {"channels", 0, OPT_STRING, FIELD(run.channels), "LIST",
     "output channels, or channels of the tensor; 'all' reports each of them too", 0, 0, NULL, 0},
    {"bits", 0, OPT_STRING, FIELD(run.bits), "LIST",
     "bit positions, 0 is the least significant (default all)", 0, 0, NULL, 0},
    {"fault", 0, OPT_STRING, FIELD(run.fault), "F",
     "bitflip, mbu:K, mbu:word8, mask:HEX, stuck0, stuck1, random, zero, ber:P or ber01:P,Q "
     "(default bitflip)",
     0, 0, NULL, 0},
    {"transient", 0, OPT_FLAG, FIELD(run.transient), "", "each fault hits one image, drawn with it",
     0, 0, NULL, 0},
    {"persist", 0, OPT_FLAG, FIELD(persist), "", "each fault hits all images (default)", 0, 0, NULL,
     0},
    {NULL}};

const opt plan_opts[] = {
    {"plan", 0, OPT_STRING, FIELD(run.plan), "P",
     "exhaustive (or complete), random:N, network-wise, layer-wise, data-unaware, data-aware, "
     "adaptive, or with rays sites:N, channels:R (default: random:1000, analyze sites:100)",
     0, 0, NULL, 0},
    {"margin", 0, OPT_DOUBLE, FIELD(run.margin), "E",
     "half-width of intervals that plans ask for (default 0.01)", 0.000001, 0.5, NULL, 0},
    {"shares", 0, OPT_STRING, FIELD(run.shares), "LIST",
     "data-aware: the share expected for each bit, lowest first; run:RUN.db: as that run measured; "
     "minmax: from the weights (default minmax)",
     0, 0, NULL, 0},
    {"faults", 0, OPT_PATH, FIELD(run.faults), "FILE",
     "list of faults to inject, in place of a plan", 0, 0, NULL, 0},
    {"seed", 0, OPT_U64, FIELD(run.seed), "N", "of the random choices (default 0)", 0,
     9007199254740991.0, NULL, 0},
    {"method", 0, OPT_WORD, FIELD(run.method), "M",
     "direct: run the network with each fault; ray: find for each site and image the interval of "
     "harmless errors; deepvigor: of analyze alone, the method of that name as published (default: "
     "direct, analyze ray)",
     0, 0, "direct|ray|deepvigor", 0},
    {"screen", 0, OPT_THRESHOLD, FIELD(run.screen), "THETA",
     "take faults that to first order eat less than this share of every margin for harmless, but "
     "for a random part that checks it; off: evaluate all (default: off, analyze 0.1)",
     0.000001, 1000, NULL, 0},
    {"screen-check", 0, OPT_U64, FIELD(run.screen_checks), "N",
     "skipped (fault, image) pairs to evaluate all the same, about (default: one in 256)", 1,
     9007199254740991.0, NULL, 0},
    {"verify", 0, OPT_U64, FIELD(run.verify), "N",
     "inject N (fault, image) pairs of the sample directly, for an unbiased correction (default 0)",
     0, 9007199254740991.0, NULL, 0},
    {"max-time", 0, OPT_TIME, FIELD(run.max_time), "TIME",
     "end a sampled run after so long with what it has: seconds, or 90s, 5m, 2h (default: none)", 0,
     1e9, NULL, 0},
    {"vvr", 0, OPT_FLAG, FIELD(run.bounds), "",
     "rays: keep the bounds of harmless and critical errors of every site and image", 0, 0, NULL,
     0},
    {NULL}};

const opt report_opts[] = {
    {"per-channel", 0, OPT_FLAG, FIELD(run.per_channel), "", "report every channel", 0, 0, NULL, 0},
    {"worst", 0, OPT_INT, FIELD(run.worst), "N", "worst sites to report (default 10)", 0, 1000000,
     NULL, 0},
    {NULL}};

static const char *const exclusive[][2] = {
    {"transient", "persist"},
    {"faults", "plan"},
    {"faults", "sampling"},
    {"plan", "sampling"},
};

/* Selectors that the targets use. */
static const struct {
    int layers, tensors;
} selectors[BSR_TARGETS] = {
    [BSR_TARGET_WEIGHT] = {1, 0},  [BSR_TARGET_BIAS] = {1, 0},
    [BSR_TARGET_OPERAND] = {1, 0}, [BSR_TARGET_OPERAND_WEIGHT] = {1, 0},
    [BSR_TARGET_NORM] = {0, 1},    [BSR_TARGET_ACTIVATION] = {0, 1},
    [BSR_TARGET_SCALE] = {0, 1},   [BSR_TARGET_ZERO_POINT] = {0, 1},
    [BSR_TARGET_OUTPUT] = {1, 0},
};

/* Options with defaults that the library cannot tell from what was given. */
static const char *const not_of_deepvigor[] = {"margin", "worst"};

static int check_method(const settings *s)
{
    size_t n = sizeof not_of_deepvigor / sizeof *not_of_deepvigor;
    if (!s->run.method || strcmp(s->run.method, "deepvigor") != 0)
        return EXIT_DONE;
    for (size_t i = 0; i < n; i++)
        if (opt_text(&s->options, not_of_deepvigor[i])) {
            complain("method deepvigor does without --%s", not_of_deepvigor[i]);
            return EXIT_USAGE;
        }
    return EXIT_DONE;
}

int check_options(const settings *s)
{
    const opt_parser *p = &s->options;
    for (size_t i = 0; i < sizeof exclusive / sizeof *exclusive; i++)
        if (opt_text(p, exclusive[i][0]) && opt_text(p, exclusive[i][1])) {
            complain("--%s and --%s exclude each other", exclusive[i][0], exclusive[i][1]);
            return EXIT_USAGE;
        }
    /* A selector that the target does not use would be a silent mistake. */
    if (s->target >= 0 && s->run.layers && !selectors[s->target].layers)
        complain("--layers needs --target weight, bias, output, operand or operand-weight");
    else if (s->target >= 0 && s->run.tensors && !selectors[s->target].tensors)
        complain("--tensors needs --target activation, norm, scale or zero-point");
    else
        return check_method(s);
    return EXIT_USAGE;
}

bsr_run_options run_options(const settings *s)
{
    bsr_run_options o = s->run;
    if (s->target >= 0)
        o.target = (bsr_target)s->target;
    if (s->calibrate > 0)
        o.calibrate = (size_t)s->calibrate;
    if (o.channels && strcmp(o.channels, "all") == 0) {
        o.channels = NULL;
        o.per_channel = 1;
    }
    if (o.plan && strcmp(o.plan, "complete") == 0)
        o.plan = "exhaustive";
    return o;
}
