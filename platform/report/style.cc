// SPDX-License-Identifier: MIT
// The style sheet; see the header. The series' colours keep apart for those who see few of them (after Okabe and Ito),
// and each of them stands out from its page by 3:1 or more.
#include "platform/report/style.h"

namespace smmusim::report {

std::string_view style_sheet() {
  return R"(:root {
  color-scheme: light dark;
  --page: #ffffff; --ink: #1c2126; --soft: #59636e; --line: #d5dae0; --grid: #c3c9d0; --band: #f4f6f8; --link: #0a58a8;
  --warn: #9a1c1c; --warn-band: #fdecea;
  --c0: var(--ink); --c1: #0072b2; --c2: #00805f; --c3: #9a6fb8; --c4: #d0550a; --c5: #8a6a00; --c6: #2c9ccf; --c7: #c01f3f;
  --c8: #6b7580; --c9: #b5468c; --c10: #5f7f1f; --c11: #4b4fb0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181c; --ink: #e4e8ec; --soft: #9aa5b1; --line: #323a43; --grid: #47515c; --band: #1c2228; --link: #7cb7f2;
    --warn: #ff9d94; --warn-band: #3a1f1f;
    --c1: #4ba3e3; --c2: #2fbf92; --c3: #c3a1dc; --c4: #f5874a; --c5: #d3b13f; --c6: #86d0f5; --c7: #ff6f86; --c8: #8d98a5;
    --c9: #e58cc0; --c10: #b5d66a; --c11: #a3a7f5;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem; max-width: 82rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; display: grid; gap: 0 2.5rem;
  grid-template-columns: 12rem minmax(0, 1fr);
}
header { grid-column: 1 / -1; border-bottom: 1px solid var(--line); margin-bottom: 1.5rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
header p { margin: .3rem 0 1rem; color: var(--soft); overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 0 0 .6rem; padding-top: .9rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
p { margin: .5rem 0; max-width: 48rem; }
section { margin: 1.6rem 0 2.4rem; }
nav ul { position: sticky; top: 1rem; list-style: none; margin: 0; padding: 0; }
nav li { margin: .3rem 0; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
.figures { display: grid; grid-template-columns: repeat(4, 1fr); gap: .8rem; margin: 0; }
.figures div { background: var(--band); border-radius: 6px; padding: .6rem .8rem; }
.figures dt { color: var(--soft); font-size: .85rem; }
.figures dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.figures small { font-size: .8rem; color: var(--soft); }
.warning { background: var(--warn-band); color: var(--warn); padding: .6rem .8rem; border-radius: 6px; font-weight: 600; }
figure { margin: .8rem 0 1.2rem; }
figcaption { color: var(--soft); font-size: .87rem; max-width: 48rem; }
svg { display: block; max-width: 100%; height: auto; color: var(--ink); font-family: system-ui, "DejaVu Sans", sans-serif; }
.beside { display: flex; flex-wrap: wrap; gap: 0 1rem; }
.beside > div { max-width: 100%; }
.beside .scroll { margin-right: 1rem; }
.scroll { overflow-x: auto; margin: .6rem 0 1rem; }
table { border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .7rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--line); }
td { overflow-wrap: break-word; max-width: 26rem; }
.n { text-align: right; }
td.n { white-space: nowrap; }
th.n { min-width: 4.8rem; }
tbody tr:hover { background: var(--band); }
.strong td { font-weight: 600; }
@media (max-width: 60rem) {
  body { display: block; padding: 1rem; }
  .figures { grid-template-columns: repeat(2, 1fr); }
  nav ul { position: static; display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin-bottom: 1.2rem; }
}
@media (max-width: 40rem) {
  figure { overflow-x: auto; }
  svg { max-width: none; }
}
@media print {
  body { display: block; max-width: none; }
  nav { display: none; }
  section, figure { break-inside: avoid-page; }
}
)";
}

}  // namespace smmusim::report
