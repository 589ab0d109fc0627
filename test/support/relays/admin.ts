import { request } from '../clients/client.js';
import type { TestRelay } from './relay.js';

/** The address of the relay's admin listener. */
export async function adminOf({ log }: Pick<TestRelay, 'log'>): Promise<string> {
  const line = await log.find(({ msg }) => msg === 'admin listener is listening');
  return String(line['address']);
}

/** The metrics of a relay, by sample name with its labels, such as `name{label="value"}`. */
export async function samplesOf(relay: Pick<TestRelay, 'log'>): Promise<Map<string, number>> {
  const { status, body } = await request(await adminOf(relay), { path: '/metrics' });
  if (status !== 200) {
    throw new Error(`/metrics answered ${status}`);
  }
  const lines = body.toString().split('\n');
  return new Map(
    lines
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line): [string, number] => {
        const at = line.lastIndexOf(' ');
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }),
  );
}
