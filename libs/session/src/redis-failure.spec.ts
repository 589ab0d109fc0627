import { inspect } from 'node:util';

import { expect, it } from 'vitest';

import { redisFailure } from './redis-failure.js';

it('keeps what Redis says, and drops the command with its arguments', () => {
  const error = Object.assign(new Error('WRONGPASS invalid username-password pair'), {
    name: 'ReplyError',
    command: { name: 'auth', args: ['canary'] },
  });
  const failure = redisFailure(error);
  expect(failure).toMatchObject({ name: 'ReplyError', message: error.message });
  expect(inspect(failure, { showHidden: true })).not.toContain('canary');
});

it('drops arguments that a message quotes', () => {
  const message = "ERR unknown command 'AUTH', with args beginning with: 'canary' \n'more'";
  expect(redisFailure(new Error(message)).message).toBe("ERR unknown command 'AUTH'");
});

it('tells why each address of a host failed, where the error itself says nothing', () => {
  const errors = [
    new Error('connect ECONNREFUSED ::1:1'),
    new Error('connect ECONNREFUSED 127.0.0.1:1'),
  ];
  expect(redisFailure(new AggregateError(errors)).message).toBe(
    'connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1',
  );
});

it('tells what the last node of a cluster said', () => {
  const error = Object.assign(new Error('Failed to refresh slots cache.'), {
    lastNodeError: new Error('NOAUTH Authentication required.'),
  });
  expect(redisFailure(error).message).toBe(
    'Failed to refresh slots cache. NOAUTH Authentication required.',
  );
});

it('makes an error of whatever was thrown', () => {
  expect(redisFailure('canary').message).toBe('unknown failure');
});
