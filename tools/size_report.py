#!/usr/bin/env python3
"""Lists long files and functions, C++ and Python. The tail is what makes code hard to read.

Lengths over the soft limits are listed; the exit status is 1 only when one is over its ceiling in
tools/size_limits.txt, which may go down but not up.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMITS = ROOT / "tools" / "size_limits.txt"
SOFT_FILE_LINES = 600
SOFT_FUNCTION_LINES = 80
LITERALS = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?:.*?)\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'',
                      re.DOTALL)
PREPROCESSOR = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
NOT_FUNCTIONS = re.compile(r"\s*(?:if|for|while|switch|do|else|try|catch|namespace|class|struct|enum|"
                           r"union|extern|return)\b")


@dataclass(frozen=True)
class Function:
    path: str
    line: int
    name: str
    lines: int


def blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def function_name(head: str) -> str | None:
    """The name that stands before a function's parameters; None when `head` begins something else."""
    head = re.sub(r"\s+", " ", head).strip()
    head = re.sub(r"^template ?<.*?> (?=[a-zA-Z_])", "", head)
    found = re.search(r"([\w:~]*operator[^\s\w(]+|[\w:~]+) ?\(", head)
    if found is None or NOT_FUNCTIONS.match(head) or head.endswith(("=", ",", "(")):
        return None
    return found.group(1)


def cpp_functions(path: str, text: str) -> list[Function]:
    """Functions by their braces; lambdas and local classes count to the function around them."""
    text = PREPROCESSOR.sub(blank, LITERALS.sub(blank, text))
    functions: list[Function] = []
    outer: list[bool] = []  # of each open brace: is it a function's?
    begin, head_begin, name = 0, 0, ""
    for place in (m.start() for m in re.finditer(r"[{};]", text)):
        character = text[place]
        if character == "{":
            found = None if any(outer) else function_name(text[head_begin:place])
            if found:
                name, begin = found, text.count("\n", 0, place) + 1
            outer.append(found is not None)
        elif character == "}" and outer and outer.pop():
            lines = text.count("\n", 0, place) + 2 - begin
            functions.append(Function(path, begin, name, lines))
        head_begin = place + 1
    return functions


def python_functions(path: str, text: str) -> list[Function]:
    return [Function(path, node.lineno, node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
            for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def source_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "*.h", "*.cc", "*.py"], cwd=ROOT, check=True, text=True,
                            stdout=subprocess.PIPE).stdout.split()
    return [path for path in listed if (ROOT / path).exists()]


def ceilings() -> dict[str, int]:
    rows = (line.split("#")[0].split() for line in LIMITS.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows if row}


def main() -> int:
    lines: dict[str, int] = {}
    functions: list[Function] = []
    for path in source_files():
        text = (ROOT / path).read_text()
        lines[path] = text.count("\n")
        functions += (python_functions if path.endswith(".py") else cpp_functions)(path, text)
    for path in sorted(lines, key=lambda p: -lines[p]):
        if lines[path] > SOFT_FILE_LINES:
            print(f"{path}: {lines[path]} lines")
    for f in sorted(functions, key=lambda f: -f.lines):
        if f.lines > SOFT_FUNCTION_LINES:
            print(f"{f.path}:{f.line}: {f.name} has {f.lines} lines")
    lengths = sorted(f.lines for f in functions) or [0]
    longest = {"file_lines": max(lines.values(), default=0), "function_lines": lengths[-1]}
    print(f"sizes: {len(lines)} files, {sum(lines.values())} lines, longest {longest['file_lines']}; "
          f"{len(functions)} functions, 90 % under {lengths[len(lengths) * 9 // 10]} lines, "
          f"longest {longest['function_lines']}")
    over = [kind for kind, ceiling in ceilings().items() if longest[kind] > ceiling]
    for kind in over:
        print(f"{kind}: {longest[kind]} is over the ceiling of {ceilings()[kind]} (tools/size_limits.txt)")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
