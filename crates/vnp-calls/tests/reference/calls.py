"""Contig calls and reads from contigs, written from their definition and from nothing else, with Python's
standard library: math.fsum, round and repr are the definition. It also makes random cases.

    python3 calls.py DIR SEED CONTIGS ALIGNMENTS

writes into DIR inputs, what must come of them, and cases.tsv, which names both.
"""

import math
import random
import re
import struct
import sys
from pathlib import Path

CONTIG_COLUMNS = (
    "ID call tier weighted_delta n_chunks n_confident_viral n_confident_nonviral n_ambiguous"
    " viral_proportion nonviral_proportion"
).split()
READ_COLUMNS = (
    "read_id read_length contig_id contig_length strand mapping_quality pct_identity pct_query_cov"
    " mapped_well call tier weighted_delta n_chunks n_confident_viral n_confident_nonviral n_ambiguous"
    " viral_proportion nonviral_proportion"
).split()
NODE = "(NODE_[0-9]+)"


# Contigs


def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def printed(value):
    text = repr(round(value, 3))
    return "0.0" if text == "-0.0" else text


def call_contig(chunks, min_viral_prop, min_nonviral_prop, min_chunks):
    """The columns after the id; chunks are pairs (s0, s1)."""
    deltas = [s1 - s0 for s0, s1 in chunks]
    weights = [math.sqrt(abs(delta)) for delta in deltas]
    if any(weight != 0 for weight in weights):
        total = math.fsum(delta * weight for delta, weight in zip(deltas, weights))
        weighted_delta = total / math.fsum(weights)
    else:
        weighted_delta = math.fsum(deltas) / len(deltas)
    viral = sum(1 for s0, s1 in chunks if s1 > 0.8 and s0 < 0.3)
    nonviral = sum(1 for s0, s1 in chunks if s0 > 0.8 and s1 < 0.3)
    ambiguous = sum(1 for s0, s1 in chunks if s0 > 0.7 and s1 > 0.7)
    effective = len(chunks) - ambiguous
    viral_proportion = viral / effective if effective else 0.0
    nonviral_proportion = nonviral / effective if effective else 0.0

    def tier(size, confident, proportion, least):
        if confident >= 1 and proportion >= least:
            return "high_confidence" if size > 0.6 else "moderate_confidence"
        return "low_confidence"

    if weighted_delta > 0.3:
        call = "Viral"
        sure = tier(weighted_delta, viral, viral_proportion, min_viral_prop)
    elif weighted_delta < -0.3:
        call = "Non-viral"
        sure = tier(-weighted_delta, nonviral, nonviral_proportion, min_nonviral_prop)
    else:
        call, sure = "Ambiguous", "review"
    if len(chunks) < min_chunks:
        if sure in ("high_confidence", "moderate_confidence"):
            sure = "low_confidence"
        elif sure == "low_confidence":
            sure = "review"
    counts = (len(chunks), viral, nonviral, ambiguous)
    return [call, sure, printed(weighted_delta), *map(str, counts), printed(viral_proportion), printed(nonviral_proportion)]


def call_contigs(records, pattern, thresholds):
    """Rows of contig_calls.tsv; records are pairs (id, [(chunk number, s0, s1)])."""
    groups = {}
    for index, (record, chunks) in enumerate(records):
        for number, s0, s1 in chunks:
            key = index
            if pattern:
                match = re.search(pattern, f"{record}_chunk_{number}")
                if match is None or match.group(1) is None:
                    continue
                key = match.group(1)
            groups.setdefault(key, (record, []))[1].append((s0, s1))
    return [[record, *call_contig(chunks, *thresholds)] for record, chunks in groups.values()]


# Reads


def number(text):
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and ":" not in text else None


