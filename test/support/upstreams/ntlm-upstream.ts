import { createRequire } from 'node:module';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { startUpstream, type Upstream } from './upstream.js';

/** What express-ntlm adds to a request, and what it expects of a response. It needs no more of Express than `locals`. */
interface NtlmRequest extends IncomingMessage {
  readonly ntlm?: { readonly UserName: string };
}
type NtlmResponse = ServerResponse & { locals?: Record<string, unknown> };

type Ntlm = (request: NtlmRequest, response: NtlmResponse, next: () => void) => void;

// The package has neither types nor named exports.
const require = createRequire(import.meta.url);
const ntlm = require('express-ntlm') as (options: object) => Ntlm;

/** Credentials that the server accepts: without a domain controller it accepts every user. */
export const NTLM_USER = 'alice';

/** A real NTLM server. It authenticates connections, and responds to every request with the user of its connection. */
export function startNtlmUpstream(): Promise<Upstream> {
  const authenticate = ntlm({});
  return startUpstream(({ message }, response: NtlmResponse) => {
    response.locals = {};
    authenticate(message, response, () => {
      response.end(`user ${(message as NtlmRequest).ntlm?.UserName ?? 'nobody'}`);
    });
  });
}
