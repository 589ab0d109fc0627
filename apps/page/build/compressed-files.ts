import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

import type { Plugin } from 'vite';

const TEXT = /\.(?:css|html|js|svg|txt)$/;
/** Smaller files gain nothing. */
const MIN_BYTES = 1024;

/** Adds each file as gzip and as Brotli, so that the relay need not compress anything while it serves the page. */
export function compressedFiles(): Plugin {
  return {
    name: 'compressed-files',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const [fileName, file] of Object.entries(bundle)) {
          const content = Buffer.from(file.type === 'chunk' ? file.code : file.source);
          if (TEXT.test(fileName) && content.length >= MIN_BYTES) {
            this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source: gzip(content) });
            this.emitFile({ type: 'asset', fileName: `${fileName}.br`, source: brotli(content) });
          }
        }
      },
    },
  };
}

const gzip = (content: Buffer): Buffer =>
  gzipSync(content, { level: constants.Z_BEST_COMPRESSION });

const brotli = (content: Buffer): Buffer =>
  brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  });
