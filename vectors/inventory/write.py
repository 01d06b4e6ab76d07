"""Writes the Parquet files of this folder: inventories as S3 lays them out. Needs pyarrow 26.0.1."""

import datetime
import pathlib

import pyarrow
import pyarrow.parquet

FOLDER = pathlib.Path(__file__).parent
DAY = datetime.datetime(2026, 1, 2, 3, 4, 5)

# Bucket, key, version, whether it is the latest, whether it is a delete marker.
ROWS = [
    ("lake", "2026/cats and dogs+%2B.csv", "v1", True, False),
    ("lake", "naïve/日本", "v1", True, False),
    ("lake", "replaced", "v1", False, False),
    ("lake", "deleted", "v2", True, True),
    ("lake", "folder/", "v1", True, False),
    ("sea", "fish", "v1", True, False),
    *(("lake", f"many/{number:04}", "v1", True, False) for number in range(1_000)),
]

# The columns as the user's guide of S3 has them in `fileSchema`.
SCHEMA = pyarrow.schema(
    [
        pyarrow.field("bucket", pyarrow.string(), nullable=False),
        pyarrow.field("key", pyarrow.string(), nullable=False),
        pyarrow.field("version_id", pyarrow.string()),
        pyarrow.field("is_latest", pyarrow.bool_()),
        pyarrow.field("is_delete_marker", pyarrow.bool_()),
        pyarrow.field("size", pyarrow.int64()),
        pyarrow.field("last_modified_date", pyarrow.timestamp("ms")),
    ]
)


def table(schema: pyarrow.Schema) -> pyarrow.Table:
    columns = [*zip(*ROWS), [7] * len(ROWS), [DAY] * len(ROWS)]
    whole = pyarrow.table(dict(zip(SCHEMA.names, map(list, columns))), schema=SCHEMA)
    return whole.select(schema.names)


def write(name: str, schema: pyarrow.Schema, **options) -> None:
    pyarrow.parquet.write_table(
        table(schema), FOLDER / name, row_group_size=300, store_schema=False, **options
    )


current = pyarrow.schema([SCHEMA.field("bucket"), SCHEMA.field("key"), SCHEMA.field("size")])
write("versions-snappy.parquet", SCHEMA, compression="snappy")
write("versions-gzip.parquet", SCHEMA, compression="gzip", data_page_version="2.0")
write("current-plain.parquet", current, compression="none", use_dictionary=False)
write("no-key.parquet", pyarrow.schema([SCHEMA.field("bucket")]), compression="snappy")
write("brotli.parquet", current, compression="brotli")
