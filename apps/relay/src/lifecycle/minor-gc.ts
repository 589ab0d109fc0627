import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { onBytesReceived } from '@relay/http';

/** Bytes received between two collections. */
const INTERVAL_BYTES = 4 * 1024 * 1024;

/**
 * Keeps the memory use of long transfers small. Each chunk that is received leaves a used buffer behind. V8 sees only its small
 * handle, so it lets 64 MiB or more of buffers accumulate and then marks the whole heap because of them. A collection of
 * the young generation frees them in less than a millisecond.
 */
export function collectGarbageWhileReceiving(): void {
  const collectYoungGeneration = minorCollector();
  let received = 0;
  onBytesReceived((bytes) => {
    received += bytes;
    if (received >= INTERVAL_BYTES) {
      received = 0;
      collectYoungGeneration();
    }
  });
}

/** V8 exposes its collector only to contexts that are created while this flag is set. */
function minorCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;
  setFlagsFromString('--no-expose-gc');
  return () => {
    collect({ type: 'minor' });
  };
}
