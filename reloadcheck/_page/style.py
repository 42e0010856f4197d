"""The status page's style sheet, and the hash by which its content security policy admits it."""

from base64 import b64encode
from hashlib import sha256
from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #d9dee4;
  --link: #0b57b7; --good: #116329; --good-ground: #dcf5e3; --warn: #7a4100;
  --warn-ground: #fff0d6; --bad: #a0111f; --bad-ground: #ffe5e5; --code: #eef1f4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1318; --card: #181d24; --ink: #e8ecf1; --soft: #a3adb8; --line: #313944;
    --link: #7db4ff; --good: #7ee2a0; --good-ground: #12331f; --warn: #ffc46b;
    --warn-ground: #3a2a0c; --bad: #ff9a9a; --bad-ground: #421a1d; --code: #222932;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: anywhere;
}
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.75rem; }
footer { padding-bottom: 2rem; color: var(--soft); font-size: .875rem; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 0 0 .75rem; font-size: 1.0625rem; }
p { margin: .25rem 0; }
a { color: var(--link); }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
nav { margin: .5rem 0 0; }
nav a { display: inline-block; margin-right: 1rem; padding: .25rem 0; }
section {
  margin: 1rem 0; padding: 1rem 1.25rem 1.125rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .625rem;
}
.state { border-left: .375rem solid var(--good); }
.state.warn { border-left-color: var(--warn); }
.state.bad { border-left-color: var(--bad); }
.state h2 { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
.badge {
  display: inline-block; padding: .0625rem .5rem; border-radius: 1rem; font-size: .8125rem;
  font-weight: 600; white-space: nowrap; color: var(--soft); background: var(--code);
}
.badge.good { color: var(--good); background: var(--good-ground); }
.badge.warn { color: var(--warn); background: var(--warn-ground); }
.badge.bad { color: var(--bad); background: var(--bad-ground); }
.soft { color: var(--soft); }
.number { font-variant-numeric: tabular-nums; }
code, .error {
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: .875em;
}
.error {
  margin: .5rem 0 0; padding: .625rem .75rem; border-radius: .375rem; white-space: pre-wrap;
  background: var(--bad-ground); color: var(--bad);
}
.error.warn { background: var(--warn-ground); color: var(--warn); }
.remedy { margin: .25rem 0 0; padding-left: .75rem; color: var(--soft); font-size: .9375rem; }
form { margin: 0 0 .75rem; }
input, button {
  font: inherit; padding: .25rem .5rem; color: var(--ink); background: var(--code);
  border: 1px solid var(--soft); border-radius: .375rem;
}
input:focus-visible, button:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
ul.errors { margin: .5rem 0 0; padding: 0; list-style: none; }
dl.facts {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
  gap: .75rem 1.25rem; margin: 0;
}
dl.facts dt { color: var(--soft); font-size: .8125rem; }
dl.facts dd { margin: 0; }
dl.facts .wide { grid-column: 1 / -1; }
ol { margin: 0; padding: 0; list-style: none; }
ol > li { padding: .625rem 0; border-top: 1px solid var(--line); }
ol > li:first-child { padding-top: 0; border-top: 0; }
ol > li:last-child { padding-bottom: 0; }
.line { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; }
table { width: 100%; border-collapse: collapse; }
caption { text-align: left; color: var(--soft); font-size: .875rem; padding-bottom: .5rem; }
th, td { padding: .4375rem .75rem .4375rem 0; text-align: left; vertical-align: top; }
thead th { color: var(--soft); font-size: .8125rem; font-weight: 600; }
tbody th { font-weight: 400; }
tbody tr { border-top: 1px solid var(--line); }
td.count { font-variant-numeric: tabular-nums; }
table.fleet thead th, table.fleet td:nth-child(n+3):nth-child(-n+5) { white-space: nowrap; }
table.config th { width: 34%; } table.config td:last-child { width: 30%; }
.hidden { letter-spacing: .1em; }
@media (max-width: 40rem) {
  header, main, footer { padding-left: .75rem; padding-right: .75rem; }
  section { padding: .875rem; }
  thead {
    position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden;
    clip-path: inset(50%); white-space: nowrap;
  }
  table, tbody, tr, th, td { display: block; width: auto; }
  table.config th, table.config td:last-child { width: auto; }
  tbody tr { padding: .5rem 0; }
  th, td { padding: .0625rem 0; }
  td[data-label] { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: .5rem; }
  td[data-label]::before { content: attr(data-label); color: var(--soft); font-size: .875rem; }
  table.config td[data-label], table.sources td[data-label] {
    grid-template-columns: 5rem minmax(0, 1fr);
  }
  tbody th { font-weight: 600; padding-bottom: .25rem; }
}
@media print { body { background: #fff; } section { break-inside: avoid; } nav { display: none; } }
"""

STYLE_HASH: Final = f"sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}"
