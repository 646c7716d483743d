"""The look of a printed or opened document: one scale of type, one of space, light and dark, A4 and Letter."""

STYLES = """
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
h3 { font-size: var(--text); color: var(--accent); margin-block: var(--s4) var(--s1); }
p, ul, ol, dl, figure { margin: 0 0 var(--s3); }
section { margin-block-start: var(--s5); padding-block-start: var(--s4); border-block-start: 1px solid var(--line); }
ul, ol { padding-inline-start: 1.4em; }
li { margin-block-end: var(--s1); }
li::marker { color: var(--quiet); }
a { color: var(--accent); text-underline-offset: .18em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.kind { color: var(--quiet); font-size: var(--small); margin-block-end: var(--s2); }
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
    --small: 8.5pt; --text: 9.5pt; --large: 11.5pt; --section: 13pt; --title: 20pt;
    --s1: 2pt; --s2: 4pt; --s3: 7pt; --s4: 10pt; --s5: 14pt;
  }
  html { line-height: 1.4; }
  header, main { max-width: none; padding-inline: 0; }
  header { padding-block: 0 var(--s2); }
  main { padding-block-end: 0; }
  .skip { display: none; }
  section { margin-block-start: var(--s4); padding-block-start: var(--s3); }
  section.page { break-before: page; border: 0; margin-block-start: 0; padding-block-start: 0; }
  h1, h2, h3 { break-after: avoid; }
  figure, li, dl div, .note { break-inside: avoid; }
  p { orphans: 3; widows: 3; }
  a { color: inherit; }
}
"""
