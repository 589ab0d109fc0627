import { isClosing, unknownVariables } from './variable-names/unknown-variables.js';

/** Something that is wrong with the environment although no variable of the relay is. */
export interface Finding {
  /** Begins with the name of a variable, and never shows a value. */
  readonly line: string;
  /** Whether it leaves something open or unprotected, so that production must not start. */
  readonly isDangerous: boolean;
  /** The variable of the relay that was probably meant, if any. */
  readonly meant?: string | undefined;
}

/** Node.js then believes every certificate: of peers, of the API and of Redis. Only exactly this value does so. */
const unverifiedTls = (environment: NodeJS.ProcessEnv): Finding[] =>
  environment['NODE_TLS_REJECT_UNAUTHORIZED'] === '0'
    ? [
        {
          line: 'NODE_TLS_REJECT_UNAUTHORIZED must not be 0, which accepts every certificate: for an authority of your own, set NODE_EXTRA_CA_CERTS',
          isDangerous: true,
        },
      ]
    : [];

const unknown = (environment: NodeJS.ProcessEnv): Finding[] =>
  unknownVariables(environment).map(({ name, meant }) => {
    const isUnknown = `${name} is not a variable of the relay`;
    if (meant === undefined) {
      return { line: isUnknown, isDangerous: false };
    }
    const isMissing = isClosing(meant) && (environment[meant] ?? '') === '';
    return {
      line: `${isUnknown}: did you mean ${meant}${isMissing ? ', which is not set' : ''}?`,
      isDangerous: isMissing,
      meant,
    };
  });

/** Returns what is wrong with the environment besides the values of the relay's own variables. */
export function findingsIn(environment: NodeJS.ProcessEnv): Finding[] {
  return [...unverifiedTls(environment), ...unknown(environment)];
}
