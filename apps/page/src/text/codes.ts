import { html, type TemplateResult } from 'lit';
import { ERROR_CODES } from 'virtual:error-codes';

import { visible } from './names.js';

/** An error code, with a link to what docs/troubleshooting.md says of it if it is one of this relay's. */
export function code(text: string): TemplateResult {
  const known = Object.hasOwn(ERROR_CODES, text) ? ERROR_CODES[text] : undefined;
  return known === undefined
    ? html`<code>${visible(text)}</code>`
    : html`<a href="troubleshooting.html#${text}" title=${known.meaning}><code>${text}</code></a>`;
}

/** What happened and what an operator can do about it. */
export function remedy(text: string): string {
  const known = Object.hasOwn(ERROR_CODES, text) ? ERROR_CODES[text] : undefined;
  return known === undefined ? '' : (known.remedy ?? known.meaning);
}
