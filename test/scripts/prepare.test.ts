import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { temporaryFolder } from '../support/configuration.ts';

/** A checkout whose packages are installed and whose Python environment is not. */
function checkout(): string {
  const folder = temporaryFolder();
  cpSync(join(ROOT, 'scripts'), join(folder, 'scripts'), { recursive: true });
  for (const part of ['local', 'test']) {
    mkdirSync(join(folder, part));
    copyFileSync(join(ROOT, part, 'requirements.txt'), join(folder, part, 'requirements.txt'));
  }
  mkdirSync(join(folder, 'node_modules'));
  copyFileSync(join(ROOT, 'package-lock.json'), join(folder, 'package-lock.json'));
  copyFileSync(join(ROOT, 'package-lock.json'), join(folder, 'node_modules/.package-lock.json'));
  return folder;
}

function prepare(folder: string, { path = '', args = [] as string[], env = {} } = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(folder, 'scripts/prepare.js'), ...args],
    {
      env: { PATH: path, ...env },
      encoding: 'utf8',
    },
  );
  return { status, stdout, stderr };
}

/** A folder with a `python3` that says it is of this version, and fails at everything else. */
function pythonOf(version: string): string {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'python3'),
    `#!/bin/sh\ncase "$1" in -c) echo "${version}";; *) exit 1;; esac\n`,
  );
  chmodSync(join(folder, 'python3'), 0o755);
  return folder;
}

describe('what runs before npm start', () => {
  it('reports that Python is missing, and how to install it', () => {
    expect(prepare(checkout())).toEqual({
      status: 1,
      stdout: '',
      stderr:
        'The local AWS and the tests need Python 3.10 or newer. Install it as python3, then run this again.\n',
    });
  });

  it('refuses a Python that is too old', () => {
    expect(prepare(checkout(), { path: pythonOf('3 9') })).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/need Python 3\.10/),
    });
  });

  it('says what to install when Python has no venv module', () => {
    expect(prepare(checkout(), { path: pythonOf('3 12') })).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/python3-venv/),
    });
  });

  it('needs no Python for the unit tests, nor with an emulator that the user runs', () => {
    expect(prepare(checkout(), { args: ['--without-python'] })).toMatchObject({ status: 0, stderr: '' });
    expect(prepare(checkout(), { env: { AWS_ENDPOINT_URL: 'http://localhost:4566' } })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  it('needs Python for cfn-lint before npm test, even with an emulator that the user runs', () => {
    const env = { AWS_ENDPOINT_URL: 'http://localhost:4566' };
    expect(prepare(checkout(), { args: ['--with-linter'], env })).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/need Python 3\.10/),
    });
  });

  it('installs the packages again when one is missing or has another version', () => {
    const folder = checkout();
    writeFileSync(join(folder, 'node_modules/.package-lock.json'), '{"packages":{}}');
    const { status, stdout, stderr } = prepare(folder, { args: ['--without-python'] });
    expect({ status, stdout, stderr }).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/Installing the packages/),
      stderr: expect.stringMatching(/npm ci failed/),
    });
  });
});
