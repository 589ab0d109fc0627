import { readFileSync } from 'node:fs';

const PEAK_KIB = /^VmHWM:\s+(\d+) kB$/m;
const MIB = 1024 * 1024;

/** The most memory that a process has had resident since it began, in bytes. Linux only. */
export function peakResidentBytes({ pid }: { readonly pid: number }): number {
  const kib = PEAK_KIB.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

/** For people: whole mebibytes. */
export function inMib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}
