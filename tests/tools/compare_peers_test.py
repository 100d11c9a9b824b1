"""bench/compare_peers with programs that only pretend."""
import contextlib
import importlib.machinery
import importlib.util
import io
import stat
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

BENCH = Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))
loader = importlib.machinery.SourceFileLoader("compare_peers", str(BENCH / "compare_peers"))
compare_peers = importlib.util.module_from_spec(importlib.util.spec_from_loader("compare_peers", loader))
sys.modules["compare_peers"] = compare_peers  # dataclasses look themselves up there
loader.exec_module(compare_peers)

NIBBLE = '''#!/bin/sh
echo '{"results": [{"test": "pp8", "tokens_per_second": 30.0}, {"test": "tg2 @ d4", "tokens_per_second": 9.0}]}'
'''
DEEP_PEER = '''#!/bin/sh
[ "$1" = --help ] && echo "  -d, --n-depth <n>" && exit
echo '[{"n_prompt": 8, "n_gen": 0, "n_depth": 0, "avg_ts": 10.0},'
echo '{"n_prompt": 0, "n_gen": 2, "n_depth": 4, "avg_ts": 6.0}]'
'''
SHALLOW_PEER = '''#!/bin/sh
case "$*" in *" -d "*) exit 1;; esac
echo '[{"n_prompt": 8, "n_gen": 0, "avg_ts": 15.0}, {"n_prompt": 0, "n_gen": 2, "avg_ts": 12.0}]'
'''


class ComparePeers(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def program(self, name: str, script: str) -> str:
        path = self.folder / name
        path.write_text(script)
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
        return str(path)

    def compare(self, *arguments: str) -> list[str]:
        output = io.StringIO()
        with mock.patch.object(sys, "argv", ["compare_peers", *arguments]), contextlib.redirect_stdout(output):
            compare_peers.main()
        return output.getvalue().splitlines()

    def test_prints_medians_and_ratios_of_every_peer(self) -> None:
        lines = self.compare("--nibble", self.program("nibble", NIBBLE), "--llama-bench",
                             self.program("deep", DEEP_PEER) + ",deep one,-fa 1", "--llama-bench",
                             self.program("shallow", SHALLOW_PEER), "-d", "0,4", "--rounds", "2", "x/model.gguf")
        self.assertEqual(lines[0], "| file | test | nibble t/s | deep one t/s | ratio | shallow t/s | ratio |")
        self.assertEqual(lines[2], "| model.gguf | pp8 | 30.00 | 10.00 | 3.00 (3.00-3.00) | 15.00 | 2.00 (2.00-2.00) |")
        self.assertEqual(lines[3], "| model.gguf | tg2 @ d4 | 9.00 | 6.00 | 1.50 (1.50-1.50) |  |  |")
        self.assertIn("peak MiB", lines[4])
        self.assertEqual(len(lines), 5)

    def test_ratio_is_the_median_of_the_rounds_with_its_spread(self) -> None:
        self.assertEqual(compare_peers.ratio_text([10.0, 20.0, 40.0], [10.0, 10.0, 10.0], False), "2.00 (1.00-4.00)")
        self.assertEqual(compare_peers.ratio_text([100.0], [150.0], True), "1.50 (1.50-1.50)")

    def test_a_failing_program_ends_it_with_what_it_said(self) -> None:
        broken = self.program("broken", "#!/bin/sh\necho no such model >&2\nexit 3\n")
        with self.assertRaisesRegex(SystemExit, "no such model"):
            self.compare("--nibble", broken, "--llama-bench", broken, "model.gguf")

    def test_wants_a_peer(self) -> None:
        with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()) as errors:
            self.compare("--nibble", "nibble", "model.gguf")
        self.assertIn("compare with what", errors.getvalue())


if __name__ == "__main__":
    unittest.main()
