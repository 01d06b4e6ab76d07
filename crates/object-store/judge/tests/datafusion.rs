//! DataFusion writes Parquet and queries it, in an encrypted store and beside it in a bare one.

#[path = "../../tests/setup/probe.rs"]
#[allow(dead_code, reason = "the tests of the crate take the rest")]
mod probe;
mod setup;

use std::sync::Arc;

use arrow::{
    array::{Int32Array, Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
    util::pretty::pretty_format_batches,
};
use datafusion::{
    config::TableParquetOptions,
    dataframe::DataFrameWriteOptions,
    prelude::{ParquetReadOptions, SessionContext},
};
use futures::TryStreamExt as _;
use object_cipher_object_store::EncryptedStore;
use object_store::{ObjectStore, memory::InMemory};
use probe::Probe;
use url::Url;

const ROWS: i64 = 300_000;

/// In the manner of TPC-H's queries 1, 3 and 6.
const QUERIES: [&str; 4] = [
    "SELECT returnflag, linestatus, sum(quantity), sum(price), sum(price * (100 - discount)), \
     avg(quantity), count(*) FROM lineitem WHERE shipday <= 2400 \
     GROUP BY returnflag, linestatus ORDER BY returnflag, linestatus",
    "SELECT sum(price * discount) FROM lineitem \
     WHERE shipday BETWEEN 365 AND 730 AND discount BETWEEN 5 AND 7 AND quantity < 24",
    "SELECT l.orderkey, sum(l.price * (100 - l.discount)) AS revenue, o.orderday \
     FROM orders o JOIN lineitem l ON l.orderkey = o.orderkey \
     WHERE o.segment = 'BUILDING' AND o.orderday < 1200 AND l.shipday > 1200 \
     GROUP BY l.orderkey, o.orderday ORDER BY revenue DESC, o.orderday, l.orderkey LIMIT 10",
    "SELECT count(*), max(orderkey), min(shipday) FROM lineitem",
];

/// A number that depends on a row and a column, and on nothing else.
fn draw(row: i64, column: u64, below: u64) -> u64 {
    let mut state = row.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (column << 56);
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (state ^ (state >> 31)) % below
}

fn ints(column: u64, below: u64) -> Int32Array {
    (0..ROWS).map(|row| Some(i32::try_from(draw(row, column, below)).unwrap())).collect()
}

fn words(column: u64, of: &[&'static str]) -> StringArray {
    let word = |row| of[usize::try_from(draw(row, column, of.len() as u64)).unwrap()];
    (0..ROWS).map(|row| Some(word(row))).collect()
}

/// Quantities, cents and per cent: whole numbers, whose sums do not depend on their order.
fn amounts(column: u64, below: u64) -> Int64Array {
    (0..ROWS).map(|row| Some(draw(row, column, below).cast_signed())).collect()
}

fn lineitem() -> RecordBatch {
    let fields = [
        ("orderkey", DataType::Int64),
        ("quantity", DataType::Int64),
        ("price", DataType::Int64),
        ("discount", DataType::Int64),
        ("returnflag", DataType::Utf8),
        ("linestatus", DataType::Utf8),
        ("shipday", DataType::Int32),
    ];
    let orders = (0..ROWS).map(|row| Some(row / 4)).collect::<Int64Array>();
    batch(
        &fields,
        vec![
            Arc::new(orders),
            Arc::new(amounts(1, 50)),
            Arc::new(amounts(2, 10_000_000)),
            Arc::new(amounts(3, 11)),
            Arc::new(words(4, &["A", "N", "R"])),
            Arc::new(words(5, &["F", "O"])),
            Arc::new(ints(6, 2_500)),
        ],
    )
}

fn orders() -> RecordBatch {
    let fields = [
        ("orderkey", DataType::Int64),
        ("segment", DataType::Utf8),
        ("orderday", DataType::Int32),
    ];
    let keys = (0..ROWS).map(Some).collect::<Int64Array>();
    let segments = words(7, &["BUILDING", "MACHINERY", "HOUSEHOLD"]);
    batch(&fields, vec![Arc::new(keys), Arc::new(segments), Arc::new(ints(8, 2_400))])
}

fn batch(fields: &[(&str, DataType)], columns: Vec<arrow::array::ArrayRef>) -> RecordBatch {
    let fields: Vec<_> =
        fields.iter().map(|(name, kind)| Field::new(*name, kind.clone(), false)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// DataFusion over a store, with both tables written as Parquet.
async fn tables(store: Arc<dyn ObjectStore>) -> SessionContext {
    let context = SessionContext::new();
    context.register_object_store(&Url::parse("lake://tables").unwrap(), store);
    for (name, table) in [("lineitem", lineitem()), ("orders", orders())] {
        let place = format!("lake://tables/{name}/");
        let mut parquet = TableParquetOptions::default();
        parquet.global.compression = Some("uncompressed".to_owned());
        parquet.global.max_row_group_size = 100_000;
        let frame = context.read_batch(table).unwrap();
        frame.write_parquet(&place, DataFrameWriteOptions::new(), Some(parquet)).await.unwrap();
        context.register_parquet(name, &place, ParquetReadOptions::default()).await.unwrap();
    }
    context
}

async fn answer(context: &SessionContext, query: &str) -> String {
    let rows = context.sql(query).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&rows).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_of_encrypted_parquet_give_what_queries_of_plain_parquet_give() {
    let plain = tables(Arc::new(InMemory::new())).await;
    for cipher in [setup::sse_kms(), setup::dsse_kms()] {
        let store = EncryptedStore::new(InMemory::new(), "tables", cipher);
        let encrypted = tables(Arc::new(store.clone())).await;
        for query in QUERIES {
            let expected = answer(&plain, query).await;
            assert!(expected.lines().count() > 4, "{expected}");
            assert_eq!(answer(&encrypted, query).await, expected, "{query}");
        }
        nothing_readable(&store).await;
    }
}

/// What lies beneath has no Parquet in it, and no name of a column.
async fn nothing_readable(store: &EncryptedStore<InMemory>) {
    let objects: Vec<_> = store.inner().list(None).try_collect().await.unwrap();
    assert!(objects.iter().map(|meta| meta.size).sum::<u64>() > 8_000_000);
    for meta in objects {
        let got = store.inner().get_opts(&meta.location, Default::default()).await.unwrap();
        let bytes = got.bytes().await.unwrap();
        for word in [&b"returnflag"[..], b"PAR1", b"BUILDING"] {
            let found = bytes.windows(word.len()).any(|window| window == word);
            // Four bytes come about by chance.
            assert!(!found || word.len() == 4, "{}", meta.location);
        }
        assert!(!bytes.starts_with(b"PAR1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_reads_the_chunks_of_its_columns_and_no_more() {
    let (bare, beneath) = (Probe::default(), Probe::default());
    let plain = tables(Arc::new(bare.clone())).await;
    let store = EncryptedStore::new(beneath.clone(), "tables", setup::sse_s3());
    let encrypted = tables(Arc::new(store)).await;
    let size = size_of(&bare).await;
    for query in ["SELECT sum(quantity) FROM lineitem", "SELECT max(shipday) + 1 FROM lineitem WHERE shipday < 9"] {
        bare.reset();
        beneath.reset();
        assert_eq!(answer(&plain, query).await, answer(&encrypted, query).await);
        let (requests, wanted, fetched) = (bare.calls(), bare.bytes(), beneath.bytes());
        println!("{query}: {requests} requests, {wanted} bytes of {size}; encrypted {fetched}");
        // A chunk more at each end of a request, tags, and a record for each.
        let most = wanted + wanted / 1_024 + requests * (2 * 16_400 + 1_024);
        assert!(fetched <= most, "{fetched} of {most}");
        assert!(fetched < size / 2, "{fetched} of {size}");
    }
}

async fn size_of(probe: &Probe) -> u64 {
    let all: Vec<_> = probe.memory().list(None).try_collect().await.unwrap();
    all.iter().map(|meta| meta.size).sum()
}
