import { readFileSync } from 'node:fs';

const PEAK_KIB = /^VmHWM:\s+(\d+) kB$/m;
const MIB = 1024 * 1024;

/** The peak resident memory of a process since its start, in bytes. Linux only. */
export function peakResidentBytes({ pid }: { readonly pid: number }): number {
  const kib = PEAK_KIB.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

/** A size in whole mebibytes, for output. */
export function inMib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}
