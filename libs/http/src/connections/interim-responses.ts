/** The first octets of an interim response. 101 is none: it ends HTTP on its connection. RFC 9110 section 15.2. */
const INTERIM_START = /^HTTP\/1\.[01] 1(?!01)\d\d[ \r]$/;
/** An example of them, which shows whether fewer octets may become one. */
const EXAMPLE = 'HTTP/1.1 100 ';
/** Where the first digit of a status is. */
const STATUS_AT = EXAMPLE.indexOf('100');
const ONE = 0x31;
const CR = 0x0d;
const LF = 0x0a;
/** As for the head of a final response. */
const MAX_HEAD_BYTES = 65_536;
const NOTHING = Buffer.alloc(0);

/**
 * Takes interim responses out of what a server sends. undici ignores most of them, but takes an unsolicited `100 Continue` for
 * an error, although RFC 9110 section 15.2 asks clients to ignore it. Nothing but the few octets that may begin one is kept.
 */
export class InterimResponses {
  private part: 'start' | 'interim' | 'final' = 'final';
  private kept: Buffer = NOTHING;
  private headBytes = 0;
  private lineBytes = 0;
  private isAfterCr = false;

  /** A request is sent: what comes next begins its response. */
  expect(): void {
    this.part = 'start';
    this.kept = NOTHING;
  }

  /**
   * @returns the octets that belong to the final response, possibly none
   * @throws Error if an interim response is malformed or endless: nobody can tell where the final response begins
   */
  removeFrom(chunk: Buffer): Buffer {
    if (this.part === 'final') {
      return chunk;
    }
    const isUsual = this.part === 'start' && this.kept.length === 0;
    if (isUsual && chunk.length > STATUS_AT && chunk[STATUS_AT] !== ONE) {
      this.part = 'final';
      return chunk;
    }
    return this.removeStepwise(this.kept.length === 0 ? chunk : Buffer.concat([this.kept, chunk]));
  }

  private removeStepwise(octets: Buffer): Buffer {
    this.kept = NOTHING;
    for (let rest = octets; rest.length > 0;) {
      if (this.part === 'interim') {
        rest = rest.subarray(this.skipHead(rest));
        continue;
      }
      const seen = rest.toString('latin1', 0, EXAMPLE.length);
      if (!INTERIM_START.test(seen + EXAMPLE.slice(seen.length))) {
        this.part = 'final';
        return rest;
      }
      if (seen.length < EXAMPLE.length) {
        this.kept = Buffer.from(rest);
        return NOTHING;
      }
      this.part = 'interim';
      this.headBytes = 0;
    }
    return NOTHING;
  }

  /**
   * Only CRLF ends a line here. If a bare LF did not end one, but did for the server, the final response would be taken for a
   * part of this head, and its body for a response.
   *
   * @returns the number of octets that belong to the head of an interim response
   */
  private skipHead(octets: Buffer): number {
    for (let at = 0; at < octets.length; at += 1) {
      const octet = octets[at];
      this.headBytes += 1;
      if (this.headBytes > MAX_HEAD_BYTES || this.isAfterCr !== (octet === LF)) {
        throw new Error('an interim response has a malformed or endless head');
      }
      this.isAfterCr = octet === CR;
      if (octet === LF) {
        if (this.lineBytes === 0) {
          this.part = 'start';
          return at + 1;
        }
        this.lineBytes = 0;
      } else if (octet !== CR) {
        this.lineBytes += 1;
      }
    }
    return octets.length;
  }
}
