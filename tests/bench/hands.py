"""Hand-written SQL for the cells of rollups, as few words as possible: it knows what the data of the benchmarks lacks.

That is merges, tests, releases, refusals, logged hops, failures to deliver and feedback. Each statement gives the cells of its
rollup under their own names; tests/metrics/test_hands.py compares them, cell by cell.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.contest import Found

if TYPE_CHECKING:
    import pyarrow as pa

DAY = 86_400_000_000
FOLLOW = 14 * DAY
TABLES = (
    "signals", "activations", "activation_signals", "message_events", "suppression_events", "outcomes", "predictions",
    "labels", "data_watermarks",
)  # fmt: skip
SENT = """sent AS (SELECT activation_id, min(epoch_us(event_at)) us FROM message_events
  WHERE event_type = 'sent' AND epoch_us(event_at) <= {end} GROUP BY 1)"""
# Signals with their first send `f`, first stop or purchase `r`, and state; {{own}} are columns of the signals alone.
CODED = f"""{SENT},
  s AS (SELECT signal_id, person_id, model_id, model_version, signal_name, epoch_us(scored_at) us,
    CAST(window_seconds * 1000000 AS BIGINT) w, arm, decision, expected_value e, coalesce(currency, '') currency FROM signals),
  first AS (SELECT signal_id, min(sent.us) us, arg_min(channel, coalesce(sent.us, 9e18)) channel,
    arg_min(campaign_id, coalesce(sent.us, 9e18)) campaign_id, arg_min(provider, coalesce(sent.us, 9e18)) provider
    FROM activation_signals JOIN activations USING (activation_id) {{planned}} JOIN sent USING (activation_id)
    WHERE purpose = 'marketing' GROUP BY 1),
  x AS (SELECT person_id, epoch_us(effective_at) us, coalesce(epoch_us(expires_at), 9e18) ends
    FROM suppression_events WHERE action = 'suppress' AND epoch_us(effective_at) <= {{end}}),
  stop AS (SELECT signal_id, min(x.us) us FROM s JOIN x USING (person_id) WHERE x.us >= s.us OR x.ends > s.us GROUP BY 1),
  won AS (SELECT signal_id, min(epoch_us(o.occurred_at)) us FROM s JOIN outcomes o USING (person_id)
    WHERE outcome_type <> 'churn' AND epoch_us(o.occurred_at) BETWEEN s.us AND {{end}} GROUP BY 1),
  coded AS (SELECT s.*, s.us // {DAY} AS day, first.us f, channel, campaign_id, provider,
    CASE WHEN arm = 'holdout' THEN 'holdout' WHEN decision <> 'activate' THEN 'no_action'
      WHEN least(stop.us, won.us) < coalesce(first.us, 9e18) THEN
        CASE WHEN won.us <= coalesce(stop.us, 9e18) THEN 'bought_first' ELSE 'suppressed' END
      WHEN first.us - s.us > w THEN 'late' WHEN first.us IS NOT NULL THEN 'in_window'
      WHEN {{end}} - s.us < w THEN 'open' ELSE 'missed' END AS state
    FROM s LEFT JOIN first USING (signal_id) LEFT JOIN stop USING (signal_id) LEFT JOIN won USING (signal_id))"""
KEYS = "day, model_id, model_version, signal_name, channel, campaign_id, provider"
TOOK = "greatest(f - us, 0)"
GRID = f"CAST(floor(256 * ln(1 + {TOOK} / 1e6)) AS BIGINT)"
LINKS = "['identity','integration','latency','holdout','suppressed','bought_first','clock','open','delivery','reached']"
LINK = (
    f"list_position({LINKS}, CASE state WHEN 'missed' THEN 'integration' WHEN 'late' THEN 'latency'"
    " WHEN 'in_window' THEN 'reached' ELSE state END) - 1"
)
LINE = f"""WITH {CODED},
  t AS (SELECT signal_id, person_id, model_id, us, (us - lag(us) OVER of <= w) IS NOT TRUE AS first FROM s
    WHERE decision = 'activate' WINDOW of AS (PARTITION BY person_id, model_id ORDER BY us, signal_id)),
  n AS (SELECT signal_id, person_id, us, lead(us, 1, {2**62}) OVER (PARTITION BY person_id, model_id ORDER BY us, signal_id) AS next
    FROM t WHERE first AND person_id IN (SELECT person_id FROM outcomes)),
  b AS (SELECT signal_id, count(*) won, sum(coalesce(revenue, 0)) revenue FROM n JOIN outcomes o USING (person_id)
    WHERE outcome_type <> 'churn' AND reversed_at IS NULL AND epoch_us(occurred_at) >= us
      AND epoch_us(occurred_at) < least(next, us + {FOLLOW} + 1) GROUP BY 1),
  m AS (SELECT c.*, t.first, coalesce(b.won, 0) won, state = 'open' OR {{end}} - c.us < {FOLLOW} AS young,
      CASE WHEN t.first THEN coalesce(b.revenue, 0) END AS revenue
    FROM coded c JOIN t USING (signal_id) LEFT JOIN b USING (signal_id))
