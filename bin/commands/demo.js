/** `mte-api-relay demo`, which reads its own arguments. */
await import('../../demo/run.js');
