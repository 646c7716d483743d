"""Style sheet for printed and on-screen documents: light and dark, A4 and Letter."""

DOCUMENT_CSS = """
:root {
  color-scheme: light dark;
  --ground: #fcfbf9; --ink: #1e2327; --quiet: #565e66; --line: #d9d5cd; --accent: #17605a; --tint: #f1efea;
  --small: .875rem; --text: 1.0625rem; --large: 1.25rem; --section: 1.5625rem; --title: 2.125rem;
  --s1: .25rem; --s2: .5rem; --s3: 1rem; --s4: 1.75rem; --s5: 3.5rem;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", "DejaVu Sans", sans-serif;
  --serif: Charter, "Bitstream Charter", "Sitka Text", Cambria, "Noto Serif", "Liberation Serif", "DejaVu Serif", serif;
}
@media screen and (prefers-color-scheme: dark) {
  :root { --ground: #15181a; --ink: #e7e5e0; --quiet: #a4abb1; --line: #363c41; --accent: #84c9c0; --tint: #1e2326; }
}
* { box-sizing: border-box; }
html { font: 100%/1.55 var(--sans); background: var(--ground); color: var(--ink); -webkit-text-size-adjust: 100%; }
body { margin: 0; font-size: var(--text); overflow-wrap: break-word; }
header, main { max-width: 65ch; margin-inline: auto; padding-inline: var(--s3); }
header { padding-block: var(--s5) var(--s3); }
main { padding-block-end: var(--s5); }
h1, h2, h3 { line-height: 1.2; text-wrap: balance; margin: 0; }
h1 { font-size: var(--title); letter-spacing: -.015em; }
h2 { font-size: var(--section); letter-spacing: -.01em; margin-block-end: var(--s3); }
h3 { font-size: var(--text); color: var(--accent); margin-block: var(--s4) var(--s2); }
h2 + h3 { margin-block-start: 0; }
p, ul, ol, dl, figure { margin: 0 0 var(--s3); }
section { margin-block-start: var(--s4); padding-block-start: var(--s4); border-block-start: 1px solid var(--line); }
.page { margin-block-start: var(--s5); padding-block-start: var(--s5); }
ul, ol { padding-inline-start: 1.4em; }
li { margin-block-end: var(--s1); }
li::marker { color: var(--quiet); }
a { color: var(--accent); text-underline-offset: .18em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.lead { font-size: var(--large); line-height: 1.45; }
.note { padding: var(--s2) var(--s3); background: var(--tint); border-radius: var(--s1); }
.skip { position: absolute; inset-inline-start: var(--s3); inset-block-start: -6rem; }
.skip:focus { inset-block-start: var(--s2); padding: var(--s2) var(--s3); background: var(--ground); }
figure { padding-inline-start: var(--s3); border-inline-start: 3px solid var(--accent); }
blockquote { margin: 0; font-family: var(--serif); }
blockquote p { margin: 0; }
figcaption { color: var(--quiet); font-size: var(--small); }
dl { font-size: var(--small); }
dl div { display: flex; gap: var(--s3); padding-block: var(--s1); border-block-end: 1px solid var(--line); }
dt { flex: 0 0 11em; color: var(--quiet); }
dd { flex: 1 1 0; min-width: 0; margin: 0; }
nav ul { list-style: none; padding: 0; }
nav li { padding-block: var(--s2); margin: 0; border-block-end: 1px solid var(--line); }
dl div:last-child, nav li:last-child { border: 0; }
nav a { display: inline-block; }
.reason { display: block; }
@media screen and (max-width: 34rem) {
  :root { --title: 1.75rem; --section: 1.375rem; --s4: 1.5rem; --s5: 2.25rem; }
  dl div { display: block; }
}
@page {
  margin: 18mm 18mm 20mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #565e66; }
}
@media print {
  :root {
    color-scheme: light;
    --ground: #fff; --tint: #f4f2ee;
    --small: 8.5pt; --text: 9.5pt; --large: 11.5pt; --section: 13pt; --title: 19pt;
    --s1: 2pt; --s2: 3pt; --s3: 6pt; --s4: 9pt; --s5: 12pt;
  }
  html { line-height: 1.4; }
  header, main { max-width: none; padding-inline: 0; }
  header { padding-block: 0 var(--s2); }
  main { padding-block-end: 0; }
  .skip { display: none; }
  section { padding-block-start: var(--s3); }
  .page { break-before: page; border: 0; margin-block-start: 0; padding-block-start: 0; }
  h1, h2, h3 { break-after: avoid; }
  h2 { margin-block-end: var(--s2); }
  h3 { margin-block: var(--s3) var(--s1); }
  figure, li, dl, .note { break-inside: avoid; }
  h3 + .note { break-after: avoid; }
  blockquote, blockquote p { display: inline; }
  figcaption { display: inline-block; margin-inline-start: .5em; }
  figcaption::before { content: "— "; }
  p { orphans: 3; widows: 3; }
  a { color: inherit; }
  .pre-reading { --small: 8pt; --text: 9pt; --large: 10.5pt; --section: 11pt; --title: 16pt; line-height: 1.35; }
  .pre-reading { --s3: 5pt; --s4: 7pt; }
}
"""