SELECT day, model_id, campaign_id, channel, CASE WHEN young THEN 'no' ELSE 'yes' END AS followed, {LINK} AS code,
  model_id AS line, currency, count(*) n, sum(first::INT) units, sum((state = 'in_window' AND won > 0)::INT) converted,
  sum(CASE WHEN first THEN e ELSE 0 END) expected, count(revenue) FILTER (NOT young) revenue_n,
  coalesce(avg(revenue) FILTER (NOT young), 0) revenue_mean,
  coalesce(var_pop(revenue) FILTER (NOT young), 0) * count(revenue) FILTER (NOT young) revenue_m2
FROM m GROUP BY ALL"""
DUE = f"""WITH {CODED}
SELECT {KEYS}, CASE WHEN state = 'in_window' THEN greatest(f, us) ELSE us + w END // 60000000 AS minute,
  sum((state = 'in_window')::INT) good, sum((state <> 'in_window')::INT) bad
FROM coded WHERE state IN ('in_window', 'late', 'missed') GROUP BY ALL"""
STEPS = f"""WITH {CODED}
SELECT {KEYS}, 'sent' AS hop, {{sent}} AS step, 1 + (1 << {{sent}}) AS mask, 0 AS broken, {GRID} AS bucket, {GRID} AS low_bucket,
  {GRID} AS high_bucket, count(*) n, 0 AS inverted, sum({TOOK}) us, sum({TOOK}) low_us, sum({TOOK}) high_us
FROM coded WHERE state IN ('in_window', 'late') GROUP BY ALL"""
CHAINS = f"""WITH {CODED}
SELECT {KEYS}, 1 + (1 << {{sent}}) AS mask, 0 AS broken, count(*) n FROM coded WHERE state IN ('in_window', 'late') GROUP BY ALL"""
_TRIED = f"""{SENT.replace(" AND epoch_us(event_at) <= {end}", "")},
  model AS (SELECT activation_id, CASE WHEN min(model_id) = max(model_id) THEN min(model_id) END model_id
    FROM activation_signals JOIN signals USING (signal_id) GROUP BY 1),
  tried AS (SELECT activation_id, person_id, channel, campaign_id, provider, us, us // {DAY} AS day
    FROM sent JOIN activations USING (activation_id) WHERE person_id IS NOT NULL),
  x AS (SELECT person_id, epoch_us(effective_at) us, coalesce(epoch_us(expires_at), 9e18) ends,
    greatest(epoch_us(effective_at), coalesce(epoch_us(received_at), 0)) known, origin_channel, trigger_type, jurisdiction,
    scope_channels, row_number() OVER (ORDER BY effective_at, suppression_event_id) rank
    FROM suppression_events WHERE action = 'suppress'),
  p AS (SELECT activation_id, rank, tried.us - x.us took, known < tried.us heard, trigger_type NOT IN ('conversion', 'hard_bounce')
      AND (scope_channels IS NULL OR scope_channels = '*' OR contains('|' || scope_channels || '|', '|' || channel || '|')) industry
    FROM tried JOIN x ON tried.person_id = x.person_id AND x.us < tried.us AND tried.us < x.ends)"""
SENDS = f"""WITH {_TRIED},
  v AS (SELECT activation_id, min(rank) st, min(rank) FILTER (industry) it, min(rank) FILTER (heard) sr,
    min(rank) FILTER (industry AND heard) ir FROM p GROUP BY 1),
  w AS (SELECT activation_id, st AS rank, 0 AS clock, 1 AS strict, (it = st)::INT AS industry FROM v
    UNION ALL SELECT activation_id, it, 0, 0, 1 FROM v WHERE it <> st
    UNION ALL SELECT activation_id, sr, 1, 1, (ir = sr)::INT FROM v WHERE sr IS NOT NULL
    UNION ALL SELECT activation_id, ir, 1, 0, 1 FROM v WHERE ir <> sr)
SELECT day, channel, campaign_id, provider, model_id, 0 AS kind, coalesce(clock, 0) AS clock, 1 AS marketing,
  coalesce(channel <> origin_channel, false)::INT AS crossing, 0 AS cross_record,
  count(*) FILTER (rank IS NULL OR clock = 0 AND strict = 1) n,
  coalesce(sum(strict), 0) strict_truth, coalesce(sum(industry), 0) industry_truth
FROM tried LEFT JOIN w USING (activation_id) LEFT JOIN x USING (rank) LEFT JOIN model USING (activation_id) GROUP BY ALL"""
STOPS = f"""WITH {_TRIED},
  v AS (SELECT rank, 1 AS strict, max(industry::INT) industry, max(heard::INT) heard FROM p
    WHERE took <= {30 * DAY} GROUP BY 1)
SELECT us // {DAY} AS day, trigger_type, origin_channel, jurisdiction,
  CAST(ceil((us + {30 * DAY}) / 60000000.0) AS BIGINT) AS ripe, count(*) n, coalesce(sum(strict), 0) strict_truth_effective,
  coalesce(sum(industry), 0) industry_truth_effective, coalesce(sum(heard), 0) strict_truth_received
