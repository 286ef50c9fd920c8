// Runs before `npm start` and `npm test`, on any version of Node. Installs the packages of the lock files, unless they
// are installed. The stamp is written last, so that an interrupted installation is repeated.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OLDEST_NODE = 20;
const OLDEST_PYTHON = [3, 10];
const VENV = join(ROOT, '.venv');

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  stop(`This needs Node ${OLDEST_NODE} or newer; it runs on ${process.versions.node}. Install a newer one.`);
}
installPackages();
// An emulator that the user runs needs no Python.
const needsMiniStack = !process.argv.includes('--without-python') && !process.env.AWS_ENDPOINT_URL;
if (needsMiniStack)
  installPython('MiniStack, the local AWS,', 'ministack', join(ROOT, 'local/requirements.txt'));
if (process.argv.includes('--with-linter')) {
  installPython('cfn-lint, which the tests need,', 'cfnlint', join(ROOT, 'test/requirements.txt'));
}

function installPackages() {
  const lock = join(ROOT, 'package-lock.json');
  if (isPackagesCurrent(lock)) return;
  print('Installing the packages of package-lock.json, once …');
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const [command = 'npm', ...first] = npm;
  const options = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  run(command, [...first, ...options], 'npm ci failed. Its output is above.');
}

/** Whether every package of the lock file is installed in its version, by npm's record of its installation. */
function isPackagesCurrent(/** @type {string} */ lock) {
  const record = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(record)) return false;
  const wanted = packagesOf(lock);
  const installed = packagesOf(record);
  return Object.entries(wanted).every(
    ([name, { version, optional }]) =>
      name === '' || installed[name]?.version === version || (optional && !installed[name]),
  );
}

/** @returns {Record<string, { version: string, optional?: boolean }>} */
function packagesOf(/** @type {string} */ lock) {
  return JSON.parse(readFileSync(lock, 'utf8')).packages;
}

/**
 * Installs the packages of a requirements file into .venv. Each file has its own stamp there.
 *
 * @param {string} what the name for the user
 * @param {string} module what Python must be able to load
 * @param {string} requirements path of a requirements file with hashes
 */
function installPython(what, module, requirements) {
  const stamp = join(VENV, `${module}.sha256`);
  // The stamp includes the path: the programs in a copied .venv name the old one.
  const wanted = createHash('sha256').update(readFileSync(requirements)).update(VENV).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && canLoad(module)) return;
  makeVenv();
  print(`Installing ${what} into .venv, once …`);
  const options = [
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--require-hashes',
    '-r',
    requirements,
  ];
  run(
    join(VENV, 'bin/python'),
    ['-m', 'pip', ...options],
    `pip could not install ${what} into .venv. Its output is above.`,
  );
  writeFileSync(stamp, wanted);
}

/** Makes a new .venv, unless there is one that was made here and whose Python runs. */
function makeVenv() {
  // The programs in a virtual environment contain its path.
  const madeAt = join(VENV, 'made-at');
  if (existsSync(madeAt) && readFileSync(madeAt, 'utf8') === VENV && canLoad('pip')) return;
  const python = findPython();
  rmSync(VENV, { recursive: true, force: true });
  run(
    python,
    ['-m', 'venv', VENV],
    `${python} cannot make a virtual environment. Install its venv module (on Debian: apt install python3-venv).`,
  );
  writeFileSync(madeAt, VENV);
}

/** Whether the Python of .venv can load the module. */
function canLoad(/** @type {string} */ module) {
  return spawnSync(join(VENV, 'bin/python'), ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0;
}

/** @returns {string} the first of the usual names whose Python is new enough */
function findPython() {
  const candidates = [
    'python3',
    'python',
    'python3.14',
    'python3.13',
    'python3.12',
    'python3.11',
    'python3.10',
  ];
  for (const name of candidates) {
    try {
      const version = execFileSync(name, ['-c', 'import sys; print(*sys.version_info[:2])'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const [major = 0, minor = 0] = version.toString().split(' ').map(Number);
      if (major > 3 || (major === OLDEST_PYTHON[0] && minor >= (OLDEST_PYTHON[1] ?? 0))) return name;
    } catch {
      // It does not exist, or does not run.
    }
  }
  stop(
    `The local AWS and the tests need Python ${OLDEST_PYTHON.join('.')} or newer. Install it as python3, then run this again.`,
  );
  return '';
}

function run(/** @type {string} */ command, /** @type {string[]} */ args, /** @type {string} */ onFailure) {
  const { status } = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) stop(onFailure);
}

function print(/** @type {string} */ text) {
  process.stdout.write(`${text}\n`);
}

function stop(/** @type {string} */ text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}
