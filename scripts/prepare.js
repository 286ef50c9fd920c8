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
const REQUIREMENTS = join(ROOT, 'local/requirements.txt');
const VENV = join(ROOT, '.venv');

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  stop(`This needs Node ${OLDEST_NODE} or newer; it runs on ${process.versions.node}. Install a newer one.`);
}
installPackages();
// An emulator that the user runs needs no Python.
if (!process.argv.includes('--without-python') && !process.env.AWS_ENDPOINT_URL) installMiniStack();

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

function installMiniStack() {
  const stamp = join(VENV, 'requirements.sha256');
  // The stamp includes the path, because the programs in a virtual environment contain it.
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).update(VENV).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && isUsable(VENV)) return;
  const python = findPython();
  print('Installing MiniStack, the local AWS, into .venv, once …');
  rmSync(VENV, { recursive: true, force: true });
  run(
    python,
    ['-m', 'venv', VENV],
    `${python} cannot make a virtual environment. Install its venv module (on Debian: apt install python3-venv).`,
  );
  const options = [
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--require-hashes',
    '-r',
    REQUIREMENTS,
  ];
  run(
    join(VENV, 'bin/python'),
    ['-m', 'pip', ...options],
    'pip could not install MiniStack. Its output is above.',
  );
  writeFileSync(stamp, wanted);
}

/** Whether its Python still exists and can load MiniStack. */
function isUsable(/** @type {string} */ venv) {
  return spawnSync(join(venv, 'bin/python'), ['-c', 'import ministack'], { stdio: 'ignore' }).status === 0;
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
    `The local AWS needs Python ${OLDEST_PYTHON.join('.')} or newer. Install it as python3, then run this again.`,
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