FROM x LEFT JOIN v USING (rank) GROUP BY ALL"""
CONSENTS = f"""WITH {_TRIED}
SELECT day, channel, campaign_id, provider, model_id, count(*) n, count(*) gaps, 0 AS unproven
FROM tried LEFT JOIN model USING (activation_id) GROUP BY ALL"""
WITHHELD = f"""SELECT epoch_us(event_at) // {DAY} AS day, channel, campaign_id, provider, NULL AS model_id, count(*) n
FROM message_events JOIN activations USING (activation_id) WHERE event_type IN ('blocked', 'skipped')
  OR event_type = 'failed' AND provider_code IN ('21610', '131050') GROUP BY ALL"""
FEEDBACK = f"""WITH o AS (SELECT person_id, outcome_type, epoch_us(occurred_at) us, us // {DAY} AS day FROM outcomes),
  d AS (SELECT day, CASE WHEN count(*) > 20000 THEN 60 ELSE 1 END AS step FROM o GROUP BY 1),
  f AS (SELECT person_id, min(epoch_us(scored_at)) us FROM signals WHERE person_id IN (SELECT person_id FROM o) GROUP BY 1)
SELECT day, outcome_type, 0 AS code, o.us // 1000000 // step * step - 946684800 AS bucket, count(*) n,
  sum(o.us % (1000000 * step)) us
FROM o JOIN d USING (day) JOIN f USING (person_id) WHERE f.us <= o.us AND o.us <= {{end}} GROUP BY ALL"""
SCORED = f"epoch_us(scored_at) // {DAY} AS day, model_id, model_version, signal_name"
STALENESS = f"""WITH s AS (SELECT {SCORED}, epoch_us(scored_at) - epoch_us(features_as_of) us FROM signals
    WHERE features_as_of IS NOT NULL AND NOT coalesce(is_test, false))
SELECT day, model_id, model_version, signal_name, 1 AS code, CAST(floor(256 * ln(1 + us / 1e6)) AS BIGINT) AS bucket, count(*) n,
  sum(us) us FROM s GROUP BY ALL"""
LINKED = f"SELECT {SCORED}, count(*) n, sum((person_id IS NULL)::INT) unlinked FROM signals WHERE NOT coalesce(is_test, false) GROUP BY ALL"
PREDICTED = f"epoch_us(predicted_at) // {DAY} AS day, model_id, model_version"
ARRIVALS = f"""SELECT {PREDICTED}, epoch_us(predicted_at) // {DAY} AS "on", coalesce((epoch_us(labelled_at) - epoch_us(predicted_at)) // {DAY}, -1) AS age, count(*) n
FROM predictions LEFT JOIN labels USING (prediction_id) GROUP BY ALL"""
DECISIONS = f"""SELECT {PREDICTED}, attr_segment, (score >= threshold)::INT AS decision, coalesce(label, -1) AS label, count(*) n
FROM predictions LEFT JOIN labels USING (prediction_id) GROUP BY ALL"""
SERVICE = f"""SELECT {PREDICTED}, CASE WHEN latency_ms >= 0 THEN CAST(floor(ln(greatest(latency_ms, 1e-6)) * 64 + 2000) AS BIGINT)
  ELSE -1 END AS latency, count(*) n, count(cost_amount) cost_n FROM predictions GROUP BY ALL"""
RELEASES = f"""SELECT epoch_us(predicted_at) // {DAY} AS day, model_id, epoch_us(predicted_at) // {DAY} AS "on", coalesce(model_version, '') AS version, count(*) n
FROM predictions GROUP BY ALL"""
STATEMENTS = {
    "activation.due": DUE, "activation.steps": STEPS, "activation.chains": CHAINS, "activation.feedback": FEEDBACK,
    "activation.staleness": STALENESS, "chain.line": LINE, "suppression.sends": SENDS, "suppression.stops": STOPS,
    "suppression.consents": CONSENTS, "suppression.withheld": WITHHELD, "identity.signals": LINKED, "model.arrivals": ARRIVALS,
    "model.service": SERVICE, "model.releases": RELEASES, "fairness.decisions": DECISIONS,
}  # fmt: skip


def cells(home: Path, rollup: str) -> pa.Table:
    """The cells of a rollup."""
    import duckdb

    from data.schema import HOPS
    from tests.bench.warehouses import fact_paths

    con = duckdb.connect()
    con.execute("SET threads=2; SET preserve_insertion_order=false; SET memory_limit='3GB'")
    con.execute(f"SET temp_directory='{home}/scratch'")
    for name in TABLES:
        con.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{fact_paths(home, name)}])")
    (end,) = con.execute("SELECT min(epoch_us(complete_through_at)) FROM data_watermarks").fetchone() or (0,)
    planned = "LEFT" if rollup == "chain.line" else ""
    text = STATEMENTS[rollup].format(end=end, planned=planned, sent=HOPS.index("sent"))
    return con.execute(text).to_arrow_table()


def counted(home: Path, rollup: str) -> Found:
    """How many cells there are: what a contender tells."""
    return {rollup: cells(home, rollup).num_rows}
