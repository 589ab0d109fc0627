import { checkServerIdentity, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';

import type { FindingCode } from './findings.js';
import { StepFailedError } from './steps.js';

const DAY_MS = 86_400_000;
/** Renewal that works has happened by then: Let's Encrypt's certificates are renewed 30 days before they expire. */
const SOON_DAYS = 14;

/** Protocol, chain and expiry of a connection that is trusted, in one line. */
export function certificateOf(socket: TLSSocket): string {
  const certificate = socket.getPeerCertificate(true);
  const days = daysUntil(certificate.valid_to);
  const expiry = `valid until ${dateOf(certificate.valid_to)}, ${days} days`;
  const soon = days < SOON_DAYS ? ': renew it soon' : '';
  return `${socket.getProtocol() ?? 'TLS'}, ${chainOf(certificate).join(' < ')}, ${expiry}${soon}`;
}

/** Whether it is the certificate that TLS has failed for. */
export function isOfCertificate({ code = '' }: NodeJS.ErrnoException): boolean {
  return code in TRUST || code === 'ERR_TLS_CERT_ALTNAME_INVALID';
}

/**
 * Why there is no TLS, or none that is trusted.
 *
 * @param error - what the relay's own connection has failed with
 * @param shown - the certificate, if it was shown
 */
export function judgedTls(
  { code = '', message }: NodeJS.ErrnoException,
  shown: DetailedPeerCertificate | undefined,
  host: string,
): StepFailedError {
  if (NO_TLS.test(`${code} ${message}`)) {
    return new StepFailedError('CHECK_TLS_ABSENT', 'what listens there does not speak TLS');
  }
  const findings = shown === undefined ? [] : findingsOf(shown, host);
  const trust = TRUST[code];
  if (trust !== undefined && !findings.some(([known]) => known === trust[0])) {
    findings.push(trust);
  }
  const [first] = findings;
  if (first === undefined) {
    return new StepFailedError('CHECK_TLS_FAILED', `TLS failed (${code || message})`);
  }
  return new StepFailedError(first[0], findings.map(([, text]) => text).join('; '));
}

const NO_TLS = /WRONG_VERSION_NUMBER|wrong version number|packet length too long|PACKET_LENGTH/;

type Finding = readonly [code: FindingCode, text: string];

const SELF_SIGNED: Finding = [
  'CHECK_CERTIFICATE_SELF_SIGNED',
  'the certificate is self-signed, by no authority that is trusted here',
];
const UNTRUSTED: Finding = [
  'CHECK_CERTIFICATE_UNTRUSTED',
  'the certificate leads to no authority that is trusted here: a private one, or intermediate certificates are missing',
];
const TRUST: Readonly<Record<string, Finding>> = {
  CERT_HAS_EXPIRED: ['CHECK_CERTIFICATE_EXPIRED', 'a certificate of the chain has expired'],
  CERT_NOT_YET_VALID: ['CHECK_CERTIFICATE_NOT_YET_VALID', 'a certificate is not valid yet'],
  DEPTH_ZERO_SELF_SIGNED_CERT: SELF_SIGNED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
};

/** What is wrong with a certificate, whoever has issued it. */
function findingsOf(certificate: DetailedPeerCertificate, host: string): Finding[] {
  const { valid_from: from, valid_to: to } = certificate;
  const findings: Finding[] = [];
  if (daysUntil(to) < 0) {
    findings.push([
      'CHECK_CERTIFICATE_EXPIRED',
      `the certificate of ${nameOf(certificate)} expired on ${dateOf(to)}`,
    ]);
  }
  if (Date.parse(from) > Date.now()) {
    findings.push([
      'CHECK_CERTIFICATE_NOT_YET_VALID',
      `the certificate is valid from ${dateOf(from)} on`,
    ]);
  }
  if (checkServerIdentity(host, certificate) !== undefined) {
    const names = certificate.subjectaltname ?? nameOf(certificate);
    findings.push(['CHECK_CERTIFICATE_NAME', `the certificate is for ${names}, not for ${host}`]);
  }
  return findings;
}

/** The names of a certificate and of those that have issued it, as far as they were sent or are trusted here. */
function chainOf(certificate: DetailedPeerCertificate): string[] {
  const { fingerprint256, issuerCertificate: issuer } =
    certificate as Partial<DetailedPeerCertificate>;
  const isLast = issuer === undefined || issuer.fingerprint256 === fingerprint256;
  return [nameOf(certificate), ...(isLast ? [] : chainOf(issuer))];
}

function nameOf({ subject, subjectaltname }: DetailedPeerCertificate): string {
  const { CN, O } = subject as Partial<Record<'CN' | 'O', string | string[]>>;
  const name = CN ?? O ?? subjectaltname ?? 'a nameless certificate';
  return typeof name === 'string' ? name : name.join(', ');
}

/** Rounded down: -1 for what has expired less than a day ago. */
function daysUntil(date: string): number {
  return Math.floor((Date.parse(date) - Date.now()) / DAY_MS);
}

function dateOf(date: string): string {
  return new Date(date).toISOString().slice(0, 10);
}
