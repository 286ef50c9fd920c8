import { isBuiltin } from 'node:module';
import { buildSync } from 'esbuild';

type Manifest = {
  name: string;
  version: string;
  description: string;
  license: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

/** The user's app has these, and one app must not have two of them. */
const PEERS = ['aws-cdk-lib', 'constructs'];
/** The files use what Node has since this version, such as `Map.groupBy` and `Promise.withResolvers`. */
const OLDEST_NODE = '>=22';

/**
 * The names of the packages that JavaScript files import, statically or dynamically, sorted.
 *
 * @param files their paths
 */
export function importedPackages(files: string[]): string[] {
  const { metafile } = buildSync({
    entryPoints: files,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    outdir: 'unused',
    write: false,
    metafile: true,
    logLevel: 'error',
  });
  const paths = Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.filter(({ external }) => external).map(({ path }) => path),
  );
  const names = paths.map((path) => path.split('/', path.startsWith('@') ? 2 : 1).join('/'));
  return [...new Set(names)].filter((name) => !name.startsWith('#') && !isBuiltin(name)).sort();
}

/**
 * The package.json of the package. Its dependencies are what its files import, in the versions of the repository.
 *
 * @param imported the names of the packages
 * @throws {Error} when the repository does not have one of them
 */
export function packageJson(root: Manifest, imported: readonly string[]) {
  const versions = { ...root.devDependencies, ...root.dependencies };
  const versionOf = (name: string) => {
    const version = versions[name];
    if (!version) throw new Error(`${name} is imported, but package.json does not have it. Add it.`);
    return version;
  };
  const { name, version, description, license } = root;
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    engines: { node: OLDEST_NODE },
    bin: { 'chat-closer': 'bin/chat-closer.js' },
    exports: {
      '.': { types: './infra/index.d.ts', default: './infra/index.js' },
      './connections.schema.json': './connections.schema.json',
    },
    imports: { '#configured': './functions/configured.js', '#selector': './functions/intake/selector.js' },
    dependencies: Object.fromEntries(
      imported.filter((each) => !PEERS.includes(each)).map((each) => [each, versionOf(each)]),
    ),
    // A newer minor version of these is the app's to choose.
    peerDependencies: Object.fromEntries(PEERS.map((each) => [each, `^${versionOf(each)}`])),
  };
}
