"""All rows, by the name they are run by."""

from tests.benchmarks.measure import Row
from tests.benchmarks.rows import encoder, evaluation, loading, page, parallel, start, streaming, training

ROWS: tuple[Row, ...] = (
    start.ROW,
    *streaming.ROWS,
    page.TTFT,
    *evaluation.ROWS,
    *encoder.ROWS,
    *training.ROWS,
    *loading.ROWS,
    *parallel.ROWS,
    page.COLUMNS,
    page.TABLE,
)
