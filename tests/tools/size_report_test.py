import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import size_report

SOURCE = '''
#define MACRO(x) \\
  if (x) {       \\
  }
namespace nibble {
struct Point {
  int x = 0;
  int twice() const { return 2 * x; }
};
const char* kText = "not { a brace";
constexpr int kTable[] = {1, 2, 3};
// a comment with a { brace
template <class T>
int three_lines(T t) {
  return [&] { return t; }();
}
bool Point::operator==(const Point& o) const {
  if (o.x == x) {
    return true;
  }
  return false;
}
}  // namespace nibble
'''


class SizeReport(unittest.TestCase):
    def test_measures_functions_by_their_braces(self) -> None:
        found = {f.name: f.lines for f in size_report.cpp_functions("x.cc", SOURCE)}
        self.assertEqual(found["twice"], 1)
        self.assertEqual(found["three_lines"], 3)
        self.assertEqual(found["Point::operator=="], 6)
        self.assertEqual(len(found), 3, found)

    def test_names_the_line_where_a_function_begins(self) -> None:
        found = {f.name: f.line for f in size_report.cpp_functions("x.cc", SOURCE)}
        self.assertEqual(SOURCE.splitlines()[found["three_lines"] - 1], "int three_lines(T t) {")

    def test_measures_python_functions(self) -> None:
        found = size_report.python_functions("x.py", "def f():\n    a = 1\n    return a\n")
        self.assertEqual([(f.name, f.line, f.lines) for f in found], [("f", 1, 3)])

    def test_ceilings_are_recorded_for_both_lengths(self) -> None:
        self.assertEqual(set(size_report.ceilings()), {"file_lines", "function_lines"})


if __name__ == "__main__":
    unittest.main()
