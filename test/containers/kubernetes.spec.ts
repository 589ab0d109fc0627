import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { hasProgram, ROOT, run } from './engine.js';

const hasKubectl = hasProgram('kubectl', 'kustomize', '--help');

/** Renders an overlay next to those of deploy/kubernetes. */
async function render(kustomization: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'mte-kustomize-'));
  try {
    cpSync(join(ROOT, 'deploy/kubernetes'), folder, { recursive: true });
    writeFileSync(join(folder, 'kustomization.yaml'), kustomization);
    return await run('kubectl', ['kustomize', folder]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.skipIf(!hasKubectl)('the folders of deploy/kubernetes, rendered by kubectl', () => {
  it('produce one deployment in the namespace of the overlay', async () => {
    const rendered = await run('kubectl', ['kustomize', 'deploy/kubernetes/overlays/receiving']);
    expect(rendered).toContain('name: mte-api-relay-deployment\n  namespace: mte-receiving\n');
    expect(rendered).toMatch(/name: mte-api-relay-config-\w+\n/);
  });

  it.each([
    ['client-id-secret-alt', 'CLIENT_ID_SECRET_ALT_FILE'],
    ['outbound-token-alt', 'OUTBOUND_TOKEN_ALT_FILE'],
  ])(
    'accept the component %s, which adds the second value for a rotation',
    async (component, variable) => {
      const rendered = await render(
        `resources: [overlays/receiving]\ncomponents: [components/${component}]\n`,
      );
      for (const name of [variable, 'CLIENT_ID_SECRET_FILE', 'OUTBOUND_TOKEN_FILE']) {
        expect(rendered).toContain(`name: ${name}\n`);
      }
    },
  );
});
