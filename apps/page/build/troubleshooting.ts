import { Marked, type Renderer, type Token, type Tokens } from 'marked';

import type { ErrorCodes } from './error-codes.js';

const CODE = /RELAY_[A-Z_]*[A-Z]/g;
/** A row, an item or a paragraph is about the codes that it begins with, if need be behind their status. */
const BEGINNING = /^(?:\d{3} )?(?:`RELAY_[A-Z_]*[A-Z]`(?:, )?)+/;
const ALL_CODES = 'all-codes';

/**
 * Renders docs/troubleshooting.md. Each code has an anchor of its name: at the first heading, row or paragraph about it, or
 * else in the table of all codes at the end.
 */
export function renderTroubleshooting(document: string, codes: ErrorCodes): string {
  const places = placesOf(new Marked().lexer(document), new Set(Object.keys(codes)));
  const anchored = new Set([...places.values()].flat());
  const marked = new Marked({ renderer: renderer(places) });
  return `${marked.parse(document, { async: false })}${tableOf(codes, anchored)}`;
}

/** Which codes have their anchor where, by the source text of the token: first headings, then what begins with a code. */
function placesOf(tokens: readonly Token[], known: ReadonlySet<string>): Map<string, string[]> {
  const places = new Map<string, string[]>();
  const free = new Set(known);
  const all = flat(tokens);
  const take = (text: string, codes: readonly string[]): void => {
    const own = codes.filter((code) => free.delete(code));
    if (own.length > 0) {
      places.set(text, own);
    }
  };
  for (const { type, text } of all) {
    if (type === 'heading') {
      take(text, text.match(CODE) ?? []);
    }
  }
  for (const { type, text } of all) {
    if (type !== 'heading') {
      take(text, BEGINNING.exec(text)?.[0].match(CODE) ?? []);
    }
  }
  return places;
}

interface Place {
  readonly type: string;
  readonly text: string;
}

function flat(tokens: readonly Token[]): Place[] {
  return tokens.flatMap((token): Place[] => {
    switch (token.type) {
      case 'table':
        return (token as Tokens.Table).rows.flat().map(({ text }) => ({ type: 'cell', text }));
      case 'list':
        return (token as Tokens.List).items.map(({ text }) => ({ type: 'item', text }));
      case 'heading':
      case 'paragraph':
        return [{ type: token.type, text: (token as Tokens.Heading).text }];
      default:
        return [];
    }
  });
}

type RendererMethods = Partial<Omit<Renderer, 'options' | 'parser'>>;

function renderer(places: Map<string, string[]>): RendererMethods {
  const anchors = (text: string): string => {
    const codes = places.get(text) ?? [];
    // Another row may begin with the same text: the first has the anchors.
    places.delete(text);
    return codes.map(anchor).join('');
  };
  return {
    heading(this: Renderer, { tokens, depth, text }) {
      const level = String(depth);
      const inner = this.parser.parseInline(tokens);
      return `<h${level} id="${slug(text)}">${anchors(text)}${inner}</h${level}>\n`;
    },
    paragraph(this: Renderer, { tokens, text }) {
      return `<p>${anchors(text)}${this.parser.parseInline(tokens)}</p>\n`;
    },
    listitem(this: Renderer, { tokens, text }) {
      return `<li>${anchors(text)}${this.parser.parse(tokens)}</li>\n`;
    },
    // It may have to be scrolled, by the keyboard too.
    code: ({ text }) => `<pre tabindex="0"><code>${escapeText(text)}</code></pre>\n`,
    table(this: Renderer, { header, rows }) {
      const head = header.map(
        ({ tokens }) => `<th scope="col">${this.parser.parseInline(tokens)}</th>`,
      );
      const body = rows.map((cells) => {
        const row = cells.map(
          ({ tokens, text }) => `<td>${anchors(text)}${this.parser.parseInline(tokens)}</td>`,
        );
        return `<tr>${row.join('')}</tr>`;
      });
      return scrollable(
        `<thead><tr>${head.join('')}</tr></thead><tbody>${body.join('\n')}</tbody>`,
      );
    },
    link(this: Renderer, { href, tokens }) {
      return link(href, this.parser.parseInline(tokens));
    },
  };
}

/** Other documents are not beside the page: what would lead to them names them. */
function link(href: string, inner: string): string {
  if (href.startsWith('#')) {
    return `<a href="${href}">${inner}</a>`;
  }
  const [file = '', fragment] = href.split('#');
  if (file === 'operations.md' && fragment === 'error-codes') {
    return `<a href="#${ALL_CODES}">all codes</a>`;
  }
  return inner.includes(file) ? inner : `${inner} (${file})`;
}

function tableOf(codes: ErrorCodes, anchored: ReadonlySet<string>): string {
  const rows = Object.entries(codes).map(([code, { meaning, remedy = '' }]) => {
    const name = anchored.has(code)
      ? `<a href="#${code}"><code>${code}</code></a>`
      : `${anchor(code)}<code>${code}</code>`;
    return `<tr><td>${name}</td><td>${escapeText(meaning)}</td><td>${escapeText(remedy)}</td></tr>`;
  });
  const head = ['Code', 'What happened', 'What to do'].map(
    (text) => `<th scope="col">${text}</th>`,
  );
  const table = `<thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody>`;
  return `<h2 id="${ALL_CODES}">All error codes</h2>\n${scrollable(table)}`;
}

/** Wide tables scroll by themselves, by the keyboard too. */
function scrollable(table: string): string {
  return `<div class="scrollable" role="group" aria-label="Table" tabindex="0"><table>${table}</table></div>\n`;
}

const anchor = (code: string): string => `<span id="${code}" class="anchor"></span>`;

/** As GitHub makes ids of headings, which the links in the document use. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
