/** Runs the built service as a child of the demo: it ends where the demo is gone, however that ended. */
import { BUILT_MAIN } from './build.js';

process.once('disconnect', () => process.exit(1));
process.channel.unref();

await import(BUILT_MAIN);
