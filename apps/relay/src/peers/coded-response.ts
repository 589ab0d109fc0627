/** The field that an intermediary adds when it compresses. No relay ever sends it to another. */
export const CONTENT_ENCODING = 'content-encoding';

/** A response of the other relay that something between the relays has compressed, although nothing may change it. */
export class CodedResponseError extends Error {
  constructor() {
    super(
      'something between the relays has compressed the response (content-encoding): switch compression off there for the ' +
        "relays' addresses, such as gzip in nginx, compression in HAProxy, or DEFLATE with force-gzip in Apache",
    );
  }
}

/**
 * @param contentEncodings - of a response that should have what the other relay sealed, or its part of a pairing
 * @returns undefined if it has no content coding
 */
export function codedResponse(contentEncodings: readonly string[]): CodedResponseError | undefined {
  const isCoded = contentEncodings.some((coding) => coding.trim().toLowerCase() !== 'identity');
  return isCoded ? new CodedResponseError() : undefined;
}
