#include "base/error.h"
#include "store/store_private.h"

/* Names are for people who query the file with sqlite3; docs/design/store.md explains them. `fault`
 * can have tens of millions of rows: it has no index but its key, and its values are mostly 0, 1
 * and NULL, which take no room but their type's byte. */
static const char campaign_tables[] =
    "CREATE TABLE fact(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE setting(id INTEGER PRIMARY KEY, name TEXT NOT NULL, value TEXT NOT NULL) STRICT;"
    "CREATE TABLE layer("
    "  id INTEGER PRIMARY KEY, number INTEGER NOT NULL, name TEXT NOT NULL, op TEXT NOT NULL,"
    "  format TEXT NOT NULL, place INTEGER NOT NULL, width INTEGER NOT NULL,"
    "  outer_size INTEGER NOT NULL, inner_size INTEGER NOT NULL, channels INTEGER NOT NULL,"
    "  per_channel INTEGER NOT NULL, sites INTEGER NOT NULL, population INTEGER NOT NULL,"
    "  first INTEGER NOT NULL, chosen TEXT NOT NULL, variants TEXT NOT NULL, windows BLOB,"
    "  pixels INTEGER NOT NULL, taps INTEGER NOT NULL, cin INTEGER NOT NULL) STRICT;"
    "CREATE TABLE stratum("
    "  id INTEGER PRIMARY KEY, layer INTEGER, variant INTEGER, population INTEGER NOT NULL,"
    "  planned INTEGER NOT NULL, p REAL) STRICT;"
    "CREATE TABLE listed("
    "  fault INTEGER PRIMARY KEY, layer INTEGER NOT NULL, element INTEGER NOT NULL,"
    "  pixel INTEGER NOT NULL, keep INTEGER NOT NULL, flip INTEGER NOT NULL) STRICT;"
    "CREATE TABLE fault("
    "  fault INTEGER PRIMARY KEY, pairs INTEGER NOT NULL, masked INTEGER, critical INTEGER,"
    "  due INTEGER, sdc INTEGER, top5 INTEGER, correct INTEGER, sse REAL,"
    "  critical_images BLOB) STRICT;"
    "CREATE TABLE masking("
    "  layer INTEGER NOT NULL, at INTEGER NOT NULL, pairs INTEGER NOT NULL,"
    "  PRIMARY KEY(layer, at)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE value("
    "  layer INTEGER NOT NULL, element INTEGER NOT NULL, pixel INTEGER NOT NULL, value REAL,"
    "  PRIMARY KEY(layer, element, pixel)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE session("
    "  id INTEGER PRIMARY KEY, started TEXT NOT NULL, version TEXT NOT NULL, cpu TEXT NOT NULL,"
    "  cpu_brand TEXT NOT NULL, threads INTEGER NOT NULL, seconds REAL, golden_seconds REAL,"
    "  forward_seconds REAL, evaluations INTEGER NOT NULL, injections INTEGER NOT NULL,"
    "  forward_equivalents REAL) STRICT;"
    /* Transient faults are numbered fault by fault, image by image. */
    "CREATE VIEW numbering AS"
    "  SELECT coalesce(max(CAST(value AS INTEGER)), 1) AS images, count(*) AS transient"
    "  FROM fact WHERE name = '" BSR_STORE_FACT_TRANSIENT_IMAGES "';"
    /* CROSS JOIN: layers outside, a range of `fault` for each inside. */
    "CREATE VIEW located AS"
    "  SELECT n.transient, l.*, (f.fault / n.images - l.first) / json_array_length(l.variants)"
    "    AS site, (f.fault / n.images - l.first) % json_array_length(l.variants) AS variant,"
    "    f.fault % n.images AS image, f.*"
    "  FROM numbering AS n CROSS JOIN layer AS l CROSS JOIN fault AS f"
    "    ON f.fault >= l.first * n.images AND f.fault < (l.first + l.population) * n.images;"
    "CREATE VIEW outcome AS"
    "  SELECT fault, id AS layer, number, name, op, format, site,"
    "    chosen ->> (site / per_channel) AS channel,"
    "    CASE WHEN per_channel = outer_size * inner_size THEN"
    "      (site % per_channel / inner_size * channels"
    "       + (chosen ->> (site / per_channel))) * inner_size"
    "      + site % per_channel % inner_size END AS element,"
    "    variant, nullif(variants ->> variant, -1) AS bit,"
    "    CASE WHEN transient THEN image END AS image,"
    "    pairs, masked, critical, due, sdc, top5, correct, sse, critical_images"
    "  FROM located;"
    "CREATE VIEW listed_outcome AS"
    "  SELECT f.fault, l.layer, y.number, y.name, y.op, y.format, l.element, l.pixel, l.keep,"
    "    l.flip, CASE WHEN n.transient THEN f.fault % n.images END AS image, f.pairs, f.masked,"
    "    f.critical, f.due, f.sdc, f.top5, f.correct, f.sse, f.critical_images"
    "  FROM numbering AS n CROSS JOIN listed AS l JOIN layer AS y ON y.id = l.layer"
    "    CROSS JOIN fault AS f"
    "    ON f.fault >= l.fault * n.images AND f.fault < (l.fault + 1) * n.images;";