def call_reads(calls, lines, pattern, collapse, min_mapq, min_identity, min_cov):
    """Rows of reads.tsv from rows of contig_calls.tsv and lines of PAF."""

    def key(contig):
        if not pattern:
            return contig
        match = re.search(pattern, contig)
        return match.group(1) if match else None

    by_contig = {key(row[0]): row for row in calls}
    rows = [line.rstrip("\r").split("\t") for line in lines]
    has_columns = bool(rows) and len(rows[0]) >= 14 and all(number(text) is not None for text in rows[0][-2:])
    scale = 1.0
    if has_columns:
        rows = [row for row in rows if len(row) >= 14]
        if all(number(text) <= 1 for row in rows for text in row[-2:]):
            scale = 100.0
    reads = {}
    for order, row in enumerate(rows):
        if "tp:A:S" in row[12:] or "tp:A:I" in row[12:]:
            continue
        length, start, end, matches, block, mapq = (int(row[index]) for index in (1, 2, 3, 9, 10, 11))
        if has_columns:
            texts = row[-2:]
            identity, cov = map(float, texts)
        else:
            identity = matches / block * 100 if block else 0.0
            cov = (end - start) / length * 100
            texts = [repr(identity), repr(cov)]
        well = mapq >= min_mapq and identity >= min_identity / scale and cov >= min_cov / scale
        found = by_contig.get(key(row[5]))
        called = found[1:] if found else ["Unclassified", "", "0.0", "0", "0", "0", "0", "0.0", "0.0"]
        columns = [row[1], row[5], row[6], row[4], row[11], *texts, str(well), *called]
        reads.setdefault(row[0], []).append((mapq, identity, -order, columns))
    table = {}
    for read, alignments in reads.items():
        best = max(alignments, key=lambda alignment: alignment[:3])
        columns = list(best[3])
        if len({alignment[3][8] for alignment in alignments}) > 1:
            columns[8:10] = ["Multi-mapped", "review"]
        table[read] = (best[0], best[1], columns)
    if not collapse:
        return [[read, *columns] for read, (_, _, columns) in table.items()]
    pairs = {}
    for read in table:
        has_mate = len(read) > 2 and read.endswith(("/1", "/2"))
        pairs.setdefault(read[:-2] if has_mate else read, []).append(read)
    collapsed = []
    for bare, mates in pairs.items():
        rank = {"/1": 2, "/2": 1}
        best = max(mates, key=lambda mate: (*table[mate][:2], rank.get(mate[len(bare):], 0)))
        distinct = {table[mate][2][8] for mate in mates}
        word = "Singleton" if len(mates) == 1 else "Concordant" if len(distinct) == 1 else "Discordant"
        collapsed.append([bare, *table[best][2], word])
    return collapsed


# Random cases


def near(rng, value):
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    return struct.unpack("<f", struct.pack("<I", max(0, bits + rng.choice((-1, 0, 1)))))[0]


def random_chunk(rng):
    kind = rng.randrange(8)
    if kind == 0:
        score = near(rng, rng.choice((0.3, 0.5, 0.7, 0.8, 1.0)))
        return score, score
    if kind <= 2:
        return tuple(near(rng, rng.choice((0.0, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0))) for _ in range(2))
    if kind == 3:
        return f32(rng.random()), f32(rng.random())
    s1 = f32(rng.betavariate(0.3, 0.3))
    return f32(1 - s1), s1


def random_records(rng, count):
    records = []
    for index in range(count):
        node = f"NODE_{rng.randrange(1 + count // 2)}"
        record = rng.choice((f"{node}_length_{index}", f"s{index % 3}_{node}", f"k141_{index}", f"caf\u00e9\xff {index}"[:-2].replace(" ", "_")))
        size = rng.choice((1, 1, 2, 4, 5, 5, 6, 8, 16, 40))
        style = rng.randrange(5)
        chunks = []
        for chunk in range(1, size + 1):
            if style == 0:
                s0, s1 = (f32(0.1), f32(0.9)) if chunk % 8 else (0.5, 0.5)
            elif style == 1:
                s0, s1 = (near(rng, 0.35), near(rng, 0.65))
            elif style == 2 and chunk > 1:
                s0, s1 = chunks[0][1:]
            else:
                s0, s1 = random_chunk(rng)
            chunks.append((chunk, s0, s1))
        # Chunks that were not scored are not in the table.
        records.append((record, [chunk for chunk in chunks if rng.random() < 0.95]))
    return records


