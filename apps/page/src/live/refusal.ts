/** That the relay, or something before it, responded with an error. */
export interface Refusal {
  readonly status: number;
  readonly advice: string;
}

const ADVICE: Readonly<Record<number, string>> = {
  401: 'It asks for a password, the ADMIN_TOKEN. Reload the page to enter it.',
  421: 'It does not know the name by which you call it: list it in ADMIN_ALLOWED_HOSTS.',
  503: 'It has no room for another page at the moment, or is stopping.',
};
const OTHER = 'Its log may have the reason.';

/** @returns how the relay refuses `url`; undefined if it does not, or cannot be reached */
export async function reasonOf(url: string): Promise<Refusal | undefined> {
  try {
    const { ok, status } = await fetch(url, { method: 'HEAD', cache: 'no-store' });
    return ok ? undefined : { status, advice: ADVICE[status] ?? OTHER };
  } catch {
    // There is no connection, which the caller shows anyway.
    return undefined;
  }
}
