/** One bar a chain, as SVG: dark and light pages both show it. */
const WIDTH = 720;
const ROW = 34;
const LABEL = 210;

export function chart(title, rows, { cpu, cores, node }) {
  const shown = Object.entries(rows).filter(([, { cpuMicros }]) => cpuMicros > 0);
  const most = Math.max(...shown.map(([, { cpuMicros }]) => cpuMicros));
  const height = 60 + shown.length * ROW + 24;
  const bars = shown.map(([name, { cpuMicros }], at) => {
    const y = 50 + at * ROW;
    const width = ((WIDTH - LABEL - 90) * cpuMicros) / most;
    const colour = name.startsWith('relays') ? '#2f6fde' : '#8a94a6';
    return (
      `<text x="${LABEL - 10}" y="${y + 17}" text-anchor="end">${name}</text>` +
      `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 10}" rx="3" fill="${colour}"/>` +
      `<text x="${(LABEL + width + 8).toFixed(1)}" y="${y + 17}">${cpuMicros.toFixed(0)} µs</text>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="16" y="28" font-size="16">${title}</text>
${bars.join('\n')}
<text x="16" y="${height - 10}" font-size="11" fill="#555">${cores} × ${cpu}, Node.js ${node}. Less is better.</text>
</svg>
`;
}
