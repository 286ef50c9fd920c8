import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type * as Configured from '../functions/configured.ts';
import type { CleanupProject, Connection, Project } from '../functions/connections.ts';
import { ROOT, SOURCE } from './root.ts';

/** The configuration of one stack's functions, before presets and schemes are bound to the connections. */
export type Embedded = {
  /** Whether the close queue has closes of several projects. */
  isShared: boolean;
  projects: Record<string, Project>;
  /** The projects with a cleanup. */
  listedProjects: Record<string, CleanupProject>;
  /** The webhooks. */
  connections: Record<string, Connection>;
  /** The connections on buses. */
  eventConnections: Record<string, Connection>;
};

/**
 * Returns the module that replaces functions/configured.ts in a function's bundle. It binds to each connection its
 * preset and its scheme, and imports no others.
 *
 * @param embedded what this function needs; the other tables are empty
 * @returns its source text, with absolute paths
 */
function configuredModule(embedded: Partial<Embedded>): string {
  const {
    isShared = true,
    projects = {},
    listedProjects = {},
    connections = {},
    eventConnections = {},
  } = embedded;
  const modules = new Map<string, string>();
  /** The name under which the module is imported. */
  const imported = (folder: 'crm' | 'schemes', name: string) => {
    const path = join(ROOT, 'functions', folder, `${name}${SOURCE}`);
    const known = modules.get(path) ?? `module${modules.size}`;
    modules.set(path, known);
    return known;
  };
  const preset = ({ crm }: Connection) => ({ preset: imported('crm', crm) });
  const scheme = ({ verify }: Connection) => ({ scheme: imported('schemes', verify.scheme) });
  const tables = {
    isShared: JSON.stringify(isShared),
    projects: JSON.stringify(projects),
    listedProjects: JSON.stringify(listedProjects),
    connections: table(connections, (each) => ({ ...preset(each), ...scheme(each) })),
    eventConnections: table(eventConnections, preset),
  } satisfies Record<keyof typeof Configured, string>;
  return [
    ...[...modules].map(([path, name]) => `import ${name} from ${JSON.stringify(path)};`),
    ...Object.entries(tables).map(([name, value]) => `export const ${name} = ${value};`),
    '',
  ].join('\n');
}

/** The source text of a table of connections, each with what is bound to it. */
function table(
  connections: Record<string, Connection>,
  bind: (connection: Connection) => Record<string, string>,
): string {
  const entries = Object.entries(connections).map(([name, connection]) => {
    const bound = Object.entries(bind(connection)).map(([key, value]) => `${key}: ${value}`);
    return `${JSON.stringify(name)}: { ...${JSON.stringify(connection)}, ${bound.join(', ')} }`;
  });
  return `{ ${entries.join(', ')} }`;
}

/** The settings of a connection that are JMESPath, except that `finishedWhen` may also be the word `always`. */
const SELECTORS = ['conversationId', 'finishedWhen', 'sharedId'] as const satisfies (keyof Connection)[];

/** The interpreter of JMESPath is a third of a receiver, so only a function with a selector carries it. */
function selectorModule({ connections = {}, eventConnections = {} }: Partial<Embedded>): string {
  const hasSelector = [connections, eventConnections]
    .flatMap((each) => Object.values(each))
    .some(
      (connection) =>
        SELECTORS.some((name) => connection[name] && connection[name] !== 'always') ||
        // A time in the body is found by a selector, too.
        ('timestampSelector' in connection.verify && connection.verify.timestampSelector !== undefined),
    );
  return join(ROOT, 'functions', 'intake', `${hasSelector ? 'selector' : 'no-selector'}${SOURCE}`);
}

/**
 * Bundles a function into one minified ES module, with the AWS SDK of our own dependencies, so that the tested version
 * is the one that runs. esbuild is called directly: the CDK's NodejsFunction wants a lock file, which a package does not
 * have. The same sources give the same bytes in any folder.
 *
 * @param name the file `<name>.lambda` in functions/
 * @param embedded what this function needs of the configuration
 * @param use takes the folder with `index.mjs`, which is deleted afterwards
 */
export function withBundle<Result>(
  name: string,
  embedded: Partial<Embedded>,
  sourceMap: boolean,
  use: (folder: string) => Result,
): Result {
  const folder = mkdtempSync(join(tmpdir(), 'chat-closer-bundle-'));
  try {
    bundle(name, embedded, sourceMap, folder);
    return use(join(folder, 'asset'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function bundle(name: string, embedded: Partial<Embedded>, sourcemap: boolean, folder: string): void {
  const configured = join(folder, 'configured.js');
  writeFileSync(configured, configuredModule(embedded));
  buildSync({
    entryPoints: [join(ROOT, 'functions', `${name}.lambda${SOURCE}`)],
    outfile: join(folder, 'asset', 'index.mjs'),
    bundle: true,
    minify: true,
    sourcemap,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    absWorkingDir: ROOT,
    alias: {
      '#configured': configured,
      '#selector': selectorModule(embedded),
      // The SDK's clients import their whole chain of credentials, of which Lambda needs the environment's alone.
      '@aws-sdk/credential-provider-node': join(ROOT, 'functions', 'aws', `credentials${SOURCE}`),
    },
    // CommonJS packages load Node's own modules by `require`, which an ES module does not have. An import of node:module
    // would evaluate all its exports, which takes a millisecond of every cold start.
    banner: {
      js: "const require=process.getBuiltinModule('module').createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
}
