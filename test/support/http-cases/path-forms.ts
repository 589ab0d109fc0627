/** The routes that the forms are judged by. */
export const ROUTES_OF_FORMS = '/api/*,/exact';

/**
 * A request target, and the status with which it is answered: through the tunnel with MTE_ROUTES, without a token with
 * PASS_THROUGH_ROUTES, and through the tunnel if UPSTREAM has only a base path. 200: forwarded unchanged.
 */
export type PathForm = readonly [
  target: string,
  mteRoutes: 200 | 400 | 404,
  passThroughRoutes: 200 | 401,
  basePath: 200 | 400,
];

/** Legitimate forms that every server reads alike. */
const PLAIN: readonly PathForm[] = [
  ['/api/', 200, 200, 200],
  ['/api/things', 200, 200, 200],
  ['/api/things?q=/../admin', 200, 200, 200],
  ['/api/things?q=%2e%2e%2f%00;/..%3b/', 200, 200, 200],
  ['/api/x;a=1;b/y', 200, 200, 200],
  ['/api/a;v=1/b', 200, 200, 200],
  ['/api/;v=1/b', 200, 200, 200],
  ['/api/a%3Bv=1/b', 200, 200, 200],
  ['/api/a..b', 200, 200, 200],
  ['/api/a../b..', 200, 200, 200],
  ['/api/main...feature', 200, 200, 200],
  ['/api/a%2e%2eb', 200, 200, 200],
  ['/api/.hidden', 200, 200, 200],
  ['/api/.well-known/x', 200, 200, 200],
  ['/api/%2ehidden', 200, 200, 200],
  ['/api/a%20b', 200, 200, 200],
  ['/api/%20', 200, 200, 200],
  ['/api/a+b%2Bc', 200, 200, 200],
  ['/api/a%3Fb%23c%26d%3De', 200, 200, 200],
  ['/api/user@example.com:8080', 200, 200, 200],
  ["/api/~!$&'()*,=:@-_", 200, 200, 200],
  ['/api/[...slug]', 200, 200, 200],
  ['/api/%7Euser/caf%C3%A9', 200, 200, 200],
  ['/api/caf%c3%a9', 200, 200, 200],
  ['/api/%E6%97%A5%E6%9C%AC%E8%AA%9E', 200, 200, 200],
  ['/api/%F0%9F%98%80', 200, 200, 200],
  ['/api/%EF%BC%A1%EF%BC%8Etxt', 200, 200, 200],
  ['/api/50%EF%BC%85', 200, 200, 200],
  ['/api/100%25', 200, 200, 200],
  ['/api/%25', 200, 200, 200],
  ['/%61pi/things', 200, 200, 200],
  ['/exact', 200, 200, 200],
  ['/exact?', 200, 200, 200],
  ['/exact?a=b', 200, 200, 200],
  ['/%65xac%74', 200, 200, 200],
];

/** Paths that are not on the list, or could be read as another path: within a base path that is no matter. */
const UNLISTED: readonly PathForm[] = [
  ['/', 404, 401, 200],
  ['/?/api/', 404, 401, 200],
  ['/api', 404, 401, 200],
  ['/apis', 404, 401, 200],
  ['/API/things', 404, 401, 200],
  ['/exactly', 404, 401, 200],
  ['/exact/', 404, 401, 200],
  ['/exact;a=1', 404, 401, 200],
  ['/Exact', 404, 401, 200],
  ['/exact%20', 404, 401, 200],
  ['/exact%3f', 404, 401, 200],
  ['/admin', 404, 401, 200],
  ['/api//things', 404, 401, 200],
  ['/api/x//y', 404, 401, 200],
  ['/api/group%2fproject', 404, 401, 200],
  ['/api/group%2Fproject', 404, 401, 200],
  ['/api/x%5cy', 404, 401, 200],
  ['/api/x%5Cy', 404, 401, 200],
  ['/%2fapi/x', 404, 401, 200],
  ['/api%2fthings', 404, 401, 200],
  ['/api/%252fadmin', 404, 401, 200],
  ['/api/%2525', 404, 401, 200],
  ['/api/%zz', 404, 401, 200],
  ['/api/%', 404, 401, 200],
  ['/api/%4', 404, 401, 200],
  ['/api/%ff', 404, 401, 200],
  ['/api/caf%e9', 404, 401, 200],
];

