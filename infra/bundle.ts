import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BundlingOptions, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import type * as Configured from '../functions/configured.ts';
import type { CleanupProject, Connection, Project } from '../functions/connections.ts';
import { ROOT } from './root.ts';

/** What one stack's functions carry with them. */
export type Embedded = {
  projects: Record<string, Project>;
  /** Those with a cleanup. */
  listedProjects: Record<string, CleanupProject>;
  /** The webhooks'. */
  connections: Record<string, Connection>;
  /** Those on buses. */
  eventConnections: Record<string, Connection>;
};

/**
 * Writes the module that takes the place of functions/configured.ts in a function's bundle. It imports only the
 * CRMs and schemes that the connections name.
 *
 * @param embedded what this function needs; the rest is empty
 * @returns its path, which depends on nothing but the content
 */
export function writeConfigured(embedded: Partial<Embedded>): string {
  const { projects = {}, listedProjects = {}, connections = {}, eventConnections = {} } = embedded;
  const webhooks = Object.values(connections);
  const crms = modules(
    'crm',
    webhooks.map(({ crm }) => crm),
  );
  const schemes = modules(
    'schemes',
    webhooks.map(({ verify }) => verify.scheme),
  );
  const eventCrms = modules(
    'crm',
    Object.values(eventConnections).map(({ crm }) => crm),
    'event',
  );
  const values = {
    projects: JSON.stringify(projects),
    listedProjects: JSON.stringify(listedProjects),
    connections: JSON.stringify(connections),
    crms: crms.table,
    schemes: schemes.table,
    eventConnections: JSON.stringify(eventConnections),
    eventCrms: eventCrms.table,
  } satisfies Record<keyof typeof Configured, string>;
  const text = [
    ...crms.imports,
    ...schemes.imports,
    ...eventCrms.imports,
    ...Object.entries(values).map(([name, value]) => `export const ${name} = ${value};`),
    '',
  ].join('\n');
  const folder = join(ROOT, '.build', createHash('sha256').update(text).digest('hex').slice(0, 16));
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'configured.js');
  writeFileSync(file, text);
  return file;
}

/** The imports of the named modules of a folder, and the table of them by name. */
function modules(folder: string, names: string[], as = folder): { imports: string[]; table: string } {
  const unique = [...new Set(names)].sort();
  return {
    imports: unique.map(
      (name, index) =>
        `import ${as}${index} from ${JSON.stringify(join(ROOT, 'functions', folder, `${name}.ts`))};`,
    ),
    table: `{ ${unique.map((name, index) => `${JSON.stringify(name)}: ${as}${index}`).join(', ')} }`,
  };
}

/**
 * One file a function: ES module, minified, with the AWS SDK of our own lock file, so that what was tested is
 * what runs.
 */
export function bundling(configured: string, sourceMap: boolean): BundlingOptions {
  return {
    format: OutputFormat.ESM,
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    sourceMap,
    bundleAwsSDK: true,
    esbuildArgs: { '--alias:#configured': configured },
    // Packages in the older module format ask for Node's own modules by `require`.
    banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
  };
}
