import type { LogLine } from '../signals/emf.ts';
import { compileQuery, type ResultRow } from '../signals/insights.ts';
import type { MetricId } from '../signals/metrics.ts';
import { type References, resolve, resourcesOf, type Template } from '../signals/template.ts';

type Stack = { template: Template; references: References };
type Widget = {
  type: string;
  properties: { title?: string; metrics?: unknown[][]; query?: string };
};

/** The rows that a saved query of the template finds in the lines of its log groups. */
export function runSavedQuery({ template, references }: Stack, name: string, lines: LogLine[]): ResultRow[] {
  const saved = resourcesOf(template, 'AWS::Logs::QueryDefinition').map(
    ([, properties]) =>
      resolve(properties, references) as { Name: string; QueryString: string; LogGroupNames: string[] },
  );
  const query = saved.find(({ Name }) => Name.endsWith(`/${name}`));
  if (!query) throw new Error(`No saved query is called ${name}.`);
  const groups = query.LogGroupNames;
  return compileQuery(query.QueryString).run(lines.filter(({ logGroup }) => groups.includes(logGroup)));
}

/** The rows that the dashboard's widget of this title finds in the lines. */
export function runWidget(stack: Stack, title: string, lines: LogLine[]): ResultRow[] {
  const widget = widgetsOf(stack).find(
    ({ type, properties }) => type === 'log' && properties.title === title,
  );
  if (!widget?.properties.query) throw new Error(`The dashboard has no query with the title ${title}.`);
  return compileQuery(widget.properties.query).run(lines);
}

/** Whether a graph or a number of the dashboard shows this metric, by its name or by a search. */
export function isOnDashboard(stack: Stack, id: MetricId): boolean {
  const rows = widgetsOf(stack).flatMap(({ properties }) => properties.metrics ?? []);
  return rows.some((row) => namesMetric(row, id) || searchesIn(row).some((search) => finds(search, id)));
}

function widgetsOf({ template, references }: Stack): Widget[] {
  const bodies = resourcesOf(template, 'AWS::CloudWatch::Dashboard').map(([, { DashboardBody }]) =>
    JSON.parse(String(resolve(DashboardBody, references))),
  );
  return bodies.flatMap(({ widgets }) => widgets);
}

/** A row is namespace, name, and a name and a value for each dimension, then options. */
function namesMetric(row: unknown[], { namespace, name, dimensions }: MetricId): boolean {
  const texts = row.filter((each) => typeof each === 'string');
  const named = Object.entries(dimensions).flat();
  return (
    texts.length === named.length + 2 && [namespace, name, ...named].every((each) => texts.includes(each))
  );
}

type Search = { schema: string[]; terms: Record<string, string> };

/**
 * The searches of an expression.
 *
 * @throws for a search that is not one schema and terms with exact values
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
 */
function searchesIn(row: unknown[]): Search[] {
  const { expression = '' } = (row.at(-1) ?? {}) as { expression?: string };
  return expression
    .split('SEARCH(')
    .slice(1)
    .map((text) => {
      const [, schema, terms] = /^'\{([\w,/]+)\} ((?:\w+="[^"]*" ?)+)', '\w+'\)/.exec(text) ?? [];
      if (!schema || !terms) throw new Error(`The search is not supported: ${expression}`);
      const pairs = [...terms.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]);
      return { schema: schema.split(','), terms: Object.fromEntries(pairs) };
    });
}

function finds({ schema, terms }: Search, { namespace, name, dimensions }: MetricId): boolean {
  const fields: Record<string, string> = { MetricName: name, ...dimensions };
  const wanted = [namespace, ...Object.keys(dimensions)];
  return (
    schema.length === wanted.length &&
    wanted.every((each) => schema.includes(each)) &&
    Object.entries(terms).every(([key, value]) => fields[key] === value)
  );
}