/** Dots that are plain or encoded once: RFC 3986 section 5.2.4. */
const DOTS: readonly PathForm[] = [
  ['/api/..', 400, 401, 400],
  ['/api/.', 400, 401, 400],
  ['/api/../admin', 400, 401, 400],
  ['/api/./x', 400, 401, 400],
  ['/../api/x', 400, 401, 400],
  ['/admin/../api/x', 400, 401, 400],
  ['/api/%2e%2e/admin', 400, 401, 400],
  ['/api/%2E%2E/admin', 400, 401, 400],
  ['/api/%2e%2E/admin', 400, 401, 400],
  ['/api/.%2e/admin', 400, 401, 400],
  ['/api/%2E./admin', 400, 401, 400],
  ['/api/%2e/x', 400, 401, 400],
  ['/api/..%2fadmin', 400, 401, 400],
  ['/api/..%2Fadmin', 400, 401, 400],
  ['/api/..%5cadmin', 400, 401, 400],
  ['/api/..%5Cadmin', 400, 401, 400],
  ['/api/%2e%2e%2fadmin', 400, 401, 400],
  ['/api/%2E%2E%5Cadmin', 400, 401, 400],
  ['/api/x%2f..%2fadmin', 400, 401, 400],
  ['/api/x%2f%2e%2e', 400, 401, 400],
  ['/api/x%5c..%5c..', 400, 401, 400],
  ['/api//../admin', 400, 401, 400],
  ['/api/..?x', 400, 401, 400],
  ['/exact/..', 400, 401, 400],
  ['/exact/../admin', 400, 401, 400],
];

/** Parameters of a segment: Tomcat, Jetty and Spring take them off before they resolve the dots. */
const PARAMETERS: readonly PathForm[] = [
  ['/api/..;/admin', 400, 401, 400],
  ['/api/..;a=1/admin', 400, 401, 400],
  ['/api/%2e%2e;/admin', 400, 401, 400],
  ['/api/.;/admin', 400, 401, 400],
  ['/api/..%3b/admin', 400, 401, 400],
  ['/api/..%3B%2fadmin', 400, 401, 400],
  ['/api/..%253b/admin', 400, 401, 400],
  ['/api/.%3ba=1/x', 400, 401, 400],
  ['/api/x;/..;/..;/admin', 400, 401, 400],
];

/** Escapes within escapes, and what is no escape for RFC 3986. */
const NESTED: readonly PathForm[] = [
  ['/api/%252e%252e/admin', 400, 401, 400],
  ['/api/..%252fadmin', 400, 401, 400],
  ['/api/%25252e%25252e/admin', 400, 401, 400],
  ['/api/%2525252e%2525252e/admin', 400, 401, 400],
  ['/api/%25252525252525', 400, 401, 400],
  ['/api/%%32e%%32e/admin', 400, 401, 400],
  ['/api/%2%65%2%65/admin', 400, 401, 400],
  ['/api/%252e%252e%zz/admin', 400, 401, 400],
  ['/api/%u002e%u002e/admin', 400, 401, 400],
  ['/api/..%u2215admin', 400, 401, 400],
  ['/api/%25u002e./admin', 400, 401, 400],
  ['/api/caf%u00e9', 400, 401, 400],
  ['/api/caf%25u00e9', 400, 401, 400],
  ['/api/.%./admin', 400, 401, 400],
];

/** Dots that something follows, or that something separates, which some servers drop. */
const TRAILING: readonly PathForm[] = [
  ['/api/..%20/admin', 400, 401, 400],
  ['/api/..%20', 400, 401, 400],
  ['/api/%20../admin', 400, 401, 400],
  ['/api/.%20./admin', 400, 401, 400],
  ['/api/.%20/x', 400, 401, 400],
  ['/api/..%c2%a0/admin', 400, 401, 400],
  ['/api/..%3fx/admin', 400, 401, 400],
  ['/api/..%23/admin', 400, 401, 400],
  ['/api/...', 400, 401, 400],
  ['/api/.../x', 400, 401, 400],
  ['/api/....//admin', 400, 401, 400],
  ['/api/..././admin', 400, 401, 400],
  ['/api/..hidden', 400, 401, 400],
  ['/api/..::$INDEX_ALLOCATION/admin', 400, 401, 400],
  ['/api/.%ff./admin', 400, 401, 400],
  ['/api/.%e2%80%8b./admin', 400, 401, 400],
  ['/api/%c2%ad../admin', 400, 401, 400],
];

