import { answerBytes, requestBytes, type HttpCase } from './http-cases/http-case.js';
import { exchangeBytes, type GotAnswer } from './raw-client.js';
import type { Field, RawHead } from './raw-http.js';
import type { ScriptedUpstream, SeenRequest } from './scripted-upstream.js';

/** What both ends saw of one case. */
export interface Observation {
  readonly seen: SeenRequest;
  readonly got: GotAnswer;
  /** How often the upstream was asked. */
  readonly hits: number;
}

export interface Route {
  /** Where the client connects to. */
  readonly port: number;
  /** What it sends besides the case's own fields. */
  readonly fields: readonly Field[];
  /** Whether the client sees a part of an answer before its end. */
  readonly showsParts: boolean;
}

/** Plays a case over a route to the upstream, and tells what arrived at either end. */
export async function observe(
  upstream: ScriptedUpstream,
  route: Route,
  httpCase: HttpCase,
): Promise<Observation> {
  const { answer, request } = httpCase;
  const pieces = answerBytes(httpCase);
  const content = Buffer.concat(answer.body.pieces).toString('latin1');
  let release = (): void => undefined;
  // A part that the client has got cannot be lost by the reset that follows.
  const isReleased =
    answer.end !== 'whole' && route.showsParts
      ? new Promise<void>((resolve) => (release = resolve))
      : Promise.resolve();
  const before = upstream.exchanges.items.length;
  const seen = new Promise<SeenRequest>((resolve) => {
    upstream.follow(async ({ head, whole, write, socket }) => {
      void whole.then(resolve);
      if (answer.after === 'request') {
        await whole;
      }
      for (const piece of pieces) {
        await write(piece);
      }
      await isReleased;
      if (answer.end === 'reset') {
        socket.resetAndDestroy();
      } else if (answer.end === 'close' || endsWithConnection(httpCase) || asksToClose(head)) {
        socket.end();
      }
    });
  });
  const got = await exchangeBytes({
    port: route.port,
    method: request.method,
    bytes: requestBytes(httpCase, [...route.fields, ['Connection', 'close']]),
    ...(answer.end === 'whole' ? {} : { onPart: { text: content, call: release } }),
  });
  return { seen: await seen, got, hits: upstream.exchanges.items.length - before };
}

function endsWithConnection({ answer }: HttpCase): boolean {
  return answer.version === '1.0' || answer.body.framing === 'close';
}

function asksToClose({ fields }: RawHead): boolean {
  return fields.some(([name, value]) => name.toLowerCase() === 'connection' && value === 'close');
}
