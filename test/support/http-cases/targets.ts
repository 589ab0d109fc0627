import { httpCase, type HttpCase } from './http-case.js';

const TARGETS: readonly string[] = [
  '/',
  '/?',
  '/??',
  '/?a=1&a=2&b=&=c&d',
  '/path?query=with/slash?and=question',
  '/trailing/',
  '/inner//double///slash//',
  '/dots/./and/../more',
  '/../above',
  '/%2e%2e/%2E./x',
  '/%2f%2Fencoded%5cslash%5C',
  '/double%252e%252E%25',
  '/not%zzan%escape%',
  '/semi;colon=1;b/x;y',
  "/colon:at@plus+star*comma,equals=dollar$bang!quote'paren()",
  '/brackets[0]{1}|2^3`4<5>6"7',
  '/?path=C:\\temp&share=\\\\host\\x',
  '/query?brackets[0]{1}|2\\3^4`5<6>7"8//9/../\\',
  '/tilde~underscore_dot.dash-',
  '/caf%C3%A9/%E2%82%AC?%c3%a9',
  '/%00%0d%0a',
  '/api/mte-tunnel',
  '/api/mte-pair?x=1',
  '/API/MTE-Echo/hello',
  '/health/live',
  '/-/outbound',
  '/@host/path',
  '/http://other.example/path',
  `/long/${'0123456789'.repeat(800)}`,
  `/?long=${'q'.repeat(16_000)}`,
];

/** Targets that must reach the upstream unchanged, octet by octet. */
export const TARGET_CASES: readonly HttpCase[] = TARGETS.flatMap((target) => {
  const shown = target.length > 60 ? `${target.slice(0, 20)}… (${target.length} bytes)` : target;
  return [
    httpCase(`GET ${shown}`, { target }),
    ...(target.length < 20 ? [httpCase(`POST ${shown}`, { method: 'POST', target })] : []),
  ];
});
