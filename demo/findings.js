import { must } from './checks.js';
import { conversationOf, sendAndSee, totalBytes } from './exchange.js';
import { countExposures } from './exposure.js';
import { bytesText, msText, printLines, printTable, printTitle } from './print.js';

const REPETITIONS = 15;

/** Sizes as recorded, and times now that the relays are paired, beside requests without relays. */
export async function showSizesAndTimes(scene, login, upload) {
  const pairing = conversationOf(login.sealed, 'POST /api/mte-pair HTTP/1.1');
  must(pairing !== undefined, 'no pairing was recorded with the first request');
  const pairingBytes = totalBytes([pairing]);
  const row = async (name, { request, plain, sealed }, otherBytes) => [
    name,
    bytesText(totalBytes(plain)),
    bytesText(totalBytes(sealed) - otherBytes),
    msText(await medianMs(scene, scene.upstream.origin, request)),
    msText(await medianMs(scene, scene.originA, request)),
  ];

  printTitle('6. Sizes, both ways with HTTP heads, and times');
  printTable([
    ['', 'plain', 'sealed', 'without relays', 'with both'],
    ['pairing, once an hour', '', bytesText(pairingBytes), '', msText(scene.pairingMs())],
    await row('login', login, pairingBytes),
    await row('file of 1 MiB', upload, 0),
  ]);
}

/** Searches all that was recorded on both sides of relay B for what has to be secret. */
export function showProof(scene, secrets) {
  const sealed = scene.sealedTap.conversations();
  const sealedCounts = countExposures(secrets, bytesOf(sealed));
  const plainCounts = countExposures(secrets, bytesOf(scene.plainTap.conversations()));

  printTitle(`7. Search in all ${bytesText(totalBytes(sealed))} that crossed between the relays`);
  printTable([
    ['', 'between relays', 'behind relay B'],
    ...sealedCounts.map(({ name, count }, at) => [
      name,
      `${count} ×`,
      `${plainCounts[at].count} ×`,
    ]),
  ]);
  printLines([
    '',
    'As it is, in hexadecimal and in base64; behind relay B the same search finds it all.',
  ]);

  for (const { name, count } of sealedCounts) {
    must(count === 0, `${name} can be read between the relays`);
  }
  for (const { name, count } of plainCounts) {
    must(count > 0, `the search does not find ${name} where it is plain`);
  }
}

async function medianMs(scene, origin, request) {
  const times = [];
  for (let round = 0; round < REPETITIONS; round += 1) {
    const { answer } = await sendAndSee(scene, origin, request);
    times.push(answer.ms);
  }
  return times.sort((a, b) => a - b)[Math.floor(REPETITIONS / 2)];
}

const bytesOf = (conversations) => conversations.flatMap(({ sent, received }) => [sent, received]);