/** Control characters end a path, or vanish from it. */
const CONTROLS: readonly PathForm[] = [
  ['/api/%00', 400, 401, 400],
  ['/api/..%00/admin', 400, 401, 400],
  ['/api/x%00.png', 400, 401, 400],
  ['/api/.%00./admin', 400, 401, 400],
  ['/api/%0d%0aHost:%20evil', 400, 401, 400],
  ['/api/.%0a./admin', 400, 401, 400],
  ['/api/.%0a.%0a/admin', 400, 401, 400],
  ['/api/..%09/admin', 400, 401, 400],
  ['/api/%7f', 400, 401, 400],
  ['/api/%1b%5B31m', 400, 401, 400],
  ['/api/%250a', 400, 401, 400],
  ['/api/%u000a', 400, 401, 400],
  ['/api/.%c2%85./admin', 400, 401, 400],
  ['/admin%00/api/', 400, 401, 400],
];

/** Dots and slashes in more octets than UTF-8 allows. */
const OVERLONG: readonly PathForm[] = [
  ['/api/%c0%ae%c0%ae/admin', 400, 401, 400],
  ['/api/..%c0%afadmin', 400, 401, 400],
  ['/api/..%c1%9cadmin', 400, 401, 400],
  ['/api/%e0%80%ae%e0%80%ae/admin', 400, 401, 400],
  ['/api/%f0%80%80%ae%f0%80%80%ae/admin', 400, 401, 400],
  ['/api/%f8%80%80%80%ae./admin', 400, 401, 400],
  ['/api/%fc%80%80%80%80%ae./admin', 400, 401, 400],
  ['/api/%c0%2e%c0%2e/admin', 400, 401, 400],
  ['/api/%e0%40%ae./admin', 400, 401, 400],
  ['/api/%25c0%25ae%25c0%25ae/admin', 400, 401, 400],
  ['/%c1%a1pi/x', 400, 401, 400],
];

/** Characters that NFKC or the code pages of Windows turn into dots, slashes, semicolons and percent signs. */
const FOLDED: readonly PathForm[] = [
  ['/api/%ef%bc%8e%ef%bc%8e/admin', 400, 401, 400],
  ['/api/%ef%bc%8e./admin', 400, 401, 400],
  ['/api/..%ef%bc%8fadmin', 400, 401, 400],
  ['/api/x%ef%bc%8f..%ef%bc%8fadmin', 400, 401, 400],
  ['/api/x%ef%bc%bc..', 400, 401, 400],
  ['/api/x%e2%88%95..', 400, 401, 400],
  ['/api/x%e2%81%84..', 400, 401, 400],
  ['/api/x%c2%a5..', 400, 401, 400],
  ['/api/%e2%80%a5/admin', 400, 401, 400],
  ['/api/%e2%80%a6/admin', 400, 401, 400],
  ['/api/%e2%80%a4%e2%80%a4/admin', 400, 401, 400],
  ['/api/%ef%b9%92%ef%b9%92/admin', 400, 401, 400],
  ['/api/.%ef%bc%9b/x', 400, 401, 400],
  ['/api/.%cd%be/x', 400, 401, 400],
  ['/api/%ef%bc%852e%ef%bc%852e/admin', 400, 401, 400],
  ['/api/%25%ef%bc%92e./admin', 400, 401, 400],
  ['/api/%25ef%25bc%258e./admin', 400, 401, 400],
];

/** Request targets as clients and attackers write them. A relay that does not limit paths forwards all of them. */
export const PATH_FORMS: readonly PathForm[] = [
  ...PLAIN,
  ...UNLISTED,
  ...DOTS,
  ...PARAMETERS,
  ...NESTED,
  ...TRAILING,
  ...CONTROLS,
  ...OVERLONG,
  ...FOLDED,
];

const COLUMNS = { mteRoutes: 1, passThroughRoutes: 2, basePath: 3 };

/** The targets that get this status if this is what limits the paths. */
export function targetsWith(status: number, limit: keyof typeof COLUMNS): readonly string[] {
  return PATH_FORMS.filter((form) => form[COLUMNS[limit]] === status).map(([target]) => target);
}
