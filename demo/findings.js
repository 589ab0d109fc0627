import { must } from './checks.js';
import { conversationOf, sendAndSee, totalBytes } from './exchange.js';
import { countExposures } from './exposure.js';
import { bytesText, msText, printLines, printTable, printTitle } from './print.js';

/** @import { DemoRequest, Exchange } from './exchange.js' */
/** @import { Scene } from './scene.js' */
/** @import { Conversation } from './tap.js' */

/** An odd number, so that there is a middle one. */
const REPETITIONS = 15;

/**
 * Prints sizes as recorded, and times with relays that are already paired next to those of requests without relays.
 *
 * @param {Scene} scene
 * @param {{ message: Exchange, login: Exchange, upload: Exchange }} exchanges - the first as a message, the others over a channel
 */
export async function showSizesAndTimes(scene, { message, login, upload }) {
  const pairing = conversationOf(message.sealed, 'POST /api/mte-pair HTTP/1.1');
  must(pairing !== undefined, 'no pairing was recorded with the first request');
  const tunnelRequest = conversationOf(message.sealed, 'POST /api/mte-tunnel HTTP/1.1');
  must(tunnelRequest !== undefined, 'no message was recorded with the first request');
  /**
   * @param {string} name
   * @param {Exchange} exchange
   */
  const row = async (name, { request, plain, sealed }) => [
    name,
    bytesText(totalBytes(plain)),
    bytesText(totalBytes(sealed)),
    msText(await medianMs(scene, scene.upstream.origin, request)),
    msText(await medianMs(scene, scene.originA, request)),
  ];

  printTitle('7. Sizes (both directions, with HTTP heads) and times');
  printTable([
    ['', 'plain', 'sealed', 'without relays', 'with both'],
    ['pairing, once an hour', '', bytesText(totalBytes([pairing])), '', msText(scene.pairingMs())],
    [
      'login, as a message',
      bytesText(totalBytes(message.plain)),
      bytesText(totalBytes([tunnelRequest])),
      '',
      '',
    ],
    await row('login, over a channel', login),
    await row('file of 1 MiB, over a channel', upload),
  ]);
}

/**
 * Searches everything that was recorded on both sides of relay B for what must be secret. Relay A masks its WebSocket messages
 * with zeros, so that nothing of a channel could escape the search by its mask.
 *
 * @param {Scene} scene
 * @param {Record<string, string>} secrets - texts by name
 */
export function showProof(scene, secrets) {
  const sealed = scene.sealedTap.conversations();
  const sealedCounts = countExposures(secrets, bytesOf(sealed));
  const plainCounts = countExposures(secrets, bytesOf(scene.plainTap.conversations()));

  printTitle(`8. A search of all ${bytesText(totalBytes(sealed))} that crossed between the relays`);
  printTable([
    ['', 'between relays', 'behind relay B'],
    ...sealedCounts.map(({ name, count }, at) => [
      name,
      `${count} ×`,
      `${plainCounts[at]?.count} ×`,
    ]),
  ]);
  printLines([
    '',
    'Each text was searched for as it is, in hexadecimal and in base64. Behind relay B, the same search',
    'finds all of them.',
  ]);

  for (const { name, count } of sealedCounts) {
    must(count === 0, `${name} can be read between the relays`);
  }
  for (const { name, count } of plainCounts) {
    must(count > 0, `the search does not find ${name} in plaintext`);
  }
}

/**
 * @param {Scene} scene
 * @param {string} origin
 * @param {DemoRequest} request
 */
async function medianMs(scene, origin, request) {
  const times = [];
  for (let round = 0; round < REPETITIONS; round += 1) {
    const { response } = await sendAndSee(scene, origin, request);
    times.push(response.ms);
  }
  return times.sort((a, b) => a - b)[Math.floor(REPETITIONS / 2)] ?? NaN;
}

/** @param {Conversation[]} conversations */
const bytesOf = (conversations) => conversations.flatMap(({ sent, received }) => [sent, received]);
