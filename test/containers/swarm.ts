import { docker, waitUntil } from './engine.js';

/** Makes this engine a swarm if it is not in one. @returns whether it did: the caller then has to leave it again */
export async function joinSwarm(): Promise<boolean> {
  if ((await docker('info', '--format', '{{.Swarm.LocalNodeState}}')) === 'active') {
    return false;
  }
  await docker('swarm', 'init', '--advertise-addr', '127.0.0.1');
  return true;
}

/** Waits until a stack that was removed has left neither a container nor a network. */
export async function stackIsGone(stack: string): Promise<void> {
  const filter = ['--quiet', '--filter', `label=com.docker.stack.namespace=${stack}`];
  await waitUntil(`${stack} is gone`, async () => {
    const left = [await docker('ps', '--all', ...filter), await docker('network', 'ls', ...filter)];
    return left.join('') === '';
  });
}
