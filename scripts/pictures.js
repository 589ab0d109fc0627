/**
 * Takes the pictures of the page that the documents show, with Debian's Chromium and the status of an invented relay. Run
 * `npm run build` before, and look at them afterwards.
 */
import { resolve } from 'node:path';
import { runnerImport } from 'vite';

import { offerHelp } from '../bin/arguments.js';

offerHelp(`Usage: npm run pictures

Takes the pictures in docs/images anew, of the page as it was built last. It needs Chromium.`);

/** @import * as Pictures from '../test/support/page/pictures.js' */

/** @type {{ module: typeof Pictures }} */
const { module } = await runnerImport(resolve('test/support/page/pictures.ts'), {
  resolve: { tsconfigPaths: true },
});
await module.takePictures('docs/images');
