/** Safe methods, which change nothing at the server. RFC 9110 section 9.2.1. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether servers treat a request with this method as a mere reading, which may be sent twice. */
export function isSafeMethod(method: string): boolean {
  return SAFE_METHODS.has(method);
}
