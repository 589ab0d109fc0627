import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { ERRORS } from '@relay/errors';
import { describe, expect, it } from 'vitest';

const BUILT = 'dist/page';
const MAX_COMPRESSED_BYTES = 120 * 1024;

const files = readdirSync(BUILT, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => join(parentPath, name));
const originals = files.filter((file) => !/\.(?:br|gz)$/.test(file));
const html = originals.filter((file) => file.endsWith('.html'));
const read = (file: string): string => readFileSync(file, 'utf8');

describe('the files of the page', () => {
  it('have together at most 120 KiB when they are compressed', () => {
    const bytes = originals.map((file) => gzipSync(readFileSync(file)).length);
    expect(bytes.reduce((sum, length) => sum + length, 0)).toBeLessThan(MAX_COMPRESSED_BYTES);
  });

  it('have names that change with their content, but for those that are asked for by name', () => {
    const named = originals.filter((file) => !/assets\/[\w-]+-[\w-]{8}\.(?:css|js)$/.test(file));
    expect(named.sort()).toEqual(
      ['icon.svg', 'index.html', 'licenses.txt', 'troubleshooting.html'].map((name) =>
        join(BUILT, name),
      ),
    );
  });

  it('have no source maps, and are compressed beforehand', () => {
    expect(files.filter((file) => file.endsWith('.map'))).toEqual([]);
    expect(files.filter((file) => /\.js\.(?:br|gz)$/.test(file))).toHaveLength(2);
  });

  it('name the licences of what they contain', () => {
    const licences = read(join(BUILT, 'licenses.txt'));
    for (const name of ['lit', 'lit-html', 'uplot']) {
      expect(licences).toMatch(new RegExp(`^## ${name} - .* \\((?:BSD-3-Clause|MIT)\\)$`, 'm'));
    }
  });

  it('have no inline code or style, and load nothing from elsewhere', () => {
    for (const file of html) {
      expect(read(file)).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=/);
      expect(read(file)).not.toMatch(/(?:src|href)="(?:\/\/|\w+:)/);
    }
    for (const file of originals.filter((each) => each.endsWith('.css'))) {
      expect(read(file)).not.toMatch(/url\(|@import/);
    }
  });

  it('have no tag with which a browser names the origin of the page', () => {
    expect(html).toHaveLength(2);
    expect(html.filter((file) => /crossorigin/i.test(read(file)))).toEqual([]);
  });

  it('have an anchor for each error code, once, and only links that lead somewhere', () => {
    const guide = read(join(BUILT, 'troubleshooting.html'));
    const ids = [...guide.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id!);
    expect(ids.filter((id) => id.startsWith('RELAY_')).sort()).toEqual(Object.keys(ERRORS).sort());
    expect(new Set(ids).size).toBe(ids.length);
    const links = [...guide.matchAll(/ href="#([^"]*)"/g)].map(([, id]) => id!);
    expect(links.filter((id) => !ids.includes(id))).toEqual([]);
    expect(links.length).toBeGreaterThan(20);
  });

  it('say of each error code what happened, in words of its own', () => {
    const [script] = originals.filter((file) => /index-.*\.js$/.test(file));
    const code = read(script!);
    expect(Object.keys(ERRORS).filter((name) => !new RegExp(`${name}:\\{`).test(code))).toEqual([]);
    expect(code).not.toContain('The same');
  });
});
