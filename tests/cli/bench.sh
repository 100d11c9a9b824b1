# Speed tests in every format. How fast it is depends on the machine: what is compared is structure.
. "$LIB"
nibble bench "$ASSETS/lab-7m" -p 16,32 -n 4 -d 0,8 -r 2 --threads 1 --quiet
nibble bench "$ASSETS/lab-7m" "$ASSETS/lab-7m" -t q8_0 -p 0 -n 4 --kv f16,f32,bf16,q8_0,q4_0,q8_0/q4_0 --threads 2 --no-limits --quiet
nibble bench "$ASSETS/lab-7m" -t q8_0 -p 8 -n 2 -d 4 --sequences 2,9 --threads 1 --no-limits --quiet
nibble bench "$ASSETS/lab-7m" -t q8_0 -p 0 -n 0 --pg 16,4 --pg 8,2 -d 2 -r 1 --threads 1 --quiet

"$NIBBLE" bench "$ASSETS/lab-7m" -t q4_0 -p 64 -n 8 -r 3 -o json --quiet >result.json
for format in jsonl csv sql; do
  "$NIBBLE" bench "$ASSETS/lab-7m" -t q4_0 -p 64 -n 8 -r 3 -o $format --no-limits --quiet >result.$format
done
"$NIBBLE" bench "$ASSETS/lab-7m" -p 8 -n 0 -r 1 --no-limits --json 2>progress >short.json
grep -q '^measuring 100 %' progress && echo 'progress on stderr'
python3 - <<'PY'
import csv, json, sqlite3, statistics
report = json.load(open("result.json"))
print(sorted(report), report["machine"]["cpus"] > 0, len(report["limits"]))
print(all(v > 0 for v in report["limits"][0].values()))
prompt, generation = report["results"]
for r in (prompt, generation):
    print(r["test"], r["type"], r["n_prompt"], r["n_gen"], r["n_depth"], r["kv_type"], r["limited_by"])
    close = lambda a, b: abs(a - b) < 1e-9 * abs(b)
    print(len(r["samples"]), close(r["tokens_per_second"], statistics.mean(r["samples"])),
          close(r["stddev"], statistics.stdev(r["samples"])), close(r["median"], statistics.median(r["samples"])),
          r is prompt or close(r["share_of_limit"], r["median"] / r["limit_tokens_per_second"]),
          r["peak_memory_bytes"] > r["weight_bytes"], r["load_seconds"] > 0)
# Generation may be ahead of the memory: this model fits the caches.
print(0 < prompt["share_of_limit"] < 1.5, generation["share_of_limit"] > 0)
lines = [json.loads(line) for line in open("result.jsonl")]
rows = list(csv.DictReader(open("result.csv")))
database = sqlite3.connect(":memory:")
database.executescript(open("result.sql").read())
cursor = database.execute("SELECT * FROM bench")
names = [column[0] for column in cursor.description]
print(names == list(lines[0]) == list(rows[0]), set(prompt) < set(names))
print([r["test"] for r in lines], [r["test"] for r in rows], [r[names.index("test")] for r in cursor])
print(all(json.loads(r["samples"]) and float(r["median"]) > 0 and r["share_of_limit"] == "" for r in rows))
short = json.load(open("short.json"))
print(short["limits"], len(short["results"]), short["results"][0]["share_of_limit"])
PY

measure() { nibble bench "$ASSETS/lab-7m" -t q8_0 -p 0 -n 4 --threads 1 --no-limits --quiet --store bench.sqlite "$@"; }
measure --label before
measure -r 1 --compare
measure --compare-with before
measure -d 4 --compare
measure --compare --json >compared.json
python3 - <<'PY'
import json, sqlite3
from statistics import geometric_mean
database = sqlite3.connect("bench.sqlite")
print(database.execute("PRAGMA application_id").fetchone(), database.execute("PRAGMA user_version").fetchone())
print(database.execute("SELECT label, test, n_depth, load_type, repacked, json_array_length(samples) "
                       "FROM run JOIN result ON run.id = run ORDER BY result.id").fetchall())
earlier = json.loads(database.execute("SELECT samples FROM run JOIN result ON run.id = run WHERE test = 'tg4' ORDER BY result.id DESC").fetchall()[1][0])
result = json.loads(open("compared.json").read().split("\n", 1)[1])["results"][0]  # below the command
print(result["earlier_version"], result["earlier_label"], result["change_low"] < result["change"] < result["change_high"],
      abs(geometric_mean(result["samples"]) / geometric_mean(earlier) - 1 - result["change"]) < 1e-9, result["limit_change"])
print(database.execute("SELECT count(DISTINCT file_hash) FROM result").fetchone(), len(result["file_hash"]))
other = sqlite3.connect("other.sqlite")
other.execute("CREATE TABLE mine (a)")
other.commit()
PY
refuses bench "$ASSETS/lab-7m" --store bench.sqlite --compare-with after
refuses bench "$ASSETS/lab-7m" --store other.sqlite
refuses bench "$ASSETS/lab-7m" --store bench.sqlite/x
refuses bench "$ASSETS/lab-7m" --compare
refuses bench missing.gguf --store new.sqlite

refuses bench
refuses bench missing.gguf "$ASSETS/lab-7m"
refuses bench "$ASSETS/lab-7m" -p 0 -n 0
refuses bench "$ASSETS/lab-7m" -r 0
refuses bench "$ASSETS/lab-7m" -d 0,512 -n 1 -p 0
refuses bench "$ASSETS/lab-7m" -p -5
refuses bench "$ASSETS/lab-7m" -n x
refuses bench "$ASSETS/lab-7m" --pg 16
refuses bench "$ASSETS/lab-7m" --pg 16,0
refuses bench "$ASSETS/lab-7m" --kv q9
refuses bench "$ASSETS/lab-7m" --sequences 513
refuses bench "$ASSETS/lab-7m" --threads 1,-2
refuses bench "$ASSETS/lab-7m" -o yaml
printf 'GGUF' >short.gguf
refuses bench short.gguf
