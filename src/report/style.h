// The style sheet of HTML reports.
#pragma once

#include <string_view>

namespace nibble {

inline constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --paper: #ffffff; --panel: #f6f8fa;
  --edge: #d1d9e0; --accent: #0a5fb4; --mark: #ffe08a; --heat: 196, 62, 28; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --soft: #9aa4ae; --paper: #101418; --panel: #181d23; --edge: #343c45;
    --accent: #6cb6ff; --mark: #6b5300; --heat: 190, 72, 32; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0.5rem 0 0; } h2 { font-size: 1.2rem; margin: 2.2rem 0 0.5rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 0.3rem; }
p { max-width: 46rem; } .soft { color: var(--soft); }
.wide { overflow-x: auto; border: 1px solid var(--edge); border-radius: 6px; }
.wide:focus-visible, .point:focus-visible circle { outline: 3px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 0.7rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
thead th { border-bottom: 1px solid var(--edge); vertical-align: bottom; white-space: normal; }
tbody tr:nth-child(even) > * { background: var(--panel); }
.pm { color: var(--soft); font-size: 0.85em; } .best-row th { color: var(--accent); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem; }
figure { margin: 0; border: 1px solid var(--edge); border-radius: 6px; padding: 0.6rem; min-width: 0; }
figcaption { color: var(--soft); font-size: 0.9rem; }
.chart { display: block; width: 100%; max-width: 34rem; margin: auto; height: auto; font: 13px system-ui, sans-serif; fill: var(--ink); }
.chart .title { fill: var(--soft); } .chart .grid { stroke: var(--edge); stroke-width: 0.6; }
.chart .axis { stroke: var(--soft); } .chart .error { stroke: var(--soft); stroke-width: 1.5; }
.chart circle { fill: var(--paper); stroke: var(--soft); stroke-width: 2; }
.chart .best circle { fill: var(--accent); stroke: var(--accent); }
.chart .point text { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.chart .front { fill: none; stroke: var(--accent); stroke-width: 1.5; stroke-dasharray: 5 4; }
.heat td, .heat th + th { text-align: center; padding: 0.3rem 0.4rem; font-size: 0.85rem; }
.heat tbody td, .heat tbody tr:nth-child(even) > td { background: rgba(var(--heat), var(--v)); }
.strip { display: block; width: 100%; height: 22px; }
.strips td { width: 100%; padding: 0.2rem 0.4rem; }
.key { display: flex; flex-wrap: wrap; gap: 0.3rem 1rem; padding: 0; list-style: none; }
.key svg { width: 14px; height: 14px; vertical-align: -2px; margin-right: 0.35rem; }
.told { border: 1px solid var(--edge); border-radius: 6px; padding: 0.2rem 1rem 0.8rem; margin: 0.8rem 0; }
.told dt { font-weight: 600; margin-top: 0.6rem; } .told dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.told mark { background: var(--mark); color: inherit; border-radius: 3px; outline: 1px solid var(--soft); }
.told .same { color: var(--soft); }
@media (max-width: 30rem) { body { padding: 0.6rem; } figure { padding: 0.3rem; } .chart { font-size: 14px; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } .wide { overflow: visible; border: 0; }
  figure, .told, tr { break-inside: avoid; } th, td { padding: 0.15rem 0.35rem; white-space: normal; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
)css";

}  // namespace nibble
