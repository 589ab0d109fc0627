import { isProduction } from './rules/production.js';

/** The formats of the log. */
export const LOG_FORMATS = ['json', 'pretty'] as const;

/** How lines of the log are written: for programs or for people. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** What decides on the format: properties of `RelayConfig`. */
interface FormatOptions {
  readonly logFormat?: LogFormat;
  readonly nodeEnv: string;
}

/** How to write the log: without `LOG_FORMAT`, only a person at a terminal gets lines that no program reads. */
export function logFormatFor(
  { logFormat, nodeEnv }: FormatOptions,
  { isTTY }: { readonly isTTY: boolean },
): LogFormat {
  return logFormat ?? (isTTY && !isProduction(nodeEnv) ? 'pretty' : 'json');
}
