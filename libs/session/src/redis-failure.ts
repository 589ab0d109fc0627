/** "ERR unknown command 'HELLO', with args beginning with: …" may quote a password. */
const QUOTED_ARGUMENTS = /, with args beginning with.*$/s;

/**
 * Copies the name and the message of an ioredis error, and nothing else: an error reply carries the command with its
 * arguments, which may be AUTH with the password.
 */
export function redisFailure(error: unknown): Error {
  const failure = new Error(messageOf(error));
  if (error instanceof Error) {
    failure.name = error.name;
  }
  return failure;
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) {
    // Several addresses of one host were tried; only the errors of the attempts have a message.
    return error.errors.map(messageOf).join('; ');
  }
  if (!(error instanceof Error)) {
    return 'unknown failure';
  }
  const message = error.message.replace(QUOTED_ARGUMENTS, '');
  const isOfCluster = 'lastNodeError' in error && error.lastNodeError instanceof Error;
  return isOfCluster ? `${message} ${messageOf(error.lastNodeError)}` : message;
}
