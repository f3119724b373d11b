"""Times the calling of reads beside DuckDB doing the same join, and compares the tables.

    cargo build --release -p vnp-calls --example reads
    python3 -m venv ENV && ENV/bin/pip install duckdb
    ENV/bin/python crates/vnp-calls/benches/reads.py target/release/examples/reads DIR [ALIGNMENTS] [THREADS]

DIR needs about 400 bytes per alignment. ALIGNMENTS is 10,000,000 unless it is given. Rows of a read stand
together in the first file, and are shuffled in blocks in the second.
"""

import hashlib
import os
import random
import sys
import time
from pathlib import Path

CONTIGS = 100_000
CALLS = [
    ("Viral", "high_confidence", "0.85"),
    ("Viral", "low_confidence", "0.41"),
    ("Non-viral", "moderate_confidence", "-0.52"),
    ("Ambiguous", "review", "0.012"),
]
QUERY = """
SET threads = {threads};
SET temp_directory = '{dir}/duckdb';
COPY (
  WITH paf AS (
    SELECT row_number() OVER () AS ord, *, matches / block * 100 AS identity,
           (query_end - query_start) / length * 100 AS cov
    FROM read_csv('{paf}', delim = '\t', header = false, quote = '', columns = {{
      'read': 'VARCHAR', 'length': 'BIGINT', 'query_start': 'BIGINT', 'query_end': 'BIGINT', 'strand': 'VARCHAR',
      'contig': 'VARCHAR', 'contig_length': 'BIGINT', 'target_start': 'BIGINT', 'target_end': 'BIGINT',
      'matches': 'BIGINT', 'block': 'BIGINT', 'mapq': 'BIGINT', 'tp': 'VARCHAR'}})
  ), joined AS (
    SELECT paf.*, coalesce(c.call, 'Unclassified') AS call, coalesce(c.tier, '') AS tier,
           coalesce(c.weighted_delta, '0.0') AS weighted_delta, coalesce(c.n_chunks, '0') AS n_chunks,
           coalesce(c.n_confident_viral, '0') AS n_confident_viral,
           coalesce(c.n_confident_nonviral, '0') AS n_confident_nonviral,
           coalesce(c.n_ambiguous, '0') AS n_ambiguous,
           coalesce(c.viral_proportion, '0.0') AS viral_proportion,
           coalesce(c.nonviral_proportion, '0.0') AS nonviral_proportion
    FROM paf LEFT JOIN read_csv('{calls}', delim = '\t', header = true, all_varchar = true) c ON paf.contig = c.ID
    WHERE tp NOT IN ('tp:A:S', 'tp:A:I')
  ), best AS (
    SELECT min(ord) AS first, arg_max(ord, (mapq, identity, -ord)) AS ord, count(DISTINCT call) AS calls
    FROM joined GROUP BY read
  )
  SELECT read AS read_id, length AS read_length, contig AS contig_id, contig_length, strand, mapq AS mapping_quality,
         identity AS pct_identity, cov AS pct_query_cov,
         CASE WHEN mapq >= 5 AND identity >= 90 AND cov >= 80 THEN 'True' ELSE 'False' END AS mapped_well,
         CASE WHEN calls > 1 THEN 'Multi-mapped' ELSE call END AS call,
         CASE WHEN calls > 1 THEN 'review' ELSE tier END AS tier,
         weighted_delta, n_chunks, n_confident_viral, n_confident_nonviral, n_ambiguous, viral_proportion,
         nonviral_proportion
  FROM best JOIN joined USING (ord) ORDER BY first
) TO '{out}' (DELIMITER '\t', HEADER, QUOTE '');
"""


def generate(directory, alignments):
    rng = random.Random(17)
    columns = "ID call tier weighted_delta n_chunks n_confident_viral n_confident_nonviral n_ambiguous viral_proportion nonviral_proportion"
    with open(directory / "calls.tsv", "w") as out:
        out.write("\t".join(columns.split()) + "\n")
        for contig in range(CONTIGS):
            out.write("\t".join([f"NODE_{contig}_length_5000", *rng.choice(CALLS), "12", "9", "1", "0", "0.75", "0.083"]) + "\n")
    written, read = 0, 0
    with open(directory / "grouped.paf", "w") as out:
        while written < alignments:
            read += 1
            lines = []
            for mate in "12":
                for index in range(rng.choice((1, 1, 1, 2))):
                    start, end = rng.randrange(20), rng.randrange(60, 151)
                    block = end - start + rng.randrange(3)
                    matches = block - rng.randrange(20)
                    # Some contigs have no call.
                    contig = rng.randrange(CONTIGS + CONTIGS // 20)
                    tp = "S" if index and rng.random() < 0.5 else "P"
                    lines.append(
                        f"SRR000001.{read}/{mate}\t150\t{start}\t{end}\t{rng.choice('+-')}\tNODE_{contig}_length_5000\t5000"
                        f"\t100\t{100 + block}\t{matches}\t{block}\t{rng.choice((0, 4, 30, 60))}\ttp:A:{tp}\n"
                    )
            out.writelines(lines)
            written += len(lines)
    # Every 1000th line after one another: no read stands together.
    lines = (directory / "grouped.paf").read_bytes().splitlines(keepends=True)
    with open(directory / "ungrouped.paf", "wb") as out:
        for offset in range(1000):
            out.writelines(lines[offset::1000])


def measure(name, words):
    began = time.monotonic()
    child = os.posix_spawn(words[0], words, os.environ)
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - began
    if status:
        sys.exit(f"{name} failed")
    cpu = usage.ru_utime + usage.ru_stime
    print(f"{name:20} {wall:7.1f} s wall {cpu:7.1f} s CPU {usage.ru_maxrss / 1024:7.0f} MiB", flush=True)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main():
    program, directory = sys.argv[1], Path(sys.argv[2])
    alignments = int(sys.argv[3]) if len(sys.argv) > 3 else 10_000_000
    threads = int(sys.argv[4]) if len(sys.argv) > 4 else os.cpu_count()
    directory.mkdir(parents=True, exist_ok=True)
    if not (directory / "ungrouped.paf").exists():
        generate(directory, alignments)
    calls = str(directory / "calls.tsv")
    print(f"{alignments} alignments, {threads} threads for DuckDB")
    for kind in ("grouped", "ungrouped"):
        paf, ours, theirs = (str(directory / f"{kind}{end}") for end in (".paf", ".vnp.tsv", ".duckdb.tsv"))
        measure(f"vnp {kind}", [program, calls, paf, ours])
        sql = directory / f"{kind}.sql"
        sql.write_text(QUERY.format(threads=threads, dir=directory, paf=paf, calls=calls, out=theirs))
        code = f"import duckdb; duckdb.sql(open({str(sql)!r}).read())"
        measure(f"DuckDB {kind}", [sys.executable, "-c", code])
        print(f"{kind}: the tables are {'the same' if digest(ours) == digest(theirs) else 'DIFFERENT'}", flush=True)


if __name__ == "__main__":
    main()