def random_paf(rng, count, contigs, columns, is_grouped):
    """Lines of PAF; columns is None, "percent" or "fraction"."""
    lines = []
    template = 0
    while len(lines) < count:
        template += 1
        name = f"read{template}" if rng.random() < 0.98 else f"r\xff\xe9{template}"
        mates = rng.choice((["/1"], ["/2"], ["/1", "/2"], ["/1", "/2"], ["/2", "/1"], [""], ["/1", ""]))
        for mate in mates:
            same = rng.choice(contigs)
            for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
                length = rng.choice((100, 150, 151, 3000))
                start = rng.randrange(length // 2)
                end = rng.randrange(start + 1, length + 1)
                block = rng.randrange(1, length + 1)
                matches = rng.randrange(block * 8 // 10, block + 1)
                contig = same if rng.random() < 0.6 else rng.choice(contigs)
                if rng.random() < 0.1:
                    contig = rng.choice(("absent", "NODE_999999_x", "NODE_x", "*"))
                mapq = rng.choice((0, 4, 5, 60, 60, 60))
                row = [name + mate, length, start, end, rng.choice("+-"), contig, 5000, 10, 10 + block, matches, block, mapq]
                if rng.random() < 0.8:
                    row.append(rng.choice(("tp:A:P", "tp:A:P", "tp:A:S", "tp:A:I", "tp:A:i", "cg:Z:10M")))
                if rng.random() < 0.5:
                    row.append("NM:i:3")
                if columns:
                    identity = rng.choice((90.0, 89.99, 100.0, rng.uniform(70, 100)))
                    cov = rng.choice((80.0, 79.5, 100.0, rng.uniform(30, 100)))
                    if columns == "fraction":
                        identity, cov = identity / 100, cov / 100
                    elif rng.random() < 0.01:
                        identity = 0.5
                    shape = rng.choice(("{!r}", "{:.2f}", "{:.4f}", "{:.3e}"))
                    row += [shape.format(identity), shape.format(cov)]
                    if lines and rng.random() < 0.02:
                        row = row[:rng.choice((12, 13, 11, 3))]
                lines.append("\t".join(map(str, row)))
    if not is_grouped:
        first = lines.pop(0)
        rng.shuffle(lines)
        lines.insert(0, first)
    return lines


def write(path, rows):
    path.write_bytes("".join("\t".join(row) + "\n" for row in rows).encode("latin-1"))


def main():
    directory, seed, contigs, alignments = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    rng = random.Random(seed)
    cases = []
    records = random_records(rng, contigs)
    # A record without scored chunks has a line with the chunk 0.
    chunks = []
    for index, (record, scored) in enumerate(records):
        for number, *scores in scored or [(0, 0.0, 0.0)]:
            bits = [struct.pack(">f", score).hex() for score in scores]
            chunks.append([str(index), record, str(number), *bits])
    write(directory / "chunks.tsv", chunks)
    tables = {}
    for name, pattern, thresholds in (
        ("records", "", (0.1, 0.1, 5)),
        ("groups", NODE, (0.1, 0.1, 5)),
        ("chunks", "(_chunk_[0-9])", (0.1, 0.1, 5)),
        ("strict", "", (0.5, 0.25, 2)),
        ("strictest", NODE, (1.0, 1.0, 100)),
    ):
        rows = call_contigs(records, pattern, thresholds)
        write(directory / f"contigs-{name}.tsv", [CONTIG_COLUMNS, *rows])
        tables[name] = rows
        cases.append(["contigs", name, "chunks.tsv", f"contigs-{name}.tsv", pattern, *map(str, thresholds)])
    # A table of calls in which each contig, and in the other each group, has one row.
    unique = {row[0]: row for row in tables["records"]}
    write(directory / "calls-records.tsv", [CONTIG_COLUMNS, *unique.values()])
    write(directory / "calls-groups.tsv", [CONTIG_COLUMNS, *tables["groups"]])
    names = [record for record, _ in records]
    keep = {"Viral", "Unclassified", "Ambiguous", "Multi-mapped"}
    number_of_case = 0
    for columns in (None, "percent", "fraction"):
        for is_grouped in (True, False):
            number_of_case += 1
            paf = f"reads-{number_of_case}.paf"
            lines = random_paf(rng, alignments, names, columns, is_grouped)
            end = "\r\n" if number_of_case == 2 else "\n"
            (directory / paf).write_bytes(end.join(lines).encode("latin-1"))
            for pattern, collapse, limits in (("", 0, (5, 90, 80)), (NODE, 0, (5, 90, 80)), ("", 1, (60, 95.5, 50))):
                calls = tables["groups"] if pattern else list(unique.values())
                rows = call_reads(calls, lines, pattern, collapse, *limits)
                name = f"{number_of_case}-{'groups' if pattern else 'records'}-{collapse}"
                header = READ_COLUMNS + (["concordance"] if collapse else [])
                write(directory / f"reads-{name}.tsv", [header, *rows])
                write(directory / f"keep-{name}.txt", [[row[0]] for row in rows if row[9] in keep])
                cases.append(["reads", name, paf, f"reads-{name}.tsv", pattern, *map(str, limits), str(collapse)])
    write(directory / "cases.tsv", cases)


if __name__ == "__main__":
    main()
