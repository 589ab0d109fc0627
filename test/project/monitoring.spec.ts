import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const folder = join(root, 'deploy/prometheus');

/** Debian's package `prometheus` contains promtool. */
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const promtool = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
  return { status, output: stdout + stderr };
};

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly name: string }[] };
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly gridPos: { x: number; y: number; w: number; h: number };
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

const rules = read('deploy/prometheus/alerts.yml');
const dashboard = JSON.parse(read('deploy/grafana/mte-api-relay.json')) as Dashboard;
const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

const documented = new Map(
  [...read('docs/metrics.md').matchAll(/^\| `(mte_relay_\w+)` +\| (\w+) +\| +([^|]*)\|/gm)].map(
    ([, name, type, labels]) => [
      name!,
      { type: type!, labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!) },
    ],
  ),
);

/** `mte_relay_x_bucket` is a series of the histogram `mte_relay_x`. */
const metricOf = (series: string) =>
  documented.get(series.replace(/_(?:bucket|sum|count)$/, ''))?.type === 'histogram'
    ? series.replace(/_(?:bucket|sum|count)$/, '')
    : series;
const metricsIn = (text: string) => [
  ...new Set([...text.matchAll(/\bmte_relay_\w+/g)].map(([series]) => metricOf(series))),
];

describe('the alert rules', () => {
  it.skipIf(!hasPromtool)('are valid according to promtool, and fire when they should', () => {
    for (const args of [
      ['check', 'rules', 'alerts.yml'],
      ['test', 'rules', 'alerts.test.yml'],
      ['check', 'config', 'prometheus.yml'],
    ]) {
      expect(promtool(...args)).toMatchObject({ status: 0 });
    }
  });

  it('name only metrics that docs/metrics.md lists', () => {
    const named = metricsIn(rules);
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => !documented.has(name))).toEqual([]);
  });

  it('are each tested with series that make them fire', () => {
    const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name!);
    const tested = [...read('deploy/prometheus/alerts.test.yml').matchAll(/alertname="(\w+)"/g)];
    expect(tested.map(([, name]) => name!).sort()).toEqual(alerts.sort());
  });
});

describe('the dashboard', () => {
  it('shows every metric that docs/metrics.md lists and no other', () => {
    const named = metricsIn(JSON.stringify(dashboard));
    expect(named.sort()).toEqual([...documented.keys()].sort());
  });

  it('has panels that do not overlap and have unique ids', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  it('selects only by labels that its metrics have', () => {
    const wrong = expressions.flatMap((expr) =>
      [...expr.matchAll(/\b(mte_relay_\w+)\{([^}]*)\}/g)].flatMap(([, series, matchers]) => {
        const { labels = [] } = documented.get(metricOf(series!)) ?? {};
        return [...matchers!.matchAll(/(\w+)(?:=~|!=|=)"/g)]
          .map(([, label]) => label!)
          .filter((label) => ![...labels, 'instance', 'le'].includes(label));
      }),
    );
    expect(wrong).toEqual([]);
  });

  it.skipIf(!hasPromtool)('contains only queries that promtool accepts', () => {
    const dir = mkdtempSync(join(tmpdir(), 'relay-rules-'));
    const file = join(dir, 'dashboard.yml');
    const rulesOf = expressions.map((expr, at) => ({
      record: `panel_${at}`,
      expr: expr.replaceAll('$__rate_interval', '5m'),
    }));
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: rulesOf }] }));
    expect(promtool('check', 'rules', file)).toMatchObject({ status: 0 });
    rmSync(dir, { recursive: true });
  });
});
