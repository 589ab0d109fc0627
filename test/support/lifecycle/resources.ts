import { afterAll, onTestFinished } from 'vitest';

export interface Closable {
  close(): Promise<void>;
}

/**
 * Call at the top of a file or suite. Resources that are given to the returned function are closed after its last test,
 * the newest first.
 */
export function sharedResources(): <T extends Closable>(resource: T) => T {
  const open: Closable[] = [];
  afterAll(async () => {
    for (const resource of open.reverse()) {
      await resource.close();
    }
  });
  return (resource) => {
    open.push(resource);
    return resource;
  };
}

/** Closes the resource when the running test has ended, whatever its outcome. */
export function forThisTest<T extends Closable>(resource: T): T {
  onTestFinished(() => resource.close());
  return resource;
}
