import { ID_HEADER } from './counting-upstream.js';
import { startUpstream } from './upstream.js';
import type { Listening } from '../network/listen.js';

/** An upstream with one value, which every request replaces with its body. */
export interface ValueUpstream extends Listening {
  readonly value: () => string;
  /** How often a request with this id has been received, completely or not. */
  executions(id: string): number;
}

export async function startValueUpstream(): Promise<ValueUpstream> {
  let value = '';
  const upstream = await startUpstream(async (request, response) => {
    value = (await request.body()).toString();
    response.end();
  });
  return {
    port: upstream.port,
    url: upstream.url,
    close: () => upstream.close(),
    value: () => value,
    executions: (id) =>
      upstream.requests.items.filter(({ headers }) => headers[ID_HEADER] === id).length,
  };
}
