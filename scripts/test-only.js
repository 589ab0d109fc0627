/** `npm run test:only`: runs only the suites. Arguments go to vitest: `npm run test:only -- --project unit`. */
import { ensureRedis, runSuites } from './suites.js';

const passed = ensureRedis() && runSuites({ name: 'suites', args: process.argv.slice(2) });
process.exitCode = passed ? 0 : 1;
