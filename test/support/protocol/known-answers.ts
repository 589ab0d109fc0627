import { readFileSync } from 'node:fs';

/** Reads the results of docs/protocol.md for fixed inputs; test/vectors/README.md describes each entry. */
function readAnswers(file: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../vectors/${file}`, import.meta.url), 'utf8'));
}

/** Entries of protocol-1.json: text, or octets in hexadecimal. */
export const answers = readAnswers('protocol-1.json') as Readonly<
  Record<
    | 'client_id_secret'
    | 'kid'
    | 'client_id'
    | 'pair_request_body'
    | 'pair_client_id_header'
    | 'tunnel_relay_header'
    | 'tunnel_client_id_header'
    | 'replace_client_id_header'
    | 'error_559_p0'
    | 'error_560_p1'
    | 'error_562_p0'
    | 'error_564_p0'
    | 'error_565_p1'
    | 'replace_error_560_p1'
    | 'replace_error_562_p0',
    string
  >
> & { readonly time_ms: number };

/** A signed error in protocol-1-more.json. */
export interface SignedErrorAnswer {
  readonly about: 'pairing' | 'message';
  readonly client_id_header: string;
  readonly status: number;
  readonly p: 0 | 1;
  readonly unixms: number;
  readonly header: string;
}

/** Entries of protocol-1-more.json. */
export const moreAnswers = readAnswers('protocol-1-more.json') as {
  readonly alternative: {
    readonly client_id_secret: string;
    readonly kid: string;
    readonly pair_client_id_header: string;
  };
  readonly pair_error_566_p0: SignedErrorAnswer;
  readonly tunnel_error_560_p1: SignedErrorAnswer;
  readonly proof: string;
  readonly errors: readonly SignedErrorAnswer[];
  readonly recreated: { readonly proof: string; readonly errors: readonly SignedErrorAnswer[] };
  readonly errors_without_proof: readonly SignedErrorAnswer[];
};
