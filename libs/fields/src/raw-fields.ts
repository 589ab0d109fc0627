/**
 * Values of one field, in their order.
 *
 * @param raw - name, value, … as undici reports them; only what has the length of the name is read
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

/** A name or value as the text of its octets. */
export function textOf(value: string | Buffer | undefined): string {
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '');
}
