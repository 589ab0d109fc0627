import { html, type TemplateResult } from 'lit';

type Tone = 'good' | 'bad' | 'warning' | 'quiet';

/** Colours are never alone: each state has a symbol and a word. */
const STATES: Readonly<Record<string, readonly [Tone, symbol: string, word: string]>> = {
  paired: ['good', '✓', 'Paired'],
  reachable: ['good', '✓', 'Reachable'],
  available: ['good', '✓', 'Available'],
  unreachable: ['bad', '✕', 'Unreachable'],
  unavailable: ['bad', '✕', 'Unavailable'],
  unknown: ['quiet', '?', 'Not known'],
  unused: ['quiet', '○', 'Not used yet'],
};

export function state(of: string): TemplateResult {
  const [tone, symbol, word] = STATES[of] ?? ['quiet', '?', of];
  return badge(tone, symbol, word);
}

export function badge(tone: Tone, symbol: string, word: unknown): TemplateResult {
  return html`<span class="state ${tone}"
    ><span class="symbol" aria-hidden="true">${symbol}</span> ${word}</span
  >`;
}
