/** Runs the built service as a child of the demo. The child ends when the demo ends, however that happens. */
import { BUILT_MAIN } from './build.js';

process.once('disconnect', () => process.exit(1));
process.channel?.unref();

await import(BUILT_MAIN);
