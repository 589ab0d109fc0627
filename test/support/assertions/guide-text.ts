/** The text under a heading, without that of the next heading of the same or a higher level. */
export function under(text: string, level: number, heading: string): string {
  const mark = '#'.repeat(level);
  const [, rest] = text.split(`\n${mark} ${heading}\n`);
  if (rest === undefined) {
    throw new Error(`there is no heading "${mark} ${heading}"`);
  }
  return rest.split(new RegExp(`^#{1,${level}} `, 'm'))[0] ?? '';
}

/** The commands in a text, as they are printed, block by block. */
export function blocksOf(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands = '']) => commands);
  if (blocks.length === 0) {
    throw new Error(`no commands are printed here: ${text.slice(0, 200)}`);
  }
  return blocks;
}
