import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { blocksOf, under } from '../support/assertions/guide-text.js';
import { COMPOSE, docker, freePort, ROOT, run, type Variables } from './engine.js';

const GUIDE = 'docs/deployment.md';
const PREPARATION = 'Image and secrets of both sides';
const STEPS = ['A relay that receives', 'A relay that sends', 'A request through both'] as const;
/** The files in which the guide's ports and programs are written. */
const FILES = [GUIDE, 'deploy/compose/receiving.yml', 'deploy/compose/sending.yml'];

/** What the commands of one section printed, step by step. */
export type Printed = Readonly<Record<(typeof STEPS)[number], string>>;

/** The swarm's load balancer is part of the kernel; if the kernel lacks it, relays are found through DNS alone. */
export const hasSwarmBalancer = existsSync('/proc/net/ip_vs');

const isFile = (name: string): boolean =>
  statSync(join(ROOT, name), { throwIfNoEntry: false })?.isFile() === true;

async function isFree(port: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(Number(port), () =>
      server.close(() => {
        resolve(true);
      }),
    );
  });
}

/**
 * All that is changed in what a guide prints: a port of these that another program of this machine uses, the program that
 * stands for `docker compose`, and, as the guide says, the stack's file where the kernel has no load balancer.
 */
export async function replacements(ports: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const changes = new Map<string, string>();
  for (const port of ports) {
    if (!(await isFree(port))) {
      changes.set(port, await freePort());
    }
  }
  if (COMPOSE.join(' ') !== 'docker compose') {
    changes.set('docker compose', COMPOSE.join(' '));
  }
  if (!hasSwarmBalancer) {
    changes.set('deploy/swarm/stack.yml', 'deploy/swarm/stack.dnsrr.yml');
  }
  return changes;
}

const commandsOf = (text: string): string => blocksOf(text).join('');

/** A user who has cloned the repository and follows the guide. */
export class Reader {
  private constructor(readonly folder: string) {}

  /** Clones the working tree, with what is not yet committed, into a temporary folder. */
  static async create(): Promise<Reader> {
    const folder = mkdtempSync(join(tmpdir(), 'mte-guide-'));
    const list = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
    for (const name of list.split('\0').filter(isFile)) {
      mkdirSync(join(folder, dirname(name)), { recursive: true });
      cpSync(join(ROOT, name), join(folder, name));
    }
    const changes = await replacements(['8090', '8091']);
    for (const file of FILES) {
      let text = readFileSync(join(folder, file), 'utf8');
      for (const [printed, changed] of changes) {
        text = text.replaceAll(printed, changed);
      }
      writeFileSync(join(folder, file), text);
    }
    return new Reader(folder);
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  /** The part of the guide about one way to deploy. */
  section(name: string): string {
    return under(this.read(GUIDE), 2, name);
  }

  /** Runs the preparation and then the three steps of a section in one shell, which ends at the first failure. */
  async follow(name: string, variables: Variables = {}): Promise<Printed> {
    const section = this.section(name);
    const [before = ''] = section.split('\n### ');
    const first = before.includes('```sh') ? commandsOf(before) : '';
    const mark = '=== next step ===';
    const script = [
      commandsOf(this.section(PREPARATION)) + first,
      ...STEPS.map((step) => commandsOf(under(section, 3, step))),
    ].join(`\necho '${mark}'\n`);
    const printed = await run('bash', ['-euo', 'pipefail', '-c', script], {
      variables,
      folder: this.folder,
    });
    const [, ...outputs] = printed.split(`${mark}\n`);
    return Object.fromEntries(STEPS.map((step, n) => [step, outputs[n] ?? ''])) as Printed;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** Rejects if a container that the guide would create exists already: it belongs to the user of this machine. */
export async function expectUnused(...filters: readonly string[]): Promise<void> {
  for (const filter of filters) {
    if ((await docker('ps', '--all', '--quiet', '--filter', filter)) !== '') {
      throw new Error(`a container with ${filter} exists: remove it first`);
    }
  }
}