static const char sweep_table[] =
    "CREATE TABLE chip("
    "  point INTEGER NOT NULL, run INTEGER NOT NULL, ber REAL, ber01 REAL,"
    "  weight_flips INTEGER NOT NULL, activation_flips INTEGER NOT NULL, images INTEGER NOT NULL,"
    "  correct INTEGER NOT NULL, critical INTEGER NOT NULL, due INTEGER NOT NULL,"
    "  sdc INTEGER NOT NULL, top5 INTEGER NOT NULL, sse REAL,"
    "  PRIMARY KEY(point, run)) STRICT, WITHOUT ROWID;";

static const char pair_tables[] =
    "CREATE TABLE pair("
    "  unit INTEGER PRIMARY KEY, critical INTEGER NOT NULL, errors INTEGER, by_bit BLOB,"
    "  bounds BLOB) STRICT;"
    "CREATE TABLE bounds(site INTEGER PRIMARY KEY, bounds BLOB NOT NULL) STRICT;"
    "CREATE TABLE screening("
    "  layer INTEGER PRIMARY KEY, pairs INTEGER NOT NULL, skipped INTEGER NOT NULL,"
    "  checked INTEGER NOT NULL, missed INTEGER NOT NULL) STRICT;"
    "CREATE TABLE score("
    "  layer INTEGER NOT NULL, channel INTEGER NOT NULL, vf REAL,"
    "  targets INTEGER NOT NULL, skipped INTEGER NOT NULL, single INTEGER NOT NULL,"
    "  simulations INTEGER NOT NULL, evaluations INTEGER NOT NULL,"
    "  PRIMARY KEY(layer, channel)) STRICT, WITHOUT ROWID;";

static const char prediction_tables[] =
    "CREATE TABLE prediction("
    "  point INTEGER PRIMARY KEY, model TEXT NOT NULL,"
    "  accuracy REAL, accuracy_lo REAL, accuracy_hi REAL,"
    "  critical REAL, critical_lo REAL, critical_hi REAL,"
    "  top5 REAL, top5_lo REAL, top5_hi REAL,"
    "  rmse REAL, rmse_lo REAL, rmse_hi REAL) STRICT;"
    "CREATE TABLE guard("
    "  point INTEGER PRIMARY KEY, patterns INTEGER NOT NULL, images INTEGER NOT NULL,"
    "  measured REAL, predicted REAL, ratio REAL, ratio_lo REAL, ratio_hi REAL,"
    "  rescaled INTEGER NOT NULL) STRICT;";

/* Script i leads from version i to i + 1. Scripts are never changed once released: append. */
static const char *const scripts[] = {campaign_tables, sweep_table, pair_tables, prediction_tables};

int bsr_schema_version(void)
{
    return (int)(sizeof scripts / sizeof *scripts);
}

bsr_status bsr_schema_upgrade(bsr_store *store)
{
    for (int v = store->version; v < bsr_schema_version(); v++)
        BSR_TRY(bsr_store_exec(store, scripts[v]));
    char sql[64];
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA user_version = %d", bsr_schema_version());
    BSR_TRY(bsr_store_exec(store, sql));
    store->version = bsr_schema_version();
    return BSR_OK;
}
