import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import check_isa_symbols

SOURCE = """
namespace nibble {
struct Avx2 {};
template <class V> __attribute__((noinline)) int on_the_vector_type(int x) { return x + 1; }
template <class T> __attribute__((noinline)) int on_another_type(int x) { return x + 2; }
__attribute__((noinline)) inline int plain_inline(int x) { return x + 3; }
static __attribute__((noinline)) int local(int x) { return x + 4; }
int table_avx2(int x) {
  return on_the_vector_type<Avx2>(x) + on_another_type<int>(x) + plain_inline(x) + local(x);
}
}
"""


class CheckIsaSymbols(unittest.TestCase):
    def test_knows_the_isa_by_the_source_name(self) -> None:
        self.assertEqual(check_isa_symbols.isa_of("src/kernel/kernels_avx512.cc"), "avx512")
        self.assertEqual(check_isa_symbols.isa_of("src/codec/codecs_avx2.cc"), "avx2")
        self.assertIsNone(check_isa_symbols.isa_of("src/codec/codecs_scalar.cc"))

    def test_finds_the_objects_in_the_compilation_database(self) -> None:
        entries = [{"directory": "/b", "file": f"/src/{name}.cc", "command": f"g++ -o d/{name}.o -c"}
                   for name in ("table_avx2", "table_scalar")]
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "compile_commands.json").write_text(json.dumps(entries))
            found = check_isa_symbols.isa_objects(Path(folder))
        self.assertEqual(found, [(Path("/b/d/table_avx2.o"), "avx2")])

    def test_one_isa_does_not_cover_another(self) -> None:
        line = "0000000000000000 W int nibble::dot<nibble::Avx2>(int)"
        self.assertEqual(check_isa_symbols.unsafe_symbols(line, "avx2"), [])
        self.assertEqual(len(check_isa_symbols.unsafe_symbols(line, "avx512")), 1)

    def test_data_and_local_functions_are_safe(self) -> None:
        lines = "0000000000000000 V typeinfo for X\n0000000000000000 t helper(int)\n"
        self.assertEqual(check_isa_symbols.unsafe_symbols(lines, "avx2"), [])

    @unittest.skipUnless(shutil.which("g++") and shutil.which("nm"), "needs g++ and nm")
    def test_finds_leaks_in_a_real_object(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            source, compiled = Path(folder) / "x_avx2.cc", Path(folder) / "x.o"
            source.write_text(SOURCE)
            subprocess.run(["g++", "-std=c++20", "-O2", "-c", source, "-o", compiled], check=True)
            listed = subprocess.run(["nm", "-C", "--defined-only", compiled], check=True, text=True,
                                    stdout=subprocess.PIPE).stdout
        leaks = " ".join(check_isa_symbols.unsafe_symbols(listed, "avx2"))
        self.assertIn("on_another_type", leaks)
        self.assertIn("plain_inline", leaks)
        for safe in ("on_the_vector_type", "table_avx2", "local("):
            self.assertNotIn(safe, leaks)


if __name__ == "__main__":
    unittest.main()
