import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BundlingOptions, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import type * as Configured from '../functions/configured.ts';
import type { CleanupProject, Connection, Project } from '../functions/connections.ts';
import { ROOT } from './root.ts';

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
 * Writes the module that replaces functions/configured.ts in a function's bundle. It binds to each connection its
 * preset and its scheme, and imports no others.
 *
 * @param embedded what this function needs; the other tables are empty
 * @returns the path of the module, which depends only on its content
 */
function writeConfigured(embedded: Partial<Embedded>): string {
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
    const path = join(ROOT, 'functions', folder, `${name}.ts`);
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
  const text = [
    ...[...modules].map(([path, name]) => `import ${name} from ${JSON.stringify(path)};`),
    ...Object.entries(tables).map(([name, value]) => `export const ${name} = ${value};`),
    '',
  ].join('\n');
  return writeModule(text);
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

function writeModule(text: string): string {
  const folder = join(ROOT, '.build', createHash('sha256').update(text).digest('hex').slice(0, 16));
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'configured.js');
  writeFileSync(file, text);
  return file;
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
  return join(ROOT, 'functions', 'intake', hasSelector ? 'selector.ts' : 'no-selector.ts');
}

/**
 * How a function is bundled: into one minified ES module, with the AWS SDK of our own lock file, so that the
 * tested version is the one that runs.
 *
 * @param embedded what this function needs of the configuration
 */
export function bundling(embedded: Partial<Embedded>, sourceMap: boolean): BundlingOptions {
  return {
    format: OutputFormat.ESM,
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    sourceMap,
    bundleAwsSDK: true,
    esbuildArgs: {
      '--alias:#configured': writeConfigured(embedded),
      '--alias:#selector': selectorModule(embedded),
      // The SDK's clients import their whole chain of credentials, of which Lambda needs the environment's alone.
      '--alias:@aws-sdk/credential-provider-node': join(ROOT, 'functions', 'aws', 'credentials.ts'),
    },
    // CommonJS packages load Node's own modules by `require`, which an ES module does not have. An import of node:module
    // would evaluate all its exports, which takes a millisecond of every cold start.
    banner: "const require=process.getBuiltinModule('module').createRequire(import.meta.url);",
  };
}
