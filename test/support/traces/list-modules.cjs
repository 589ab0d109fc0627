/** Preloaded into a relay: when it exits, it says which packages of OpenTelemetry it has loaded. */
const { writeSync } = require('node:fs');
const process = require('node:process');

process.once('exit', () => {
  const packages = Object.keys(require.cache).flatMap(
    (path) => /node_modules\/(@opentelemetry\/[^/]+)\//.exec(path)?.[1] ?? [],
  );
  writeSync(2, `loaded: ${[...new Set(packages)].sort().join(' ')}\n`);
});
