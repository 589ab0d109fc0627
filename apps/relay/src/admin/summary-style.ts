/** The style of the summary, which is there without a build. Wide tables scroll by themselves, and so do long names. */
export const SUMMARY_STYLE = `:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }
body { margin: 1rem auto; max-width: 110rem; padding: 0 0.75rem; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; }
h2 { font-size: 1.05rem; margin: 1.5rem 0 0.25rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8886; max-width: 16rem; overflow-wrap: break-word; padding: 0.25rem 0.5rem 0.25rem 0; text-align: left; vertical-align: top; }
thead th { white-space: nowrap; }
.facts th, .facts td { max-width: none; overflow-wrap: anywhere; }
.facts th { width: 30%; }
td { font-variant-numeric: tabular-nums; }
bdi { display: block; max-height: 6rem; overflow-y: auto; }
`;
