/** How the page looks: calm, in the light or the dark that the system asks for, down to 360 pixels. */
export const PAGE_STYLE: string = `
:root {
  color-scheme: light dark;
  --ground: #fbfbf9; --raised: #ffffff; --line: #d6d8d4; --ink: #1d2421; --quiet: #55605a;
  --good: #17663f; --mixed: #805300; --bad: #a3262a; --focus: #1f5fbf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14191a; --raised: #1b2223; --line: #364143; --ink: #e4e9e7; --quiet: #a3afab;
    --good: #76cfa0; --mixed: #e5b567; --bad: #f2918d; --focus: #8ab8ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
header, main { max-width: 82rem; margin: 0 auto; padding: 0 1rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1.5rem; padding-top: 1rem; }
h1 { font-size: 1.5rem; margin: 0; letter-spacing: 0.02em; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.25rem; }
p { margin: 0.25rem 0; }
.hint, #state, caption { color: var(--quiet); font-size: 0.9rem; }
#state.lost { color: var(--bad); }
main:focus { outline: none; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--raised); padding: 0.25rem 0.5rem; }
.scroll { overflow-x: auto; margin: 0.75rem 0; border: 1px solid var(--line); border-radius: 6px; background: var(--raised); }
/* What is cut off at a side has a shadow there. */
#graph { background: linear-gradient(to right, var(--raised) 40%, transparent) 0 0 / 3rem 100% no-repeat local, linear-gradient(to left, var(--raised) 40%, transparent) 100% 0 / 3rem 100% no-repeat local, linear-gradient(to right, var(--line), transparent) 0 0 / 1rem 100% no-repeat scroll, linear-gradient(to left, var(--line), transparent) 100% 0 / 1rem 100% no-repeat scroll, var(--raised); }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
caption { text-align: left; padding: 0.5rem 0.75rem; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.75rem; border-top: 1px solid var(--line); }
thead th { font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 500; }
.figure { text-align: right; font-variant-numeric: tabular-nums; }
.identity { overflow-wrap: anywhere; }
.good { color: var(--good); } .mixed { color: var(--mixed); } .bad { color: var(--bad); }
.troubles { margin: 0.5rem 0; padding-left: 1.25rem; color: var(--bad); }
.empty { color: var(--quiet); }
details { border: 1px solid var(--line); border-radius: 6px; background: var(--raised); margin: 0.5rem 0; }
summary { cursor: pointer; padding: 0.5rem 0.75rem; overflow-wrap: anywhere; }
summary .times { color: var(--quiet); font-size: 0.9rem; }
details.older { border: 0; background: none; } details.older > summary { color: var(--quiet); padding-left: 0; }
details pre { margin: 0; padding: 0.5rem 0.75rem 0.75rem; white-space: pre-wrap; overflow-wrap: anywhere; font: 0.85rem/1.5 ui-monospace, monospace; border-top: 1px solid var(--line); }
svg { display: block; margin: 0 auto; max-width: 100%; height: auto; }
svg text { font: 13px system-ui, sans-serif; fill: var(--ink); }
svg .namespace { font-size: 11px; fill: var(--quiet); }
svg .node { fill: var(--ground); stroke: var(--quiet); }
svg .node.bare { stroke-dasharray: 4 3; }
svg .edge { fill: none; stroke-width: 1.8; }
svg .edge.good { stroke: var(--good); } svg .edge.mixed { stroke: var(--mixed); stroke-dasharray: 8 4; } svg .edge.bad { stroke: var(--bad); stroke-dasharray: 3 4; }
svg .edge.refused { stroke: var(--quiet); stroke-width: 1.4; stroke-dasharray: 2 6; } svg .tip.refused { fill: none; stroke: var(--bad); stroke-width: 3; }
svg .tip.good { fill: var(--good); } svg .tip.mixed { fill: var(--mixed); } svg .tip.bad { fill: var(--bad); }
svg text.share { font-size: 11.5px; paint-order: stroke; stroke: var(--raised); stroke-width: 4px; }
svg text.share.good { fill: var(--good); } svg text.share.mixed { fill: var(--mixed); } svg text.share.bad { fill: var(--bad); } svg text.share.refused { fill: var(--quiet); }
@media (max-width: 40rem) {
  #workloads thead, #edges thead { position: absolute; left: -100rem; }
  #workloads tr, #edges tr { display: block; border-top: 1px solid var(--line); padding: 0.5rem 0; }
  #workloads th, #workloads td, #edges th, #edges td { display: block; border: 0; padding: 0.1rem 0.75rem; text-align: left; }
  #workloads td[data-what]::before, #edges td[data-what]::before { content: attr(data-what) ": "; color: var(--quiet); }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
`;
