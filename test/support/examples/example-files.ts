import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { composeOf, ROOT, type Compose, type Environment } from '../assertions/deploy-files.js';

/** The folder of all examples. */
export const EXAMPLES = join(ROOT, 'examples');

const COMPOSE_FILE = 'docker-compose.yml';

/** A line of an env file: a name and a value, without quotes. */
const VARIABLE = /^([A-Z_]+)=(.*)$/gm;

/** The files of an example, relative to its folder. */
export const filesOf = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );

/** The names of the examples, one for each folder. */
export const exampleNames = (): readonly string[] =>
  readdirSync(EXAMPLES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

/** Whether an example is started with Docker Compose. */
export const hasCompose = (name: string): boolean =>
  filesOf(join(EXAMPLES, name)).includes(COMPOSE_FILE);

/** The variables of an env file. */
export const variablesOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(VARIABLE)].map(([, name = '', value = '']) => [name, value]),
  );

/**
 * The compose file in a folder, in which services have the variables of their env file, too, as Compose gives them.
 *
 * @param values - what is in `.env`
 */
export function composeIn(folder: string, values: Environment): Compose {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const { services, ...rest } = composeOf(read(COMPOSE_FILE), values);
  const complete = Object.entries(services).map(([name, service]) => {
    const { env_file: file, environment = {} } = service;
    const fromFile = file === undefined ? {} : variablesOf(read(file));
    return [name, { ...service, environment: { ...fromFile, ...environment } }] as const;
  });
  return { ...rest, services: Object.fromEntries(complete) };
}
