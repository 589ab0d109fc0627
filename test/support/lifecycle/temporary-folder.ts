import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryFolder {
  readonly path: string;
  close(): Promise<void>;
}

/** Creates an empty folder, which `close` removes with its content. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'relay-test-'));
  return {
    path,
    close: () => rm(path, { recursive: true, force: true }),
  };
}
