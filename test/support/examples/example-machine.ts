import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { blocksOf } from '../assertions/guide-text.js';
import { serviceOf, type Compose } from '../assertions/deploy-files.js';
import type { Closable } from '../lifecycle/resources.js';
import { temporaryFolder, type TemporaryFolder } from '../lifecycle/temporary-folder.js';
import { runs } from '../programs/program.js';
import { composeIn, EXAMPLES, filesOf, variablesOf } from './example-files.js';
import { freePorts, placesOf, replaced } from './places.js';
import { programOf, standInOf, texts, type Running } from './stand-ins.js';

const UP = /^docker compose up (?:--build )?--detach$/;
const LOGS = /^docker compose logs (\S+)$/;
const RUN = /^docker compose run --rm (\S+)$/;

/** An example that has been started as its README says. */
export interface StartedExample {
  readonly folder: string;
  /** What the commands after the start have printed, block by block. */
  readonly printed: readonly string[];
  readonly running: ReadonlyMap<string, Running>;
}

/**
 * A machine on which a user follows the README of examples. It needs no Docker: each container is a program of this
 * machine that has the same files and variables, but for the places that `placesOf` lists.
 */
export class ExampleMachine implements Closable {
  private readonly places = new Map<string, string>();
  private readonly open: Closable[] = [];

  private constructor(private readonly workspace: TemporaryFolder) {}

  static async create(): Promise<ExampleMachine> {
    const workspace = await temporaryFolder();
    cpSync(EXAMPLES, workspace.path, { recursive: true });
    return new ExampleMachine(workspace);
  }

  /** Follows the README of an example, after those that were started before. */
  async start(name: string): Promise<StartedExample> {
    const folder = join(this.workspace.path, name);
    const { services } = composeIn(folder, {});
    const ports = await freePorts(Object.keys(services));
    for (const [before, after] of placesOf(services, ports, folder)) {
      this.places.set(before, after);
    }
    this.putPlacesInto(folder);
    const running = new Map<string, Running>();
    const printed: string[] = [];
    for (const block of blocksOf(readFileSync(join(folder, 'README.md'), 'utf8'))) {
      const command = block.trim();
      if (UP.test(command)) {
        await this.up(folder, ports, running);
        // What was printed before is of no interest.
        printed.length = 0;
      } else {
        printed.push(await this.print(command, folder, running));
      }
    }
    return { folder, printed, running };
  }

  async close(): Promise<void> {
    await Promise.all(this.open.map((service) => service.close()));
    await this.workspace.close();
  }

  private putPlacesInto(folder: string): void {
    for (const file of filesOf(folder).filter((one) => one !== 'docker-compose.yml')) {
      const path = join(folder, file);
      writeFileSync(path, replaced(readFileSync(path, 'utf8'), this.places));
    }
  }

  private async up(
    folder: string,
    ports: ReadonlyMap<string, number>,
    running: Map<string, Running>,
  ): Promise<void> {
    const compose = composeWithSecrets(folder);
    const services = Object.entries(compose.services).filter(
      ([, { profiles }]) => profiles === undefined,
    );
    await Promise.all(
      services.map(async ([name, service]) => {
        const environment = this.environmentOf(compose, name);
        const port = ports.get(name)!;
        const started = await standInOf(service).start({ service, folder, environment, port });
        this.open.push(started);
        running.set(name, started);
      }),
    );
  }

  /** Runs the commands of a block, in which those of Docker stand alone. */
  private async print(
    command: string,
    folder: string,
    running: ReadonlyMap<string, Running>,
  ): Promise<string> {
    const [, logged] = LOGS.exec(command) ?? [];
    const [, once] = RUN.exec(command) ?? [];
    if (logged !== undefined) {
      return running.get(logged)?.log?.() ?? '';
    }
    if (once !== undefined) {
      const compose = composeWithSecrets(folder);
      return runs('node', programOf(serviceOf(compose, once), folder), {
        env: this.environmentOf(compose, once),
      });
    }
    if (command.includes('docker ')) {
      throw new Error(`no stand-in for ${command}`);
    }
    return runs('bash', ['-euo', 'pipefail', '-c', command], { cwd: folder });
  }

  private environmentOf(compose: Compose, name: string): Record<string, string> {
    const environment = texts(serviceOf(compose, name).environment ?? {});
    return Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [key, replaced(value, this.places)]),
    );
  }
}

function composeWithSecrets(folder: string): Compose {
  const secrets = join(folder, '.env');
  return composeIn(folder, existsSync(secrets) ? variablesOf(readFileSync(secrets, 'utf8')) : {});
}
