import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** Sends bodies that never end, in a separate process: a test that takes measurements must not measure itself. */
const UPLOAD = `
const { request } = require('node:http');
const [url, headers, count] = process.argv.slice(1).map((text) => JSON.parse(text));
const piece = Buffer.alloc(65536, 'x');
const upload = () => new Promise((resolve) => {
  const client = request(url, { method: 'POST', headers, agent: false });
  const pump = () => { while (!client.destroyed && client.write(piece)); };
  client.on('drain', pump);
  client.on('response', async (response) => {
    let body = '';
    for await (const chunk of response) body += chunk;
    client.destroy();
    resolve([response.statusCode, body]);
  });
  client.on('error', (error) => resolve([0, String(error)]));
  pump();
});
Promise.all(Array.from({ length: count }, upload)).then((responses) => {
  process.stdout.write(JSON.stringify(responses), () => process.exit());
});`;

/** Sends `count` endless bodies at once. @returns status and body of each response; status 0 if there is none */
export async function sendEndlessly(
  url: string,
  headers: Readonly<Record<string, string>>,
  count: number,
): Promise<[status: number, body: string][]> {
  const args = [url, headers, count].map((value) => JSON.stringify(value));
  const child = spawn(process.execPath, ['-e', UPLOAD, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const [responses] = await Promise.all([text(child.stdout), once(child, 'close')]);
  process.off('exit', kill);
  return JSON.parse(responses) as [number, string][];
}
