import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../../infra/root.ts';
import { OperatorError } from '../../operate/error.ts';

const VERSION = '4.0.2';

/** The bench's own folder, which Git ignores. */
export const BENCH_FOLDER = join(ROOT, '.bench');

/**
 * Installs AWS's own runtime client, which runs a handler in Lambda, into a folder of its own, unless it is there. The
 * installation compiles C++ for some minutes.
 *
 * @returns the path of its program
 * @throws {OperatorError} when it cannot be installed, with what to do
 * @see https://github.com/aws/aws-lambda-nodejs-runtime-interface-client
 */
export function installRuntimeClient(print: (text: string) => void): string {
  const folder = join(BENCH_FOLDER, 'ric');
  const program = join(folder, 'node_modules', 'aws-lambda-ric', 'index.mjs');
  if (existsSync(join(dirname(program), 'rapid-client.node'))) return program;
  print('Compiling AWS’s runtime client into .bench/, once. This takes some minutes …\n');
  mkdirSync(folder, { recursive: true });
  const dependencies = { 'aws-lambda-ric': VERSION };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  const options = ['install', '--no-audit', '--no-fund', '--loglevel=error'];
  const env = { ...process.env, ...headersOfNode() };
  const { status, stdout, stderr } = spawnSync('npm', options, { cwd: folder, env, encoding: 'utf8' });
  if (status === 0) return program;
  throw new OperatorError(
    `aws-lambda-ric ${VERSION} could not be compiled. It needs cmake, g++, make, autoconf, automake, libtool and xz (on Debian: apt install cmake g++ make autoconf automake libtool xz-utils).\n${stdout}${stderr}`,
    1,
  );
}

/** The headers that came with this Node, so that node-gyp does not download them. */
function headersOfNode(): { npm_config_nodedir?: string } {
  const prefixes = [
    join(dirname(process.execPath), '..'),
    join(ROOT, 'node_modules', 'node', 'node_modules', `node-${process.platform}-${process.arch}`),
  ];
  const prefix = prefixes.find((each) => existsSync(join(each, 'include', 'node', 'node_api.h')));
  return prefix ? { npm_config_nodedir: prefix } : {};
}
