import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { defineConfig } from 'vite';

import { compressedFiles } from './build/compressed-files.js';
import { errorCodesOf } from './build/error-codes.js';
import { errorCodesModule, troubleshootingPage, withoutCrossOrigin } from './build/plugins.js';

const root = import.meta.dirname;
const documents = join(root, '../../docs');
const read = (name: string): string => readFileSync(join(documents, name), 'utf8');

const codes = errorCodesOf(read('operations.md'));

/** Builds the page into static files. Their addresses are relative, so that the page may stand below a path of a gateway. */
export default defineConfig({
  root,
  base: './',
  plugins: [
    errorCodesModule(codes),
    troubleshootingPage(read('troubleshooting.md'), codes),
    withoutCrossOrigin(),
    compressedFiles(),
  ],
  resolve: { tsconfigPaths: true },
  build: {
    outDir: join(root, '../../dist/page'),
    emptyOutDir: true,
    target: 'es2023',
    license: { fileName: 'licenses.txt' },
    // Its code would be inline, which the Content-Security-Policy forbids.
    modulePreload: false,
    assetsInlineLimit: 0,
    sourcemap: false,
    reportCompressedSize: false,
    rolldownOptions: { input: [join(root, 'index.html'), join(root, 'troubleshooting.html')] },
  },
});
