import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { expect, it } from 'vitest';
import { loadConfig } from './load-config.js';
import { RelayConfig } from './relay-config.js';
import { RelayConfigModule } from './relay-config.module.js';

@Injectable()
class Consumer {
  constructor(readonly config: RelayConfig) {}
}

/** Imports nothing: what is injected comes from the global module. */
@Module({ providers: [Consumer] })
class ConsumerModule {}

const load = (PORT: string) =>
  loadConfig({
    UPSTREAM: 'http://localhost:3000',
    CLIENT_ID_SECRET: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
    OUTBOUND_TOKEN: 'token-of-28-characters-long!',
    REDIS_URL: 'memory://',
    PORT,
  }).config;

const compile = (config: RelayConfig) =>
  Test.createTestingModule({
    imports: [RelayConfigModule.register(config), ConsumerModule],
  }).compile();

it('injects the instance that was registered, by class, into a module that imports nothing', async () => {
  const config = load('1');
  const module = await compile(config);
  expect(module.get(Consumer).config).toBe(config);
  expect(module.get(RelayConfig)).toBe(config);
  expect(Object.isFrozen(module.get(Consumer).config)).toBe(true);
  await module.close();
});

it('keeps two configurations in one process separate', async () => {
  const [one, two] = [load('1'), load('2')];
  const modules = await Promise.all([compile(one), compile(two)]);
  expect(modules.map((module) => module.get(Consumer).config)).toEqual([one, two]);
  expect(modules[0].get(Consumer).config).toBe(one);
  expect(modules[1].get(Consumer).config).toBe(two);
  await Promise.all(modules.map((module) => module.close()));
});
