import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import run_cli_tests


class RunCliTests(unittest.TestCase):
    def run_script(self, script: str, expected: str) -> run_cli_tests.Case:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "case.sh"
            path.write_text(script)
            path.with_suffix(".out").write_text(expected)
            return run_cli_tests.run_case(path, Path("/bin/echo"))

    def test_compares_output_and_exit_status(self) -> None:
        self.assertIsNone(self.run_script('"$NIBBLE" hi; exit 3', "hi\n[exit 3]\n").failure)
        self.assertIn("+[exit 0]", self.run_script('"$NIBBLE" hi', "hi\n[exit 3]\n").failure or "")
        self.assertIn("-ho", self.run_script('"$NIBBLE" hi', "ho\n[exit 0]\n").failure or "")

    def test_placeholders_stand_for_numbers_only(self) -> None:
        self.assertIsNone(self.run_script("echo ppl 47.75", "ppl {float}\n[exit 0]\n").failure)
        self.assertIsNotNone(self.run_script("echo ppl nan", "ppl {float}\n[exit 0]\n").failure)
        self.assertIsNotNone(self.run_script("echo 1.5 bytes", "{int} bytes\n[exit 0]\n").failure)

    def test_status_77_skips_with_a_reason(self) -> None:
        self.assertEqual(self.run_script("echo no tmpfs; exit 77", "").skip_reason, "no tmpfs")

    def test_a_case_without_expectation_fails(self) -> None:
        self.assertIsNotNone(self.run_script("true", "").failure)


if __name__ == "__main__":
    unittest.main()
