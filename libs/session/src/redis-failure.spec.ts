import { inspect } from 'node:util';

import { expect, it } from 'vitest';

import { redisFailure } from './redis-failure.js';

it('keeps the message of Redis, and drops the command and its arguments', () => {
  const error = Object.assign(new Error('WRONGPASS invalid username-password pair'), {
    name: 'ReplyError',
    command: { name: 'auth', args: ['canary'] },
  });
  const failure = redisFailure(error);
  expect(failure).toMatchObject({ name: 'ReplyError', message: error.message });
  expect(inspect(failure, { showHidden: true })).not.toContain('canary');
});

it('drops arguments that the message quotes', () => {
  const message = "ERR unknown command 'AUTH', with args beginning with: 'canary' \n'more'";
  expect(redisFailure(new Error(message)).message).toBe("ERR unknown command 'AUTH'");
});

it('gives the reason for each address of a host if the error itself has no message', () => {
  const errors = [
    new Error('connect ECONNREFUSED ::1:1'),
    new Error('connect ECONNREFUSED 127.0.0.1:1'),
  ];
  expect(redisFailure(new AggregateError(errors)).message).toBe(
    'connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1',
  );
});

it('appends the error of the last node of a cluster', () => {
  const error = Object.assign(new Error('Failed to refresh slots cache.'), {
    lastNodeError: new Error('NOAUTH Authentication required.'),
  });
  expect(redisFailure(error).message).toBe(
    'Failed to refresh slots cache. NOAUTH Authentication required.',
  );
});

it('returns an error for a thrown value that is not an error', () => {
  expect(redisFailure('canary').message).toBe('unknown failure');
});
