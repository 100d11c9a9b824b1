import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import check_layers


class CheckLayers(unittest.TestCase):
    def violations_of(self, path: str, text: str) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / path
            file.parent.mkdir(parents=True)
            file.write_text(text)
            return check_layers.check(Path(folder))

    def test_names_file_and_line_of_a_violation(self) -> None:
        found = self.violations_of("src/codec/x.h", '#pragma once\n#include "model/roles.h"\n')
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith('src/codec/x.h:2: "model/roles.h"'), found)

    def test_refuses_what_the_table_does_not_list(self) -> None:
        for path, included in (
            ("src/base/x.cc", "tensor/shape.h"),
            ("src/simd/x.h", "base/threads.h"),
            ("src/text/x.cc", "file/gguf.h"),
            ("src/file/x.cc", "text/bpe.h"),
            ("src/kernel/x.cc", "file/gguf.h"),
            ("src/plan/x.cc", "model/forward.h"),
            ("src/infer/x.cc", "eval/windows.h"),
            ("src/model/arch/x.h", "text/bpe.h"),
            ("src/codec/x.cc", "nibble/quantize.h"),
            ("src/codec/x.cc", "../base/json.h"),
            ("src/newroom/x.cc", "base/json.h"),
            ("cli/x.cc", "base/json.h"),
            ("include/nibble/x.h", "codec/formats.h"),
        ):
            with self.subTest(path=path, included=included):
                self.assertEqual(len(self.violations_of(path, f'#include "{included}"\n')), 1)

    def test_accepts_what_the_table_lists(self) -> None:
        for path, included in (
            ("src/base/x.cc", "base/json.h"),
            ("src/simd/x.h", "base/numeric.h"),
            ("src/codec/x.h", "simd/scalar.h"),
            ("src/tensor/x.h", "nibble/dtype.h"),
            ("src/plan/x.cc", "model/roles.h"),
            ("src/flow/x.cc", "nibble/quantize.h"),
            ("src/flow/x.cc", "eval/windows.h"),
            ("cli/x.cc", "nibble/quantize.h"),
            ("cli/x.cc", "cli/command.h"),
            ("include/nibble/x.h", "nibble/dtype.h"),
        ):
            with self.subTest(path=path, included=included):
                self.assertEqual(self.violations_of(path, f'#include "{included}"\n'), [])

    def test_ignores_the_standard_library_and_comments(self) -> None:
        text = '#include <vector>\n// #include "flow/quantize.h"\n'
        self.assertEqual(self.violations_of("src/base/x.h", text), [])

    def test_keeps_libraries_to_their_place(self) -> None:
        for allowed, forbidden, included in (
            ("src/flow/bench_store.cc", "src/flow/bench.cc", "sqlite3.h"),
            ("src/base/sha256.cc", "src/base/json.cc", "openssl/evp.h"),
            ("cli/run.cc", "src/flow/generate.cc", "CLI/CLI.hpp"),
        ):
            with self.subTest(included=included):
                self.assertEqual(self.violations_of(allowed, f"#include <{included}>\n"), [])
                self.assertEqual(len(self.violations_of(forbidden, f"#include <{included}>\n")), 1)

    def test_no_two_rooms_may_include_each_other(self) -> None:
        for room, allowed in check_layers.LAYERS.items():
            for other in allowed:
                self.assertNotIn(room, check_layers.LAYERS.get(other, ()))


if __name__ == "__main__":
    unittest.main()
