#include <math.h>

#include "bitseer/vvr.h"
#include "report/text_parts.h"

static const char columns[] =
    "layer|<~name|from|to|below %|caught|1 %|50 %|above %|caught|1 %|50 %";

static void side_cells(bsr_table *t, const bsr_vvr_side *s, uint64_t pairs, int has_range)
{
    bsr_table_cell(t, "%s", bsr_percent_of(s->pairs, pairs).text);
    bsr_table_cell(t, "%s",
                   has_range && s->pairs ? bsr_percent_of(s->outside, s->pairs).text : "-");
    for (int q = 1; q < BSR_VVR_QUANTILES; q += 3)
        bsr_table_cell(t, "%s", s->pairs ? bsr_real_cell(s->quantiles[q]).text : "-");
}

static void part_cells(bsr_table *t, const bsr_vvr_part *p)
{
    int has_range = !isnan(p->lo);
    bsr_table_cell(t, "%s", has_range ? bsr_real_cell(p->lo).text : "-");
    bsr_table_cell(t, "%s", has_range ? bsr_real_cell(p->hi).text : "-");
    side_cells(t, &p->below, p->pairs, has_range);
    side_cells(t, &p->above, p->pairs, has_range);
}

bsr_status bsr_vvr_text(char **out, const bsr_vvr_result *r)
{
    bsr_strbuf b = {0};
    bsr_table t;
    bsr_strbuf_add(&b, "vulnerable values of %s: target %s, %llu images\n\n", r->path, r->target,
                   (unsigned long long)r->images);
    bsr_table_init(&t, columns);
    for (int i = 0; i < r->n_layers; i++) {
        const bsr_vvr_part *l = &r->layers[i];
        bsr_table_cell(&t, "%d", l->index);
        bsr_table_cell(&t, "%s", l->name);
        part_cells(&t, l);
        for (int c = 0; r->channels && c < r->n_channels[i]; c++) {
            bsr_table_cell(&t, "%s", "");
            bsr_table_cell(&t, "channel %d", r->channels[i][c].index);
            part_cells(&t, &r->channels[i][c]);
        }
    }
    bsr_table_print(&t, &b);
    bsr_strbuf_add(
        &b, "\nfrom, to       fault-free range of the values observed\n"
            "below, above   (site, image) pairs with a critical fault on that side of the value\n"
            "caught         of these pairs, those all of whose critical faults of the side leave\n"
            "               the fault-free range: a check for that range catches them\n"
            "1 %%, 50 %%      quantiles of the nearest critical value, counted outwards: a limit\n"
            "               there catches all critical faults of 99 %%, of half of the pairs\n");
    return bsr_strbuf_take_ascii(out, &b);
}
