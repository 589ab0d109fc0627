import { html, type TemplateResult } from 'lit';

/** Names that are longer are cut, and can be opened. */
const SHOWN_CHARACTERS = 60;
/** Does not cut within what is seen as one character. */
const SEGMENTER = new Intl.Segmenter();
/** Characters that are not seen, or change how others are seen: controls, and those of the direction of text. */
const UNSEEN = /[\p{Cc}\p{Bidi_Control}\u2028\u2029\u200B\uFEFF]/gu;
/** The party of the environment variables, which has no name. */
const ENVIRONMENT = '(environment)';

/** Text of another party, such that it shows what it consists of. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return `⟨U+${code}⟩`;
  });
}

/** A name that another party may have chosen: apart from the text around it, and short. */
export function name(text: string): TemplateResult {
  const whole = visible(text);
  const characters = [...SEGMENTER.segment(whole.slice(0, 2 * SHOWN_CHARACTERS))];
  const shown = characters
    .slice(0, SHOWN_CHARACTERS)
    .map(({ segment }) => segment)
    .join('');
  if (shown.length === whole.length) {
    return html`<bdi class="name">${whole}</bdi>`;
  }
  return html`<details class="long-name">
    <summary><bdi class="name">${shown}…</bdi></summary>
    <bdi class="name">${whole}</bdi>
  </details>`;
}

interface Party {
  readonly name?: string | undefined;
  readonly origin?: string | undefined;
}

/** What a party is called: its name or else its origin, in one line of text. */
export function calledBy({ name: own, origin }: Party): string {
  return own ?? origin ?? ENVIRONMENT;
}

/** As `calledBy`, short enough for a sentence. */
export function shortName(party: Party): string {
  const whole = visible(calledBy(party));
  return whole.length <= SHOWN_CHARACTERS ? whole : `${whole.slice(0, SHOWN_CHARACTERS - 1)}…`;
}
