import { responseBytes, requestBytes, type HttpCase } from '../http-cases/http-case.js';
import { exchangeBytes, type ReceivedResponse } from '../clients/raw-client.js';
import type { Field, RawHead } from '../network/raw-http.js';
import type { ScriptedUpstream, SeenRequest } from '../upstreams/scripted-upstream.js';

/** What the upstream and the client observed of one case. */
export interface Observation {
  readonly seen: SeenRequest;
  readonly got: ReceivedResponse;
  /** How many requests the upstream received. */
  readonly hits: number;
}

export interface Route {
  /** The port that the client connects to. */
  readonly port: number;
  /** The fields that the client sends besides those of the case. */
  readonly fields: readonly Field[];
  /** Whether the client receives a part of a response before its end. */
  readonly showsParts: boolean;
}

/** Plays a case over a route to the upstream, and returns what arrived at both ends. */
export async function observe(
  upstream: ScriptedUpstream,
  route: Route,
  httpCase: HttpCase,
): Promise<Observation> {
  const { response, request } = httpCase;
  const pieces = responseBytes(httpCase);
  const content = Buffer.concat(response.body.pieces).toString('latin1');
  let release = (): void => undefined;
  // Wait until the client has received the part: a reset that comes earlier could discard it.
  const isReleased =
    response.end !== 'whole' && route.showsParts
      ? new Promise<void>((resolve) => (release = resolve))
      : Promise.resolve();
  const before = upstream.exchanges.items.length;
  const seen = new Promise<SeenRequest>((resolve) => {
    upstream.follow(async ({ head, whole, write, socket }) => {
      void whole.then(resolve);
      if (response.after === 'request') {
        await whole;
      }
      for (const piece of pieces) {
        await write(piece);
      }
      await isReleased;
      if (response.end === 'reset') {
        socket.resetAndDestroy();
      } else if (response.end === 'close' || endsWithConnection(httpCase) || asksToClose(head)) {
        socket.end();
      }
    });
  });
  const got = await exchangeBytes({
    port: route.port,
    method: request.method,
    bytes: requestBytes(httpCase, [...route.fields, ['Connection', 'close']]),
    ...(response.end === 'whole' ? {} : { onPart: { text: content, call: release } }),
  });
  return { seen: await seen, got, hits: upstream.exchanges.items.length - before };
}

function endsWithConnection({ response }: HttpCase): boolean {
  return response.version === '1.0' || response.body.framing === 'close';
}

function asksToClose({ fields }: RawHead): boolean {
  return fields.some(([name, value]) => name.toLowerCase() === 'connection' && value === 'close');
}
