/** Text that is HTML already. */
export class Html {
  constructor(readonly text: string) {}
}

/** What can stand in a template: texts and numbers are escaped, HTML is not, nothing is shown for undefined. */
type Part = string | number | undefined | Html | readonly Html[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Makes HTML from a template: everything that is inserted is text, unless it was made here itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const [first = '', ...others] = strings;
  return new Html(others.reduce((text, string, at) => text + textOf(parts[at]) + string, first));
}

function textOf(part: Part): string {
  if (part instanceof Html) {
    return part.text;
  }
  if (typeof part === 'object') {
    return part.map(({ text }) => text).join('');
  }
  return String(part ?? '').replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
