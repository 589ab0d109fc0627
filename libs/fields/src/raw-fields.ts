/**
 * The values of one field, in order.
 *
 * @param raw - name, value, … as undici reports them; only names of the right length are decoded
 * @param name - in lower case
 */
export function rawFieldValues(raw: readonly (string | Buffer)[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    if (raw[at]?.length === name.length && textOf(raw[at]).toLowerCase() === name) {
      values.push(textOf(raw[at + 1]));
    }
  }
  return values;
}

/** A name or value as text, one character for each octet. */
export function textOf(value: string | Buffer | undefined): string {
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '');
}
