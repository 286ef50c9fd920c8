#!/usr/bin/env node
// Runs on any version of Node from 20: installs what is missing, then starts the command line on the pinned Node 24.
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** @param {string} path */
const inProject = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

// Standard output is the command's own: --json must be the only thing on it.
const prepared = spawnSync(process.execPath, [inProject('scripts/prepare.js'), '--without-python'], {
  stdio: ['ignore', 2, 2],
});
if (prepared.status !== 0) process.exit(prepared.status ?? 1);

const child = spawn(
  inProject('node_modules/.bin/node'),
  [inProject('commands/chat-closer.ts'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
// A terminal sends Ctrl-C to both processes. The command decides what it means.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.once('exit', (code, signal) => {
  process.exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0);
});
