import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of bodies between two collections. */
const INTERVAL_BYTES = 4 * 1024 * 1024;

const collectYoung = youngCollector();
let received = 0;

/**
 * Keeps the memory of long transfers small. Each byte that comes in leaves a few bytes of used buffers behind; to V8
 * those are tiny objects, so that it lets 64 MiB and more of them stand, and then marks the whole heap for their sake. A
 * collection of what is young takes them for a fraction of that, in less than a millisecond.
 *
 * @param bytes - of a body, as they came in
 */
export function countReceived(bytes: number): void {
  received += bytes;
  if (received >= INTERVAL_BYTES) {
    received = 0;
    collectYoung();
  }
}

/** V8 hands its collector only to contexts that begin under this flag. */
function youngCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;
  setFlagsFromString('--no-expose-gc');
  return () => {
    collect({ type: 'minor' });
  };
}
